"""Files of one's own: the numbers that were written are read, in the order of their clock, or refused by name."""

import io
import math
import time
import tracemalloc
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from pages.training.time_series import reading
from pages.training.time_series.numbers import least
from pages.training.time_series.reading import Choice, Refused, Sheet, Usable
from pages.training.time_series.reading.rows import typed
from pages.training.time_series.reading.spelling import spelled
from ui.text import words

LEAST = least(24)
DAYS = pd.date_range("2020-01-01", periods=300)
MONTHS = pd.date_range("2000-01-01", periods=150, freq="MS")
HOURS = pd.date_range("2020-03-02", periods=300, freq="h")
GAP = " " * 57
WAVE = [round(50 + 10 * math.sin(2 * math.pi * n / 24) + 7 * math.sin(n * n), 2) for n in range(300)]


def lines(*rows: str) -> bytes:
    return "\n".join(rows).encode()


def read(data: bytes | str, least: int = LEAST, **choice) -> tuple[Sheet, Choice, Usable]:
    """As the page reads a file with nothing chosen."""
    sheet = reading.read(data.encode() if isinstance(data, str) else data)
    column = sheet.likely()
    assert column is not None
    first = Choice(column=column, clock=0 if sheet.clocks else None, series=0 if sheet.apart else None)
    wanted = Choice(
        **{name: choice.get(name, getattr(first, name)) for name in ("column", "clock", "series", "order", "comma")}
    )
    return sheet, wanted, reading.usable(sheet, wanted, least)


def same(usable: Usable, expected) -> None:
    assert_close(
        torch.tensor(usable.values), torch.tensor(np.array(expected, dtype=np.float64)).float(), rtol=1e-6, atol=1e-6
    )


def keys(usable: Usable) -> list[str]:
    return [note.key for note in usable.notes]


def refused(data: bytes | str, **choice) -> Refused:
    with pytest.raises(Refused) as error:
        read(data, **choice)
    for language in ("en", "zh"):
        assert words("time_series", language).format(f"refused.{error.value.why}", **error.value.named)
    return error.value


def dated(days, cells, *, form: str = "%Y-%m-%d", header: str = "date,x", mark: str = ",") -> str:
    rows = [f"{day.strftime(form)}{mark}{cell}" for day, cell in zip(days, cells, strict=False)]
    return "\n".join([header.replace(",", mark), *rows])


# --- what a row of the table of faults says ---


def test_the_newest_row_first_is_turned_round() -> None:
    sheet, choice, usable = read(dated(DAYS[::-1], range(300, 0, -1), header="Date,Close"))
    same(usable, range(1, 301))
    assert sheet.columns[choice.column].name == "Close" and keys(usable) == ["from", "newest"]
    assert usable.notes[0].named["first"] == "2020-01-01" and usable.notes[0].named["last"] == "2020-10-26"
    same(read(dated(DAYS[::-1], range(300, 0, -1)), clock=None)[2], range(300, 0, -1))  # unless the reader says so


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%b %d, %Y", "%Y%m%d", "%A, %d %B %Y"]
)
def test_shuffled_rows_are_put_into_the_order_of_their_dates(form: str) -> None:
    order = np.random.default_rng(3).permutation(300)
    _, _, usable = read(dated(DAYS[order], np.array(WAVE)[order], form=form, mark=";"))
    same(usable, WAVE)
    assert "sorted" in keys(usable)


GERMAN = ["Jan", "Feb", "März", "Apr", "Mai", "Juni", "Juli", "Aug", "Sep", "Okt", "Nov", "Dez"]
CLOCKS = {
    "seconds": ("timestamp", [str(1577836800 + 3600 * n) for n in range(300)]),
    "seconds that nobody names": ("a", [str(1577836800 + 3600 * n) for n in range(300)]),
    "milliseconds": ("time", [str(1577836800000 + 60000 * n) for n in range(300)]),
    "microseconds": ("ts", [str(1577836800000000 + 10**6 * n) for n in range(300)]),
    "compact": ("date", [f"{day:%Y%m%d}" for day in DAYS]),
    "compact with hours": ("t", [f"{hour:%Y%m%d%H%M}" for hour in HOURS]),
    "months": ("month", [f"{2000 + n // 12}{n % 12 + 1:02}" for n in range(300)]),
    "years": ("Year", [str(1700 + n) for n in range(300)]),
    "years that nobody names": ("a", [str(1700 + n) for n in range(300)]),
    "days of a spreadsheet": ("Date", [str(43831 + n) for n in range(300)]),
    "decimal years": ("decimal date", [f"{1958 + (n + 0.5) / 12:.4f}" for n in range(300)]),
    "years and months after a point": (
        "Date",
        [f"{1871 + n // 12}.{n % 12 + 1:02}".removesuffix("0") for n in range(300)],
    ),
    "quarters": ("q", [f"{1950 + n // 4}Q{n % 4 + 1}" for n in range(300)]),
    "quarters turned": ("q", [f"Q{n % 4 + 1} {1950 + n // 4}" for n in range(300)]),
    "weeks": (
        "week",
        [
            f"{day.isocalendar().year}-W{day.isocalendar().week:02}"
            for day in pd.date_range("2015-01-05", periods=300, freq="W-MON")
        ],
    ),
    "Chinese days": ("日期", [f"{day.year}年{day.month}月{day.day}日" for day in DAYS]),
    "Chinese months": ("月份", [f"{1990 + n // 12}年{n % 12 + 1}月" for n in range(300)]),
    "Chinese quarters": ("季度", [f"{1950 + n // 4}年第{n % 4 + 1}季度" for n in range(300)]),
    "Chinese hours": ("时间", [f"{hour.year}年{hour.month}月{hour.day}日 {hour.hour}时00分" for hour in HOURS]),
    "halves of a day": ("when", [f"{hour:%m/%d/%Y %I:%M %p}" for hour in HOURS]),
    "ISO with a zone": ("when", [f"{hour:%Y-%m-%dT%H:%M:%S}+02:00" for hour in HOURS]),
    "IMF's months": ("TIME_PERIOD", [f"{1990 + n // 12}M{n % 12 + 1}" for n in range(300)]),
    "months with names": ("when", [f"{month:%b %Y}" for month in pd.date_range("1990-01-01", periods=300, freq="MS")]),
    "German months": (
        "Datum",
        [f"{day.day}. {GERMAN[day.month - 1]} {day.year}" for day in DAYS],
    ),
    "two digits from 1960 on": (
        "Month",
        [f"{month:%b-%y}" for month in pd.date_range("1960-01-01", periods=300, freq="MS")],
    ),
    "quarters of two digits": ("q", [f"{n % 4 + 1}Q{(1940 + n // 4) % 100:02}" for n in range(300)]),
    "Chinese days of two digits": (
        "日期",
        [f"{day.year % 100:02}年{day.month}月{day.day}日" for day in pd.date_range("1968-06-01", periods=300)],
    ),
    "fiscal years": ("fy", [f"FY{1700 + n}" for n in range(300)]),
    "an index": ("", [str(n) for n in range(300)]),
    "counted steps": ("step", [str(5 * n) for n in range(300)]),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", CLOCKS)
def test_no_clock_is_forecast_unasked_and_rows_follow_it(kind: str, turned: bool) -> None:
    name, times = CLOCKS[kind]
    rows = [f"{when};{value}" for when, value in zip(times, WAVE, strict=True)]
    sheet, choice, usable = read("\n".join([f"{name};value", *(rows[::-1] if turned else rows)]))
    assert sheet.columns[choice.column].name == "value"
    same(usable, WAVE)
    assert (
        ("newest" in keys(usable)) == turned
        and "rows" not in keys(usable)
        and not {"holes", "uneven", "twice"} & set(keys(usable))
    )


PARTED = {
    "Year,Month": [f"{1949 + n // 12},{n % 12 + 1}" for n in range(300)],
    "Year,Month of it": [f"{1949 + n // 12},{pd.Timestamp(2000, n % 12 + 1, 1):%B}" for n in range(300)],
    "year,quarter": [f"{1949 + n // 4},Q{n % 4 + 1}" for n in range(300)],
    "Year,Q": [f"{1949 + n // 4},{n % 4 + 1}" for n in range(300)],
    "年,月": [f"{1949 + n // 12},{n % 12 + 1}" for n in range(300)],
    "No,year,month,day,hour": [f"{n + 1},{at.year},{at.month},{at.day},{at.hour}" for n, at in enumerate(HOURS)],
    "Date,Time": [f"{at:%d/%m/%Y},{at:%H:%M:%S}" for at in HOURS],
    "Date,hour": [f"{at:%Y-%m-%d},{at.hour}" for at in HOURS],
    "Date,time": [f"{at:%d/%m/%Y},{at:%H.%M.%S}" for at in HOURS],
}


@pytest.mark.parametrize("names", PARTED)
def test_parts_of_a_date_in_columns_of_their_own_are_one_clock(names: str) -> None:
    rows = [f"{when},{value}" for when, value in zip(PARTED[names], WAVE, strict=True)]
    order = np.random.default_rng(5).permutation(300)
    sheet, choice, usable = read("\n".join([f"{names},Passengers", *(rows[at] for at in order)]))
    assert sheet.columns[choice.column].name == "Passengers"
    same(usable, WAVE)
    assert not {"holes", "uneven", "twice"} & set(keys(usable))


@pytest.mark.parametrize("name", ["Day ahead", "Hours", "Daily min", "Close"])
def test_a_column_that_could_be_a_part_of_a_date_is_forecast_where_no_other_can_be(name: str) -> None:
    cells = [int(value) % 23 + 1 for value in WAVE]
    sheet, choice, usable = read(dated(DAYS, cells, header=f"Date,{name}"))
    assert sheet.columns[choice.column].name == name
    same(usable, cells)


def test_a_file_of_times_alone_forecasts_nothing_unasked() -> None:
    for header, form in (("date,weather", "%Y%m%d"), ("when,weather", "%d.%m.%Y")):
        sheet = reading.read(dated(DAYS, ["fair", "rain"] * 150, header=header, form=form).encode())
        assert sheet.likely() is None
    sheet = reading.read(lines("year", *map(str, range(1700, 2000))))
    assert sheet.likely() is None


def stacked(names, *, header: str = "unique_id,ds,y", last: bool = False, woven: bool = False) -> tuple[str, dict]:
    values = {name: [round(value + 100 * at, 2) for value in WAVE[:150]] for at, name in enumerate(names)}
    rows = [(name, day, value) for name in names for day, value in zip(DAYS[:150], values[name], strict=True)]
    rows = sorted(rows, key=lambda row: row[1]) if woven else rows
    written = [
        f"{day:%Y-%m-%d},{value},{name}" if last else f"{name},{day:%Y-%m-%d},{value}" for name, day, value in rows
    ]
    return "\n".join([header, *written]), values


@pytest.mark.parametrize("woven", [False, True])
@pytest.mark.parametrize(
    ("names", "header", "last"),
    [
        (["A", "B"], "unique_id,ds,y", False),
        (["A", "B"], "ds,y,unique_id", True),
        ([1, 2, 3], "store,date,y", False),
        ([7, 3], "date,y,x", True),
        (["东", "西", "北"], "城市,日期,y", False),
        ([f"s{n}" for n in range(20)], "series,ds,y", False),
    ],
)
def test_several_series_below_each_other_are_told_apart_and_one_is_asked_for(names, header, last, woven) -> None:
    text, values = stacked(names, header=header, last=last, woven=woven)
    sheet, choice, usable = read(text)
    assert sheet.apart is not None and list(sheet.apart.names) == list(map(str, names)) and not sheet.apart.alike
    assert sheet.columns[choice.column].name == "y"
    [apart] = [note for note in usable.notes if note.key == "apart"]
    assert apart.named["count"] == len(names) and apart.named["series"] == str(names[0])
    for at, name in enumerate(names):
        same(read(text, series=at)[2], values[name])


def test_two_columns_may_tell_series_apart_together() -> None:
    rows = [
        f"{u // 3},{u % 3},{day:%Y-%m-%d},{100 * u + x}"
        for u in range(6)
        for day, x in zip(DAYS[:150], WAVE, strict=False)
    ]
    sheet, _, usable = read("\n".join(["store,item,date,sales", *rows]), series=4)
    assert sheet.apart is not None and sheet.apart.name == "store · item" and len(sheet.apart.names) == 6
    same(usable, [400 + x for x in WAVE[:150]])


def test_series_that_do_not_meet_in_time_may_be_read_as_one() -> None:
    rows = [f"{'A' if n < 150 else 'B'},{day:%Y-%m-%d},{x}" for n, (day, x) in enumerate(zip(DAYS, WAVE, strict=True))]
    text = "\n".join(["sensor,date,x", *rows])
    sheet, _, usable = read(text)
    assert sheet.apart is not None and sheet.apart.alike
    same(usable, WAVE[:150])
    same(read(text, series=None)[2], WAVE)


def test_series_without_a_clock_and_with_few_rows_are_told_apart_too() -> None:
    rows = [f"{name},{x + add}" for x in WAVE[:150] for name, add in (("Oslo", 0), ("Rome", 500))]
    _, _, usable = read("\n".join(["city,x", *rows]), series=1)
    same(usable, [x + 500 for x in WAVE[:150]])
    long = [("A", day, x) for day, x in zip(DAYS[:150], WAVE, strict=False)] + [("B", day, 9.5) for day in DAYS[:5]]
    _, _, usable = read("\n".join(["id,date,x", *(f"{name},{day:%Y-%m-%d},{x}" for name, day, x in long)]))
    same(usable, WAVE[:150])


def test_a_column_of_labels_is_no_reason_to_split_a_series() -> None:
    labels = [["sun", "rain", "snow"][n % 3] for n in range(300)]
    sheet, _, usable = read(
        "\n".join(["date,weather,x", *(f"{d:%Y-%m-%d},{w},{x}" for d, w, x in zip(DAYS, labels, WAVE, strict=True))])
    )
    assert sheet.apart is None
    same(usable, WAVE)
    weekdays = "\n".join(["day,x", *(f"{day:%a},{x}" for day, x in zip(DAYS, WAVE, strict=True))])
    assert read(weekdays)[0].apart is None


@pytest.mark.parametrize("names", [(1, 2), (3, 1, 2), (101, 205, 7)])
def test_series_that_numbers_name_are_told_apart_without_a_clock_too(names: tuple[int, ...]) -> None:
    rows = [f"{name},{round(100 * at + x, 2)}" for at, name in enumerate(names) for x in WAVE[:150]]
    sheet, choice, usable = read("\n".join(["store,sales", *rows]), series=1)
    assert sheet.apart is not None and sheet.apart.name == "store" and sheet.apart.alike
    assert sheet.columns[choice.column].name == "sales"
    same(usable, [100 + x for x in WAVE[:150]])


def test_yes_and_no_are_no_names_of_series() -> None:
    rows = [f"{int(n > 150)},{x}" for n, x in enumerate(WAVE)]
    sheet, _, usable = read("\n".join(["state,y", *rows]))
    assert sheet.apart is None
    same(usable, WAVE)


def test_dates_that_stand_there_twice_with_nothing_to_tell_them_apart_are_refused() -> None:
    text = dated([*DAYS[:150], *DAYS[:150]], WAVE)
    assert refused(text).why == "stacked"
    same(read(text, clock=None)[2], WAVE)  # the reader may say that the rows are in order


SPELLINGS = {
    "dollars": ("${:,.2f}", 1.0),
    "euros behind": ("{:.2f} €", 1.0),
    "pounds": ("£{:.2f}", 1.0),
    "yuan": ("¥{:.2f}", 1.0),
    "wide yuan": ("￥{:.2f}", 1.0),
    "元": ("{:.2f}元", 1.0),
    "codes": ("USD {:.2f}", 1.0),
    "percent": ("{:.1f}%", 1.0),
    "millions": ("{:.2f}M", 1e6),
    "thousands": ("{:.2f}K", 1e3),
    "万": ("{:.2f}万", 1e4),
    "亿": ("{:.2f}亿元", 1e8),
    "Mrd": ("{:.2f} Mrd €", 1e9),
    "apostrophes": ("{:,.2f}", 1.0),
    "a unit": ("{:.2f} °C", 1.0),
    "plus": ("+{:.2f}", 1.0),
    "powers": ("{:.6e}", 1.0),
}


@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize("kind", SPELLINGS)
def test_numbers_are_read_however_they_are_spelled(kind: str, comma: bool) -> None:
    form, times = SPELLINGS[kind]
    cells = [form.format(100 * value if "," in form else value) for value in WAVE]
    expected = [float(f"{100 * value if ',' in form else value:.8g}") * times for value in WAVE]
    if "{:.1f}" in form:
        expected = [float(f"{value:.1f}") for value in WAVE]
    cells = [cell.replace(",", "'" if kind == "apostrophes" else ",") for cell in cells]
    cells = [cell.translate(str.maketrans(",.", ".,")) if comma else cell for cell in cells]
    _, _, usable = read(dated(DAYS, cells, mark=";"))
    assert_close(torch.tensor(usable.values), torch.tensor(expected).float(), rtol=1e-5, atol=1e-5)
    assert ("spelled" in keys(usable)) == (comma or kind not in ("plus", "powers"))


NEGATIVE = ["−{}", "–{}", "-{}", "({})", "{}-", "－{}", "-${}", "$-{}", "$({})", "($ {})"]


@pytest.mark.parametrize("form", NEGATIVE)
def test_a_minus_is_a_minus_however_it_is_written(form: str) -> None:
    cells = [form.format(value) if n % 3 == 0 else f"{value}" for n, value in enumerate(WAVE)]
    _, _, usable = read(dated(DAYS, cells, mark=";"))
    same(usable, [-value if n % 3 == 0 else value for n, value in enumerate(WAVE)])


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u202f", "\u2009", "'", "’", ".", ""])
def test_thousands_apart_and_a_decimal_comma(space: str) -> None:
    cells = [f"{1000 * value:,.2f}".translate(str.maketrans({",": space, ".": ","})) for value in WAVE]
    same(read(dated(DAYS, cells, mark=";", form="%d.%m.%Y"))[2], [1000 * value for value in WAVE])


def test_the_decimal_comma_of_one_column_alone() -> None:
    cells = ["1,5", "2,0", "−3,5", "10,99", "−0,50"] * 60
    for rows in (["price", *cells], cells):
        usable = read(lines(*rows))[2]
        values = np.array(usable.values)
        assert math.isclose(values.mean(), 2.098, abs_tol=1e-6) and (values < 0).mean() == 0.4
    text = "\n".join(["date;Text;Sum", *(f"{day:%d.%m.%Y};ab c;−{100 + n % 7},00" for n, day in enumerate(DAYS))])
    sheet, choice, usable = read(text)
    assert sheet.columns[choice.column].name == "Sum"
    same(usable, [-(100.0 + n % 7) for n in range(300)])


def test_thousands_of_mixed_sizes_and_the_indian_way() -> None:
    cells = [f"{value / 10:.2f}M" if n % 2 else f"{value * 10:.1f}K" for n, value in enumerate(WAVE)]
    expected = [round(value / 10, 2) * 1e6 if n % 2 else round(value * 10, 1) * 1e3 for n, value in enumerate(WAVE)]
    assert_close(torch.tensor(read(dated(DAYS, cells))[2].values), torch.tensor(expected).float(), rtol=1e-5, atol=0)
    cells = [f"12,34,{100 + n}.50" for n in range(300)]
    same(read(dated(DAYS, [f'"{cell}"' for cell in cells]))[2], [1234100.5 + n for n in range(300)])


@pytest.mark.parametrize(
    "cells",
    [
        ["1,234", "2,345"],
        ["1,234", "-2,345", ""],
        ["$1,234", "$999"],
        ["1.234", "999"],
        ["1.234", "2.345"],  # beside a semicolon
    ],
)
def test_what_may_be_thousands_is_asked_about_and_never_guessed(cells: list[str]) -> None:
    text = dated(DAYS, cells * 150, mark=";")
    refusal = refused(text)
    assert refusal.why == "thousands" and refusal.named["column"] == "x"
    group, decimal = (
        read(text, comma="." in cells[0] if grouped else "," in cells[0])[2].values for grouped in (True, False)
    )
    assert (group[0], decimal[0]) == (1234.0, float(np.float32(1.234)))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1.234,5", "999,5"], [1234.5, 999.5]),
        (["1,234,567", "999"], [1234567.0, 999.0]),
        (["1.234", "999,5"], [1234.0, 999.5]),
        (["1,234.5", "2.5"], [1234.5, 2.5]),
        (["0,125", "1,234"], [0.125, 1.234]),
        (["1,234", "12.5"], [1234.0, 12.5]),
    ],
)
def test_one_cell_shows_what_the_comma_of_all_others_means(cells: list[str], expected: list[float]) -> None:
    same(read(dated(DAYS, cells * 150, mark=";"))[2], expected * 150)


def test_another_column_shows_what_the_comma_means() -> None:
    rows = [f"{day:%d.%m.%Y};1.{200 + n * n % 97};3,5" for n, day in enumerate(DAYS)]
    same(read("\n".join(["Datum;Menge;Preis", *rows]))[2], [1200 + n * n % 97 for n in range(300)])


@pytest.mark.parametrize(
    ("cells", "why", "cell"),
    [
        (["€5.5" if n == 5 else f"${value}" for n, value in enumerate(WAVE)], "wrong", "€5.5"),
        (["5.5" if n == 5 else f"{value}%" for n, value in enumerate(WAVE)], "wrong", "5.5"),
        (["5 g" if n == 5 else f"{value} kg" for n, value in enumerate(WAVE)], "wrong", "5 g"),
        ([f"{value}*" if n == 5 else str(value) for n, value in enumerate(WAVE)], "wrong", f"{WAVE[5]}*"),
        ([f"{value}²" for value in WAVE], "wrong", "50.0²"),
        ([f"{int(value)}½" for value in WAVE], "wrong", "50½"),
        ([f"{value}×10³" for value in WAVE], "wrong", "50.0×10³"),
        (["1_000" if n == 5 else str(value) for n, value in enumerate(WAVE)], "wrong", "1_000"),
    ],
)
def test_a_cell_that_is_not_like_the_others_is_named(cells: list[str], why: str, cell: str) -> None:
    refusal = refused(dated(DAYS, cells))
    assert refusal.why == why and refusal.named["cell"] == cell and refusal.named["column"] == "x"
    assert refusal.named["row"] == (7 if cell not in ("50.0²", "50½", "50.0×10³") else 2)


@pytest.mark.parametrize("gap", ["", "NA", "NaN", "null", "***", "-", "—", ".", "..", "#N/A", "n.a.", "无", "?", ":"])
def test_gaps_are_counted_and_filled(gap: str) -> None:
    cells = [gap if n % 10 == 5 else str(float(n % 10)) for n in range(300)]
    usable = read(dated(DAYS, cells))[2]
    assert usable.gaps == 30
    same(usable, [float(n % 10) for n in range(300)])


@pytest.mark.parametrize("number", ["-999.99", "-9999", "-99.9", "-200", "9999"])
def test_a_number_that_stands_for_a_gap_is_no_measurement(number: str) -> None:
    cells = [number if n % 10 == 5 else str(float(n % 10)) for n in range(300)]
    usable = read(dated(DAYS, cells))[2]
    same(usable, [float(n % 10) for n in range(300)])
    [note] = [note for note in usable.notes if note.key == "stand_in"]
    assert note.named == {"count": 30, "number": number}
    near = [number if n == 5 else str(float(number) + n) for n in range(300)]  # among its like it is a number
    assert "stand_in" not in keys(read(dated(DAYS, near))[2])


SHAPES = {
    "sep=;": "sep=;\n" + dated(DAYS, WAVE, mark=";"),
    "a false sep": "sep=;\n" + dated(DAYS, WAVE),
    "tabs": dated(DAYS, WAVE, header="date\tx", mark="\t"),
    "bars": dated(DAYS, WAVE, header="date|x", mark="|"),
    "spaces": dated(DAYS, WAVE, header="date   x", mark="     "),
    "spaces and times": dated(DAYS, WAVE, header="date time x", mark="  ", form="%Y-%m-%d %H:%M"),
    "a table of Markdown": "| date | x |\n|---|---|\n"
    + "\n".join(f"| {d:%Y-%m-%d} | {x} |" for d, x in zip(DAYS, WAVE, strict=True)),
    "R": '"date" "x"\n'
    + "\n".join(f'"{n + 1}" "{d:%Y-%m-%d}" {x}' for n, (d, x) in enumerate(zip(DAYS, WAVE, strict=True))),
    "pandas": ",date,x\n" + "\n".join(f"{n},{d:%Y-%m-%d},{x}" for n, (d, x) in enumerate(zip(DAYS, WAVE, strict=True))),
    "dollars and tabs": dated(DAYS, [f"$ {x}" for x in WAVE], mark="\t", form="%m/%d/%Y"),
    "yes and no first": dated(DAYS, [f"{n % 2},40.25,{x}" for n, x in enumerate(WAVE)], header="date,holiday,lat,x"),
    "a title": "Global Means\n" + dated(DAYS, WAVE),
    "a title with commas": "Means, of all stations, 2020\n\nSource: me, and others\n\n" + dated(DAYS, WAVE),
    "a padded title": "Means;\n;\n" + dated(DAYS, WAVE, header="date;x", mark=";"),
    "comments": "# a; b, c\n" * 40 + dated(DAYS, WAVE),
    "a header that is a comment": "# about\n" + dated(DAYS, WAVE, header="#date,x"),
    "percent signs": "% about, it\n%\n" + dated(DAYS, WAVE),
    "units": dated(DAYS, WAVE, header="date,x\n,°C"),
    "three rows of names": dated(DAYS, WAVE, header="Price,Close\nTicker,AAPL\nDate,"),
    "notes below": dated(DAYS, WAVE) + "\n\nSource: me, and others\n* provisional",
    "a total below": dated(DAYS, WAVE) + "\nTotal,15059.21",
    "总计": dated(DAYS, WAVE, header="日期,数") + "\n总计,15059.21\n",
    "commas at the end": dated(DAYS, [f"{x},," for x in WAVE], header="date,x,,"),
    "commas at the end of the numbers": dated(DAYS, [f"{x},," for x in WAVE]),
    "blank lines": "\n\n" + dated(DAYS, WAVE).replace("\n", "\n\n") + "\n\n\n",
    "old Mac": dated(DAYS, WAVE).replace("\n", "\r"),
    "Windows": dated(DAYS, WAVE).replace("\n", "\r\n"),
    "no header": dated(DAYS, WAVE).partition("\n")[2],
    "quotes": dated(DAYS, [f'"{x}"' for x in WAVE], header='"date","x"'),
    "words with breaks": dated(DAYS, [f'{x},"two\nlines"' for x in WAVE], header="date,x,note"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_numbers_are_found_in_files_of_every_shape(shape: str) -> None:
    usable = read(SHAPES[shape])[2]
    same(usable, WAVE)
    assert ("footer" in keys(usable)) == (shape in ("notes below", "a total below", "总计"))


def test_the_shape_of_the_temperatures_of_nasa() -> None:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    rows = [
        ",".join([str(1880 + n), *("***" if n % 20 == 19 else f"{WAVE[n] / 50 + m / 10:.2f}" for m in range(18))])
        for n in range(146)
    ]
    header = ",".join(["Year", *months, "J-D", "D-N", "DJF", "MAM", "JJA", "SON"])
    sheet, choice, usable = read("\n".join(["Land-Ocean: Global Means", header, *rows]))
    assert sheet.columns[choice.column].name == "Jan" and usable.gaps == 7
    clean = pd.read_csv(io.StringIO("\n".join([header, *rows])), na_values="***")["Jan"].interpolate()
    same(usable, clean)


def test_the_shape_of_the_carbon_dioxide_of_noaa() -> None:
    rows = [
        f"  {1958 + (n + 2) // 12}  {(n + 2) % 12 + 1:2d}   {1958 + (n + 2.5) / 12:.4f}   {WAVE[n] + 300:.2f}"
        f"   {314 + n / 10:.2f}   -1   -9.99  -0.99"
        for n in range(300)
    ]
    head = [*(f"# comment {n}, with; signs" for n in range(38)), "#     decimal  monthly  de-season  #days", "#"]
    usable = read("\n".join([*head, *rows]))[2]
    clean = pd.read_csv(io.StringIO("\n".join(rows)), sep=r"\s+", header=None)[3]
    same(usable, clean)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("1990,1991,1992", [f"{x},{x + 1},{x + 2}" for x in WAVE]),
        ("0,1,2", [f"{x},{x + 1},{x + 2}" for x in WAVE]),
        (",0", [f"{n},{x}" for n, x in enumerate(WAVE)]),
        ("date,1990,1991", [f"{day:%Y-%m-%d},{x},{x + 1}" for day, x in zip(DAYS, WAVE, strict=True)]),
        ("1990", [str(x) for x in WAVE]),
    ],
)
def test_years_and_counts_above_numbers_are_names(header: str, cells: list[str]) -> None:
    same(read(lines(header, *cells))[2], WAVE)


def test_a_first_number_is_no_name() -> None:
    for first in ("1", "0", "60"):
        same(read(lines(first, *map(str, WAVE)))[2], [float(first), *WAVE])


def test_distances_are_told_and_numbers_left_as_they_are() -> None:
    cases = {
        "business": pd.bdate_range("2020-01-01", periods=300),
        "business_missing": pd.bdate_range("2020-01-01", periods=320).delete(range(20, 40)),
        "holes": pd.date_range("2020-01-01", periods=310).delete(range(20, 30)),
        "uneven": pd.DatetimeIndex(np.sort(DAYS + pd.to_timedelta([n * n % 97 for n in range(300)], unit="min"))),
        "twice": DAYS[[*range(5), 4, *range(5, 299)]],
    }
    for key, days in cases.items():
        usable = read(dated(days, WAVE, form="%Y-%m-%d %H:%M"))[2]
        same(usable, WAVE)
        assert keys(usable) == ["from", key]
    for days in (MONTHS, MONTHS + pd.offsets.MonthEnd(), pd.date_range("1700-01-01", periods=150, freq="YS")):
        assert keys(read(dated(days, WAVE))[2]) == ["from"]


def test_how_ambiguous_dates_were_read_is_told_and_can_be_chosen() -> None:
    text = dated(MONTHS, WAVE, form="%d/%m/%Y")
    sheet, _, usable = read(text)
    [note] = [note for note in usable.notes if note.key == "order"]
    assert note.named == {"cell": "01/02/2000", "when": "2000-02-01"}
    assert reading.distinct(sheet.clocks[0]) == ["dmy", "mdy"]
    american = dated(MONTHS, WAVE, form="%m/%d/%Y")
    [note] = [note for note in read(american)[2].notes if note.key == "order"]
    assert note.named == {"cell": "02/01/2000", "when": "2000-02-01"}
    turned = read(text, order="mdy")[2]
    expected = pd.to_datetime(pd.Series([f"{month:%d/%m/%Y}" for month in MONTHS]), format="%m/%d/%Y").to_numpy()
    same(turned, np.array(WAVE[:150])[np.argsort(expected, kind="stable")])
    assert "order" not in keys(read(dated(DAYS, WAVE, form="%d/%m/%Y"))[2])  # the 13th of a month shows it


@pytest.mark.parametrize(("first", "last"), [(1949, 1973), (1960, 1984), (1999, 2023), (2019, 2043)])
def test_years_of_two_digits_belong_to_the_century_that_keeps_them_together(first: int, last: int) -> None:
    months = pd.date_range(f"{first}-01-01", periods=300, freq="MS")
    _, _, usable = read(dated(months, WAVE, form="%d/%m/%y", mark=";"))
    same(usable, WAVE)
    assert usable.notes[0].named["first"] == f"{first}-01-01" and usable.notes[0].named["last"] == f"{last}-12-01"


def test_a_row_without_a_time_is_named() -> None:
    for cell in ("2020-02-31", "", "soon"):
        rows = [
            f"{cell if n == 9 else day.strftime('%Y-%m-%d')},{x}"
            for n, (day, x) in enumerate(zip(DAYS, WAVE, strict=True))
        ]
        refusal = refused(lines("date,x", *rows))
        assert refusal.why == "clockless" and refusal.named["row"] == 11 and refusal.named["column"] == "date"


def test_a_column_called_date_that_is_not_understood_is_named() -> None:
    usable = read(dated(DAYS, WAVE, form="%d of the %m. %Y"))[2]
    same(usable, WAVE)
    assert [note.named["column"] for note in usable.notes if note.key == "undated"] == ["date"]


# --- what cannot be read ---


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n\n", "empty"),
        (b"PK\x03\x04\x14\x00\x06\x00", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "workbook"),
        (b"\x1f\x8b\x08\x00" + bytes(50), "packed"),
        (bytes(range(256)) * 4, "binary"),
        (b"\x89PNG\r\n\x1a\n\xff\xd8", "binary"),
        (b"%PDF-1.7\n1\n2\n", "binary"),
        (b"<html><body>no</body></html>", "markup"),
        (b'<?xml version="1.0"?><a>1</a>', "markup"),
        (b'[{"date": "2020-01-01", "x": 5}]', "json"),
        (b"__import__('os').system('true')", "not_csv"),
        (lines("a,b", *["x,y"] * 50), "not_csv"),
        (lines("a,b", *["1,2,3"] * 50), "ragged"),
        (lines("a,b,c", *["5,1.5"] * 50), "ragged"),
        (lines("a,b", *["1,2.5"] * 50, "1,2,3", *["1,2.5"] * 50), "ragged"),
        (lines("date,x", *(f"{day:%Y-%m-%d},{1000 * x:,.2f}" for day, x in zip(DAYS, WAVE, strict=True))), "ragged"),
        (",".join(f"{n}.5" for n in range(100)).encode(), "too_wide"),
        (lines(",".join(f"c{n}" for n in range(65)), *[",".join(["1.5"] * 65)] * 200), "too_wide"),
        (
            lines(
                "Country,Code," + ",".join(map(str, range(1960, 2021))),
                *[f"A{n},B," + ",".join(f"{n + m}.5" for m in range(61)) for n in range(200)],
            ),
            "wide",
        ),
        (
            lines(
                "a,b," + ",".join(f"{d.month}/{d.day}/{d:%y}" for d in DAYS),
                *[f"A{n},," + ",".join(f"{n + m}" for m in range(300)) for n in range(200)],
            ),
            "wide",
        ),
        (b'a\n"1\n2\n' + b"3" * 200_000, "quote"),
        (
            lines("date,x", *(f"{day:%Y-%m-%d},{chr(34) if n == 100 else ''}{n}.5" for n, day in enumerate(DAYS))),
            "quote",
        ),
        (
            lines(
                "date,x", *(f"{day:%Y-%m-%d},{chr(34) if n in (100, 200) else ''}{n}.5" for n, day in enumerate(DAYS))
            ),
            "quote",
        ),
        (lines(*(f"{5 + n * n % 7},{n % 10}" for n in range(300))), "one_or_two"),
        (b"1\n" * 100_002, "too_long"),
        (b"1\n" * 2**21, "large"),
        (b"\n" * 400_000 + b"1\n2\n", "too_long"),
    ],
)
def test_files_that_cannot_be_read_say_why(data: bytes, why: str) -> None:
    with pytest.raises(reading.Refused) as error:
        reading.read(data)
    assert error.value.why == why
    for language in ("en", "zh"):
        assert words("time_series", language).format(f"refused.{why}", **error.value.named)


def test_the_line_of_what_is_wrong_is_that_of_the_file() -> None:
    rows = [f'{day:%Y-%m-%d},"{n}.5' if n == 100 else f"{day:%Y-%m-%d},{n}.5" for n, day in enumerate(DAYS)]
    assert refused("# one\n# two\n\n" + "\n".join(["date,x", *rows])).named["row"] == 105


def test_a_refused_column_that_is_kept_keeps_nothing_of_where_it_was_refused() -> None:
    """An exception that is raised again grows by every place it passes, with all that stands there."""
    column = reading.column("x", [*map(str, WAVE), "high"])
    for _ in range(3):
        with pytest.raises(reading.Refused):
            reading.of_column(column, LEAST)
    assert column.problem is not None and column.problem.__traceback__ is None


def numbers(count: int) -> list[str]:
    return [str(value % 17 + 0.5) for value in range(count)]


@pytest.mark.parametrize(
    ("cells", "why", "named"),
    [
        ([*numbers(300), "high", "1,5"], "wrong", {"count": 2, "row": 301, "cell": "high"}),
        ([*numbers(300), "inf"], "wrong", {"count": 1}),
        ([*numbers(300), "1e999"], "wrong", {"count": 1}),
        ([*numbers(300), "1_000"], "wrong", {"count": 1}),
        ([*numbers(300), "0x10"], "wrong", {"count": 1}),
        (numbers(20), "too_short", {"count": 20, "least": 134}),
        (numbers(133), "too_short", {"count": 133, "least": 134}),
        ([""] * 300, "no_numbers", {}),
        ([f"{n}" if n % 2 else "" for n in range(400)], "gaps", {"count": 199, "total": 399}),
        (["3"] * 300, "constant", {}),
        (["3"] * 250 + numbers(50), "constant", {}),
        (["1000000.001", "999999.999"] * 150, "little", {"low": "999999.999", "high": "1000000.001"}),
        ([f"{1e9 + n % 7}" for n in range(300)], "little", {}),
        ([*numbers(300), "1e30"], "huge", {}),
        (["1,234", "5,678"] * 150, "thousands", {"cell": "1,234"}),
    ],
)
def test_columns_that_cannot_be_forecast_say_why(cells: list[str], why: str, named: dict) -> None:
    column = reading.column("<b>*x*</b>", cells)
    with pytest.raises(reading.Refused) as error:
        reading.of_column(column, LEAST)
    assert error.value.why == why and named.items() <= error.value.named.items()
    for language in ("en", "zh"):
        sentence = words("time_series", language).format(f"refused.{why}", **error.value.named)
        assert "` <b>*x*</b> `" in sentence  # inert in Markdown


def test_134_rows_are_enough_for_a_look_back_of_24_and_494_for_96() -> None:
    assert (least(24), least(96)) == (134, 494)
    same(read(lines("x", *map(str, WAVE[:134])))[2], WAVE[:134])


def test_gaps_are_filled_by_straight_lines_and_old_numbers_left_out() -> None:
    cells = ["", "NA", "1", "", "n/a", "4", *numbers(5000), ""]
    usable = read(lines("x", *cells), 100)[2]
    assert (len(usable.values), usable.gaps, usable.dropped) == (4000, 0, 5004 - 4000)
    assert usable.values[-1] == float(numbers(5000)[-1])
    short = reading.of_column(reading.column("x", cells[:400]), 100)
    assert short.values[:4] == (1.0, 2.0, 3.0, 4.0) and short.gaps == 2


def test_separators_decimal_commas_encodings_and_names() -> None:
    rows = [f"2020-01-{day:02};{day % 7},5;{day}" for day in range(1, 31)]
    sheet = reading.read(lines("日期;温度;温度", *rows).decode().encode("gb18030"))
    assert [column.name for column in sheet.columns] == ["日期", "温度", "温度 (2)"]
    assert sheet.columns[1].numbers[:2].tolist() == [1.5, 2.5]
    assert sheet.likely() == 1  # not the dates, and not what only counts the rows
    bare = reading.read("\n".join(f"{n}\t{n * n}" for n in range(30)).encode("utf-16"))
    assert [column.name for column in bare.columns] == ["#1", "#2"] and bare.likely() == 1
    assert len(bare.columns[0].numbers) == 30
    [quoted] = reading.read(b'"a, b"\n"1.5"\n2e3\n-.5\n').columns
    assert quoted.name == "a, b" and quoted.numbers.tolist() == [1.5, 2000.0, -0.5]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "gbk"]
)
def test_every_encoding_of_a_spreadsheet_is_read(encoding: str) -> None:
    text = dated(DAYS[::-1], [f"{x}元" for x in WAVE[::-1]], header="日期,收盘价")
    sheet, choice, usable = read(text.encode(encoding))
    assert [column.name for column in sheet.columns] == ["日期", "收盘价"] and choice.column == 1
    same(usable, WAVE)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8"])
def test_western_signs_are_read_in_every_encoding(encoding: str) -> None:
    cells = [f"£{1000 * x:,.2f}".replace(",", "\u00a0") for x in WAVE]
    same(read(dated(DAYS, cells, header="Größe;été", mark=";").encode(encoding))[2], [1000 * x for x in WAVE])


def test_blank_lines_before_the_first_number_cost_next_to_nothing() -> None:
    began = time.thread_time()
    [column] = reading.read(b"\n" * 99_000 + b"1\n" * 300).columns
    assert len(column.known) == 300
    assert time.thread_time() - began < 1.5  # deleting them one by one is quadratic


@pytest.mark.parametrize(
    "data",
    [
        b"," * 2_000_000,
        b"1," * 1_000_000,
        b"(" * 2_000_000,
        b'"' * 2_000_000,
        b"1" * 2_000_000,
        lines("date,x", *["2020-01-01 00:00:00 am pm," + "1," * 30] * 20_000),
        lines("x", *["9,999" * 12] * 30_000),
        lines("x", *["- - - - - - - - - - - -"] * 40_000),
        lines(*["a1 b2 c3 d4 e5 f6 g7 h8"] * 40_000),
        lines(*[",".join(f"n{n}.{m}" for m in range(60)) for n in range(4000)]),
        lines(",".join(["name"] * 4990), *[",".join(["1"] * 4990)] * 150),
        lines("x", *["(" + GAP] * 34_000),
    ],
    ids=range(12),
)
def test_hostile_files_are_refused_or_read_in_seconds(data: bytes) -> None:
    began = time.thread_time()
    with suppress(reading.Refused, AssertionError):
        read(data[: 2 * 2**20])
    assert time.thread_time() - began < 20


@pytest.mark.parametrize("cell", [f"({GAP}x", f"${GAP}x", f"1{GAP}(", "1" + "a " * 29 + "("])
def test_no_cell_is_looked_at_for_long(cell: str) -> None:
    began = time.thread_time()
    for _ in range(40):
        assert spelled(cell) is None and not typed(cell)
    assert time.thread_time() - began < 0.4  # a file may have thirty thousand of them


def test_a_sheet_keeps_numbers_and_no_cells() -> None:
    data = lines(
        "date,x,note",
        *(
            f"{at:%Y-%m-%d %H:%M},{at.minute}.5,{'words ' * 9}"
            for at in pd.date_range("2020-01-01", periods=20_000, freq="min")
        ),
    )
    reading.read(data)
    tracemalloc.start()
    sheet = reading.read(data)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(sheet.columns) == 3 and held < 2 * len(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-01-01;1,5\n2020-01-02;2,5", [1.5, 2.5]),
        ("t;x\n01.02.2020;1,5\n02.02.2020;2,25", [1.5, 2.25]),
        ("a\t1,5\nb\t2,5", [1.5, 2.5]),
        ('"a;b",1.5\n"c;d",2.5', [1.5, 2.5]),
        ("a; b,1.5\nc,2.5\nd,3.5", [1.5, 2.5, 3.5]),
        ("a;0,125\nb;1,234", [0.125, 1.234]),  # the first shows that the comma is a point
    ],
)
def test_the_delimiter_is_what_separates_alike_in_every_row(text: str, expected: list[float]) -> None:
    sheet = reading.read(text.encode())
    at = sheet.likely()
    assert at is not None and sheet.columns[at].numbers.tolist() == expected


@pytest.mark.parametrize("name", ["Größe °C", "Température", "Año", "naïve ß"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_names_from_western_spreadsheets_are_read_as_they_were_written(name: str, encoding: str) -> None:
    assert reading.read(f"t;{name}\na;1,5\nb;2,5".encode(encoding)).columns[1].name == name


@pytest.mark.parametrize("name", ["温度", "气温（摄氏度）", "销售额", "日期"])
def test_names_from_chinese_spreadsheets_are_read_as_they_were_written(name: str) -> None:
    assert reading.read(f"t,{name}\na,1.5\nb,2.5".encode("gb18030")).columns[1].name == name


# --- any file ---

DATES = ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y", "%Y%m%d", "%d %b %Y", "%B %d %Y", "%Y/%m/%d %H:%M", "%s"]
PLACES = st.integers(0, 3)


@st.composite
def files(draw) -> tuple[bytes, list[float]]:
    """A known series in any spelling, separator, order and shape."""
    places = draw(PLACES)
    seed = draw(st.integers(0, 999))
    rng = np.random.default_rng(seed)
    size = 10 ** draw(st.integers(0, 6))
    values = np.round(rng.normal(draw(st.sampled_from([0, 5])), 1, 140) * size, places).tolist()
    group, point = draw(
        st.sampled_from([("", "."), ("", ","), (",", "."), (".", ","), (" ", ","), ("'", "."), ("\u202f", ",")])
    )
    minus, money = draw(st.sampled_from("-−")), draw(st.sampled_from(["{}", "${}", "{} €", "{}元", "{} kg", "({})"]))
    if money == "({})":  # accounting
        minus, money = "", "{}"
        spell = [f"({abs(x):,.{places}f})" if x < 0 else f"{x:,.{places}f}" for x in values]
    else:
        spell = [f"{x:,.{places}f}".replace("-", minus) for x in values]
    spell = [money.format(cell.translate(str.maketrans({",": group, ".": point}))) for cell in spell]
    days = pd.date_range(
        pd.Timestamp(
            draw(st.dates(min_value=pd.Timestamp("1975-01-01").date(), max_value=pd.Timestamp("2035-01-01").date()))
        ),
        periods=140,
        freq=draw(st.sampled_from(["D", "MS", "W"])),
    )
    form = draw(st.sampled_from(DATES))
    times = [str(int(day.timestamp())) if form == "%s" else day.strftime(form) for day in days]
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    rows = [f'"{when}"{separator}"{cell}"' for when, cell in zip(times, spell, strict=True)]
    order = draw(st.sampled_from(["forward", "backward", "shuffled"]))
    rows = (
        rows[::-1]
        if order == "backward"
        else [rows[at] for at in rng.permutation(140)]
        if order == "shuffled"
        else rows
    )
    above = draw(st.sampled_from(["", "# made\n", "My numbers\n", "\n"])) if separator != "," else ""
    text = "\n".join([f"{above}date{separator}amount", *rows])
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))), values


@settings(max_examples=150)
@given(files())
def test_a_known_series_in_any_spelling_is_read_as_it_is_or_refused_by_name(file: tuple[bytes, list[float]]) -> None:
    data, values = file
    try:
        _, _, usable = read(data)
    except reading.Refused as error:
        assert error.why in ("thousands", "constant", "little", "stacked")
        return
    if "order" not in keys(usable):
        same(usable, values)


@settings(max_examples=150)
@given(st.text(alphabet="0123456789.,;|\t\n\r \"'-−()$%KMe#年月日/:aDate", max_size=400) | st.binary(max_size=300))
def test_any_text_is_read_or_refused(content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    try:
        sheet = reading.read(data)
    except reading.Refused as error:
        assert words("time_series", "en").format(f"refused.{error.why}", **error.named)
        return
    for column in range(len(sheet.columns)):
        for clock in (None, *range(len(sheet.clocks))):
            series = 0 if sheet.apart else None
            try:
                usable = reading.usable(sheet, Choice(column=column, clock=clock, series=series), 2)
            except reading.Refused as error:
                assert words("time_series", "en").format(f"refused.{error.why}", **error.named)
            else:
                for language in ("en", "zh"):
                    assert all(words("time_series", language).format(f"note.{n.key}", **n.named) for n in usable.notes)


@pytest.mark.parametrize("separator", ["，", "；"])
def test_signs_of_a_chinese_keyboard_separate_too(separator: str) -> None:
    values = [round(5 + math.sin(at), 3) for at in range(200)]
    rows = [f"2024-{1 + at // 28:02}-{1 + at % 28:02}{separator}{value}" for at, value in enumerate(values)]
    sheet = reading.read("\n".join([f"日期{separator}数量", *rows]).encode())
    assert [column.name for column in sheet.columns][sheet.likely() or 0] == "数量"
    choice = reading.Choice(column=sheet.likely() or 0, clock=0, series=None, order=None, comma=None)
    assert_close(list(reading.usable(sheet, choice, 134).values), values)
