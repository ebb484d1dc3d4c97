"""Where a formula comes from: its paper and its place there, in the reader's language."""

import re
from functools import partial

from ui.text import Words

PLACES = {  # how the table says where in a paper a formula stands
    "section": r"section ([\d.]+)",
    "to": r"equations (\d+) to (\d+)",
    "and": r"equations (\d+) and (\d+)",
    "one": r"equation (\d+)",
    "others": r"\b(et al\.)",
    "with": r", with (\w+)",
}


def cited(reference: str, common: Words) -> str:
    """The reference in the reader's language, its address as a link; Markdown."""

    def translated(kind: str, place: re.Match[str]) -> str:
        return common[f"cite.{kind}"].format(*place.groups())

    for kind, pattern in PLACES.items():
        reference = re.sub(pattern, partial(translated, kind), reference)
    reference = re.sub(r"evanmiller\.org\S+", r"[evanmiller.org](https://www.\g<0>)", reference)
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", reference)
