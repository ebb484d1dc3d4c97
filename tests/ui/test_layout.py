"""What can be taken away is what is shown."""

import io
import zipfile

import numpy as np
from streamlit.testing.v1 import AppTest

from ui.layout import csv, npz

RNG = np.random.default_rng(0)
ARRAYS = {
    "weights": RNG.standard_normal((3, 5, 7)).astype(np.float32),
    "q": RNG.standard_normal((5, 2)).astype(np.float32),
    "row": RNG.standard_normal(11).astype(np.float32),
}


def table(name, header):
    with zipfile.ZipFile(io.BytesIO(csv(ARRAYS))) as folder:
        return np.loadtxt(io.StringIO(folder.read(f"{name}.csv").decode()), delimiter=",", skiprows=header)


def test_npz_holds_the_same_bits():
    loaded = np.load(io.BytesIO(npz(ARRAYS)), allow_pickle=False)
    assert sorted(loaded) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(loaded[name], array)


def test_csv_holds_every_float32_exactly():
    np.testing.assert_array_equal(table("q", header=0).astype(np.float32), ARRAYS["q"])
    np.testing.assert_array_equal(table("row", header=0).astype(np.float32), ARRAYS["row"])


def test_csv_of_more_axes_names_them_by_index():
    rows = table("weights", header=1)
    assert rows.shape == (3 * 5 * 7, 4)
    for *index, value in rows:
        assert np.float32(value) == ARRAYS["weights"][tuple(int(i) for i in index)]


def test_the_trust_line_leaves_out_what_is_unknown_and_makes_names_inert():
    def script():
        from ui.layout import trust_line

        trust_line(rows=1.19e-7, model="[x](http://example.org)", seed=None)

    app = AppTest.from_function(script).run()
    assert [caption.value for caption in app.caption] == [
        "rows sum to 1 within 1.19·10⁻⁷ · model ` [x](http://example.org) `"
    ]


def test_the_take_away_menu_calls_for_no_array_until_somebody_downloads():
    def script():
        from ui.layout import take_away

        take_away("heads", arrays=lambda: 1 / 0, snippet="print(1)")

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert app.code[-1].value == "print(1)"


def test_the_link_carries_the_language_and_every_parameter():
    def script():
        import streamlit as st

        from ui.layout import link

        st.text(link())

    app = AppTest.from_function(script)
    app.query_params["text"] = "a&b c"
    app.run()
    assert app.text[0].value.endswith("?lang=en&text=a%26b+c")
