"""Bytes → text, or what the file is instead of text."""

import re

from pages.training.time_series.reading.refused import Refused

BEGINNINGS = {  # what a file that is no text begins with → the sentence that says so
    b"PK\x03\x04": "workbook",
    b"\xd0\xcf\x11\xe0": "workbook",
    b"\x1f\x8b": "packed",
    b"7z\xbc\xaf": "packed",
    b"Rar!": "packed",
    b"\xfd7zXZ": "packed",
    b"BZh": "packed",
    b"%PDF": "binary",
    b"{\\rtf": "binary",
}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
MARKUP = ("<!doctype", "<html", "<table", "<?xml", "<div", "<body")
MARKS = {b"\xff\xfe\x00\x00": "utf-32", b"\x00\x00\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def decoded(data: bytes) -> str:
    """The text of a file, its lines ended by line feeds. Raises Refused."""
    for beginning, why in BEGINNINGS.items():
        if data.startswith(beginning):
            raise Refused(why)
    text = _text(data, _encodings(data)).replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    start = text[:200].lstrip().lower()
    if start.startswith(MARKUP):
        raise Refused("markup")
    if start.startswith("{") or (start.startswith("[") and start[1:].lstrip().startswith(("{", "["))):
        raise Refused("json")
    return text


def _encodings(data: bytes) -> tuple[str, ...]:
    """What it may be written in, the likeliest first."""
    marked = next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), None)
    if marked:
        return (marked,)
    if b"\0" in data:  # ASCII in two bytes a letter: every other byte is 0
        sample = data[:4000]
        empty = [2 * sample[start::2].count(0) > len(sample[start::2]) for start in (0, 1)]
        return {(True, False): ("utf-16-be",), (False, True): ("utf-16-le",)}.get((empty[0], empty[1]), ())
    return ("utf-8", "gb18030", "cp1252", "latin-1")  # what spreadsheets write in China, and in the West


def _text(data: bytes, encodings: tuple[str, ...]) -> str:
    doubtful: list[str] = []
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if CONTROL.search(text):
            continue
        if encoding == "latin-1" and doubtful:  # what Windows does not write in the West is Chinese after all
            break
        if encoding != "gb18030" or _chinese(text):
            return text
        doubtful.append(text)
    if doubtful:
        return doubtful[0]
    raise Refused("binary")


def _chinese(text: str) -> bool:
    """Whether at least half of what is not ASCII is common: signs or the first level of GB 2312. Western letters that
    are read as Chinese give rare characters.
    """
    foreign = [letter.encode("gb2312", "ignore") for letter in text if ord(letter) > 127]
    common = sum(0xA1 <= code[0] <= 0xA9 or 0xB0 <= code[0] <= 0xD7 for code in foreign if code)
    return 2 * common >= len(foreign)
