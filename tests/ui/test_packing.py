"""Long values of a link: short in the address, whole on the other side, bounded, refused where they were cut off."""

import random
import zlib
from base64 import urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.controls import MAX_CHARS
from ui.packing import LARGEST, LONG, MARK, packed, readable, unpacked

ADDRESS = 2**16  # bytes of a request line that servers and our nginx take


def drawn(low: int, high: int, count: int) -> str:
    source = random.Random(7)
    return "".join(chr(source.randint(low, high)) for _ in range(count))


LONG_TEXTS = {
    "one sentence again and again": "The law will never be perfect. " * 200,
    "Chinese": drawn(0x4E00, 0x9FFF, MAX_CHARS),
    "emoji": drawn(0x1F300, 0x1F64F, MAX_CHARS),
    "ideographs beyond the first plane": drawn(0x20000, 0x2A6DF, MAX_CHARS),
    "Latin letters at random": drawn(0x61, 0x7A, MAX_CHARS),
    "signs that an address spells in three bytes": "&=%+#?" * 600,
}


@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS)
def test_two_of_the_longest_sentences_leave_room_in_an_address(text):
    spelled = packed(text)
    assert unpacked(spelled) == text
    assert spelled.isascii() and 2 * len(quote(spelled)) < ADDRESS / 1.2


@pytest.mark.parametrize("text", ["", "Thinking Machines", "自然语言" * 27, "a" * LONG, "~", "z", "~ z"])
def test_what_is_short_stands_as_it_is(text):
    assert packed(text) == text == unpacked(text)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=300))
def test_whatever_a_value_is_it_comes_back(text):
    for value in (text, MARK + text, text * 20):
        assert unpacked(packed(value)) == value and readable(packed(value))


def spelled(data: bytes) -> str:
    return MARK + urlsafe_b64encode(data).decode().rstrip("=")


WHOLE = packed(LONG_TEXTS["Chinese"])
BROKEN = {
    "cut in the middle": WHOLE[: len(WHOLE) // 2],
    "cut by one letter": WHOLE[:-1],
    "the mark alone": MARK,
    "a letter changed": WHOLE[:99] + ("A" if WHOLE[99] != "A" else "B") + WHOLE[100:],
    "signs of another alphabet": WHOLE[:50] + "!*" + WHOLE[50:],
    "no deflated bytes": spelled(b"Thinking Machines"),
    "no UTF-8": spelled(zlib.compress(b"\xff\xfe\xff")),
    "more behind the end": spelled(zlib.compress(b"law") + b"more"),
    "one byte too large": spelled(zlib.compress(b"a" * (LARGEST + 1))),
    "a bomb of 256 MB": spelled(zlib.compress(b"\0" * 2**28, 9)),
}


@pytest.mark.parametrize("value", BROKEN.values(), ids=BROKEN)
def test_what_was_cut_off_or_forged_is_refused(value):
    with pytest.raises(ValueError):
        unpacked(value)
    assert not readable(value)


def test_a_bomb_is_not_unpacked_further_than_the_limit():
    import tracemalloc

    bomb = BROKEN["a bomb of 256 MB"]
    tracemalloc.start()
    readable(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * LARGEST + 8 * len(bomb)
