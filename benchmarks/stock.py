"""Streamlit's command line on asyncio, as `pip install streamlit` leaves it: without uvloop, httptools and orjson."""

import sys

EXTRAS = ("uvloop", "httptools", "orjson")

if __name__ == "__main__":
    sys.modules.update(dict.fromkeys(EXTRAS))  # None: the import fails
    from streamlit.web.cli import main

    main(prog_name="streamlit")
