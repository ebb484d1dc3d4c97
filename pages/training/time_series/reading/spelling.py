"""One cell → what it spells: sign, digits, currency, unit. What its commas and points mean is for the column to say."""

import re
from dataclasses import dataclass

LONGEST = 60  # letters of a cell that may be a number
SIGNS = str.maketrans(
    dict.fromkeys("\u2212\u2013\u2010\u2011\ufe63", "-")
    | dict.fromkeys("\u00a0\u2007\u2008\u2009\u202f\u3000\t", " ")
    | dict.fromkeys("\u2019\u2018\u02bc", "'")
    | {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # the wide forms of ASCII
    | {"\uffe5": "\u00a5", "\uffe1": "\u00a3"}
)
GAPS = frozenset(
    [
        *("na", "n/a", "n.a.", "n.a", "nan", "null", "none", "nil", "nat", "missing", "unknown", "<na>", "\\n"),
        *("#n/a", "#na", "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"),
        *("无", "缺失", "缺测", "暂无", "空", "未知"),
    ]
)
MONEY = r"(?:(?:US|A|AU|C|CA|HK|NZ|NT|MX|R|S)?[$]|[€£¥₹₩₽₺฿]|USD|EUR|GBP|JPY|CNY|RMB|CHF|HKD|INR)"
MONEY_AFTER = r"(?:" + MONEY + r"|元|人民币|円|圆|美元|欧元|港元|kr\.?|zł|Kč|Ft)"
DASHES = re.compile(rf"{MONEY}?\s*[-*.?_:/—…]*")  # *** and .. and — are gaps, too
CELL = re.compile(  # white space is taken whole: where it stood at several places, a long gap would take a second
    rf"(?P<lead>{MONEY}(?=\s*\())?\s*+(?P<open>\()?\s*+(?P<sign>[+-])?\s*+(?P<before>{MONEY})?\s*+(?P<inner>[+-])?\s*+"
    r"(?P<digits>[.,]?\d(?:[\d.,' ]*\d)?[.]?)(?P<power>[eE][+-]?\d{1,3})?"
    r"\s*+(?P<after>[^\d\s.,'()+\-;|:¹²³⁰-⁹¼-¾⅐-⅞][^\d();|:]*?(?:m[23])?)?\s*+(?P<minus>-)?\s*+(?P<close>\))?",
    re.ASCII,
)
AFTER = re.compile(rf"(?P<unit>.*?)\s*(?P<money>{MONEY_AFTER})?")
TIMES = (
    dict.fromkeys(("K", "k", "Tsd", "Tsd.", "thousand", "千"), 1e3)
    | dict.fromkeys(("M", "mn", "mln", "Mio", "Mio.", "million", "百万"), 1e6)
    | dict.fromkeys(("B", "bn", "Bn", "Mrd", "Mrd.", "billion", "十亿"), 1e9)
    | dict.fromkeys(("T", "tn", "trillion", "万亿", "萬億", "兆"), 1e12)
    | {"万": 1e4, "萬": 1e4, "千万": 1e7, "亿": 1e8, "億": 1e8, "lakh": 1e5, "crore": 1e7}
)
PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
SWAP = str.maketrans(",.", ".,")
POINT = re.compile(
    r"(?:\d+|[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d{2})+,\d{3}|[1-9]\d{0,2}(?: \d{3})+|[1-9]\d{0,2}(?:'\d{3})+)?"
    r"(?:\.\d*)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Spelled:
    """What stands in a cell; `times` is what its suffix multiplies by: 1.2M is 1.2 times 10⁶."""

    sign: int
    digits: str  # with their commas and points
    power: str
    times: float
    unit: str
    money: str

    def value(self, *, comma: bool) -> float | None:
        """The number, where the comma (or else the point) is the decimal mark; None where it cannot be."""
        digits = self.digits.translate(SWAP) if comma else self.digits
        if not POINT.fullmatch(digits):
            return None
        plain = "".join(letter for letter in digits if letter not in ", '")
        return self.sign * float(plain + self.power) * self.times


def tidy(cell: str) -> str:
    """A cell with one kind of minus, space and apostrophe, without white space around it."""
    return cell.translate(SIGNS).strip()


def gap(cell: str) -> bool:
    """Whether a tidy cell says that there is no number."""
    return len(cell) <= LONGEST and (DASHES.fullmatch(cell) is not None or cell.lower() in GAPS)


def spelled(cell: str) -> Spelled | None:
    """What a tidy cell spells, if it is a number."""
    parts = CELL.fullmatch(cell) if len(cell) <= LONGEST else None
    if parts is None or bool(parts["open"]) != bool(parts["close"]):
        return None
    signs = [mark for mark in (parts["sign"], parts["inner"], parts["minus"], parts["open"]) if mark]
    after = AFTER.fullmatch(parts["after"] or "")
    money = [name for name in (parts["lead"], parts["before"], after and after["money"]) if name]
    if after is None or len(signs) > 1 or len(money) > 1:
        return None
    unit = after["unit"]
    number = Spelled(
        sign=-1 if signs and signs != ["+"] else 1,
        digits=parts["digits"],
        power=parts["power"] or "",
        times=TIMES.get(unit, 1.0),
        unit="" if unit in TIMES else unit,
        money="".join(money),
    )
    return number if any(number.value(comma=comma) is not None for comma in (False, True)) else None
