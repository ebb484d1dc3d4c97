"""Long values in a link: deflated and spelled in letters, so that the address stays below what servers and proxies take
(64 KB); as it stands, a Chinese character costs nine bytes of an address.
"""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import quote

MARK = "~z"  # begins a packed value
LONG = 1000  # bytes of an address from which a value is packed
LARGEST = 2**18  # bytes a packed value may unpack to: 65,000 characters of the widest kind


def packed(spelling: str) -> str:
    """The value as the link says it: as it stands, or packed where it is long, or begins as if it were packed."""
    if not spelling.startswith(MARK) and len(quote(spelling, errors="replace")) <= LONG:
        return spelling
    data = zlib.compress(spelling.encode("utf-8", "replace"), 9)
    return MARK + urlsafe_b64encode(data).decode("ascii").rstrip("=")


def unpacked(spelling: str) -> str:
    """The value that a link says. Raises ValueError where it is packed and not whole, or too large."""
    if not spelling.startswith(MARK):
        return spelling
    letters = spelling.removeprefix(MARK)
    try:
        # what is no letter of the alphabet is refused: Python would skip it
        data = urlsafe_b64decode(letters + "=" * (-len(letters) % 4)) if _plain(letters) else b""
        reader = zlib.decompressobj()
        text = reader.decompress(data, LARGEST)
    except zlib.error as error:
        raise ValueError("a packed value of the link is damaged") from error
    if not reader.eof or reader.unused_data:
        raise ValueError("a packed value of the link is cut off, or too large")
    return text.decode("utf-8")


def readable(spelling: str) -> bool:
    """Whether it can be unpacked."""
    try:
        unpacked(spelling)
    except ValueError:
        return False
    return True


def _plain(letters: str) -> bool:
    return letters.isascii() and letters.replace("-", "").replace("_", "").isalnum()
