"""Streamlit's command line on asyncio, as `pip install streamlit` leaves it: without uvloop, httptools and orjson."""

import sys

EXTRAS = ("uvloop", "httptools", "orjson")

if __name__ == "__main__":
    for name in EXTRAS:
        sys.modules[name] = None  # type: ignore  # which makes the import fail
    from streamlit.web.cli import main

    main(prog_name="streamlit")
