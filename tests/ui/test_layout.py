"""What can be taken away is what is shown."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ui.layout import csv, npz

RNG = np.random.default_rng(0)
ARRAYS = {
    "weights": RNG.standard_normal((3, 5, 7)).astype(np.float32),
    "q": RNG.standard_normal((5, 2)).astype(np.float32),
    "row": RNG.standard_normal(11).astype(np.float32),
}


def table(name, arrays=ARRAYS):
    with zipfile.ZipFile(io.BytesIO(csv(arrays))) as folder:
        return pd.read_csv(io.BytesIO(folder.read(f"{name}.csv")))


def test_npz_holds_the_same_bits():
    loaded = np.load(io.BytesIO(npz(ARRAYS)), allow_pickle=False)
    assert sorted(loaded) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(loaded[name], array)


def test_csv_holds_every_float32_exactly_under_a_header_and_beside_its_number():
    matrix, row = table("q"), table("row")
    assert list(matrix) == ["axis_0", "0", "1"]
    assert list(row) == ["axis_0", "row"]
    assert matrix["axis_0"].tolist() == list(range(5))
    np.testing.assert_array_equal(matrix.to_numpy()[:, 1:].astype(np.float32), ARRAYS["q"])
    np.testing.assert_array_equal(row["row"].to_numpy().astype(np.float32), ARRAYS["row"])


def test_csv_of_more_axes_names_them_by_index():
    rows = table("weights").to_numpy()
    assert rows.shape == (3 * 5 * 7, 4)
    for *index, value in rows:
        assert np.float32(value) == ARRAYS["weights"][tuple(int(i) for i in index)]


def test_csv_of_words_is_quoted_and_no_formula():
    typed = ["the", 'a "b", c', "line\nbreak", "=1+1", "@SUM(A1)", "-"]
    cells = table("tokens", {"tokens": np.array(typed)})["tokens"].tolist()
    assert cells == [*typed[:3], *("'" + word for word in typed[3:])]
    np.testing.assert_array_equal(np.load(io.BytesIO(npz({"tokens": np.array(typed)})))["tokens"], typed)


CSVS = {
    "Chinese words": np.array(["法律", "注意力"]),
    "words": np.array(["law"]),
    "a matrix": ARRAYS["q"],
    "more axes": ARRAYS["weights"],
    "one number": np.array(7, np.float32),
    "none": np.zeros((0, 3), np.float32),
}


@pytest.mark.parametrize("array", CSVS.values(), ids=CSVS)
@pytest.mark.parametrize("name", ["weights", "权重"])
def test_a_csv_begins_with_the_mark_by_which_excel_knows_utf_8(name, array):
    with zipfile.ZipFile(io.BytesIO(csv({name: array}))) as folder:
        [listed] = folder.namelist()
        data = folder.read(listed)
    assert listed == f"{name}.csv" and data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\xef\xbb\xbf") == 1
    assert pd.read_csv(io.BytesIO(data)).columns[0] == "axis_0", "no reader of ours sees it"


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
