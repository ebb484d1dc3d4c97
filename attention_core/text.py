r"""Text to tokens to vectors, without a trained tokenizer: whatever a visitor types, nothing here raises.

What a reader counts as one character is UAX #29's grapheme cluster. Words follow two rules of our own: scripts written
without spaces are cut only at Han ideographs (a run of kana, Thai or Khmer is one word); hyphens separate, apostrophes
inside a word do not.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import regex
import torch
from jaxtyping import Float
from torch import Tensor

CLUSTER = regex.compile(r"\s|\X")  # white space by itself, also where an accent follows it
# Controls that are not white space, surrogates, noncharacters and the invisible part of category Cf: bidirectional
# controls and overrides, zero-width space, soft hyphen, byte-order mark, tags. Visible Arabic signs of Cf stay.
INVISIBLE = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff"
    r"\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
    + "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(1, 17))
)
# Tags mean something in one place only: the flags of England, Scotland and Wales.
DROPPED = re.compile(rf"(\U0001f3f4[\U000e0061-\U000e007a]+\U000e007f)|[{INVISIBLE}]")
# A joiner joins two visible characters; anywhere else it is invisible text.
STRAY_JOINERS = re.compile(r"(?<!\S)[\u200c\u200d]+|[\u200c\u200d]+(?!\S)|(?<=[\u200c\u200d])[\u200c\u200d]+")
# Marks without a letter, joiners between them, and signs that are white: nobody sees a text of these alone.
BLANK = regex.compile(r"[\p{M}\s\u200c\u200d\u115f\u1160\u3164\uffa0\u2800]*")
APOSTROPHES = "'\u2019"
HAN = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`text` fit to show, how many characters were cut off at the limit, and how many invisible ones were removed."""

    text: str
    cut: int
    removed: int


def clean(text: str, max_chars: int) -> Cleaned:
    """NFC, single spaces, nothing invisible, at most `max_chars` characters; never cut inside an emoji or an accent.

    Removes control characters, lone surrogates, bidirectional controls, zero-width characters and noncharacters. Keeps
    right-to-left letters, accents, and joiners between visible characters (emoji families, Persian, Hindi); of accents
    without any letter nothing is left. Cleaning twice changes nothing. Raises ValueError for a limit below 1.
    """
    if max_chars < 1:
        raise ValueError(f"the limit must be at least 1 character, not {max_chars}")
    visible = DROPPED.sub(lambda match: match[1] or "", text)
    joined = STRAY_JOINERS.sub("", visible)
    single = _seen(" ".join(unicodedata.normalize("NFC", joined).split()))
    kept = single if len(single) <= max_chars else _seen(_cut(single, max_chars))
    return Cleaned(kept, cut=len(single) - len(kept), removed=len(text) - len(joined))


def clusters(text: str) -> list[str]:
    """What a reader counts as one character each, white space by itself."""
    return CLUSTER.findall(text)


def words(text: str) -> tuple[str, ...]:
    """Words, numbers, punctuation marks, Han ideographs and emoji, in order; joined they are the text without spaces.

    A family, flag or skin-toned emoji is one token, so is a letter with its accents; `don't` and `3.14` are one each.
    """
    tokens: list[list[str]] = []
    open_word = False  # whether the next letter continues the last token
    signs = clusters(text)
    for index, cluster in enumerate(signs):
        following = signs[index + 1] if index + 1 < len(signs) else " "
        if cluster.isspace():
            open_word = False
        elif open_word and (_is_wordlike(cluster) or _joins(signs[index - 1], cluster, following)):
            tokens[-1].append(cluster)
        else:
            tokens.append([cluster])
            open_word = _is_wordlike(cluster)
    return tuple("".join(token) for token in tokens)


def is_han(char: str) -> bool:
    """Whether it is a Han ideograph."""
    return any(first <= ord(char) <= last for first, last in HAN)


def digest_embedding(tokens: Sequence[str], d_model: int, seed: int) -> Float[Tensor, "n d_model"]:
    """One N(0, 1) vector per token, drawn from a BLAKE2b hash of (seed, token), float32: the same in every process.

    The same token has the same vector at every position, and the first columns of a wider draw are the same numbers.
    The uniform bits are NumPy's Philox counter (a stream NumPy keeps fixed), mapped through the inverse normal CDF.
    """
    draws = np.array([_uniform(token, d_model, seed) for token in tokens]).reshape(len(tokens), d_model)
    return torch.special.ndtri(torch.from_numpy(draws)).float()


def _uniform(token: str, count: int, seed: int) -> np.ndarray:
    """`count` float64 numbers strictly between 0 and 1."""
    message = f"{seed}:{token}".encode("utf-8", "surrogatepass")
    key = int.from_bytes(blake2b(message, digest_size=16).digest(), "little")
    bits = np.random.Philox(key=key).random_raw(count) >> np.uint64(12)
    return (bits + 0.5) * 2.0**-52


def _seen(text: str) -> str:
    """The text, or nothing where a reader would see nothing."""
    return "" if BLANK.fullmatch(text) else text


def _cut(text: str, limit: int) -> str:
    """The longest beginning of whole clusters within the limit; a cluster longer than the limit is cut."""
    length = 0
    for cluster in clusters(text):
        if length + len(cluster) > limit:
            break
        length += len(cluster)
    return text[: length or limit].rstrip(" \u200c\u200d")


def _is_wordlike(cluster: str) -> bool:
    """Letters, digits and connectors that run on into one token: no ideograph, no keycap emoji."""
    category = unicodedata.category(cluster[0])
    runs_on = category[0] in "LN" or category == "Pc"
    return runs_on and not is_han(cluster[0]) and "\u20e3" not in cluster


def _joins(before: str, mark: str, after: str) -> bool:
    """An apostrophe between letters, a point or comma between digits."""
    if mark in APOSTROPHES:
        return before[0].isalpha() and after[0].isalpha() and not is_han(after[0])
    return mark in ".," and before[0].isdecimal() and after[0].isdecimal()
