"""Pairs of English sentences that say the same in other words, or look alike and do not, from lexicon.toml."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar, get_args

import torch

T = TypeVar("T")

LEXICON = Path(__file__).with_name("lexicon.toml")
# How two sentences relate: a paraphrase, one or two words of another meaning, the same words in other places, another
# pronoun, nothing in common.
PairKind = Literal["same", "word", "order", "who", "unrelated"]
PAIR_KINDS: tuple[PairKind, ...] = get_args(PairKind)
Pair = tuple[str, str, PairKind]
UNMET = ((1,), (2,))  # forms that no training pair sets against each other
FIRST = ("i", "we", "you and me", "you and i", "me and you")
OTHERS = ("you", "he", "she", "they")
BE = {"i": "am", "he": "is", "she": "is"}
TIMES = ("yesterday", "today", "last night", "in the morning", "on monday", "this year", "again")
IRREGULAR = {"saw", "hid", "broke", "took", "threw", "chose"}  # past and participle differ: no passive of these


@dataclass(frozen=True, slots=True)
class Idea:
    """What a sentence says: `who` (quality, person; or a pronoun) did `act` to `what`; without an act, is `what`."""

    who: tuple["Meaning | None", "Meaning"] | str
    act: "Meaning | None"
    what: tuple["Meaning | None", "Meaning"]
    time: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A meaning: which list it stands in, and its words."""

    kind: str
    words: tuple[str, ...]


def lexicon(path: Path = LEXICON) -> dict[str, tuple[Meaning, ...]]:
    """The meanings of lexicon.toml, by list."""
    lists = tomllib.loads(path.read_text(encoding="utf-8"))
    return {kind: tuple(Meaning(kind, tuple(words)) for words in rows) for kind, rows in lists.items()}


def split(meanings: Mapping[str, Sequence[Meaning]], *, held_out: bool) -> dict[str, list[Meaning]]:
    """The last quarter of every list is held out from training."""
    chosen = {}
    for kind, rows in meanings.items():
        trained = len(rows) * 3 // 4
        chosen[kind] = list(rows[trained:] if held_out else rows[:trained])
    return chosen


class Author:
    """Invents ideas, words them in English, and turns them into other ideas that look alike."""

    def __init__(
        self,
        meanings: Mapping[str, Sequence[Meaning]],
        generator: torch.Generator,
        fillers: Sequence[tuple[str, ...]] = (),
        share: float = 0.0,
    ) -> None:
        """A `share` of the meanings it uses are fillers: words of no list."""
        self._meanings = meanings
        self._generator = generator
        self._fillers = fillers
        self._share = share
        self._forms: tuple[int, ...] = (0, 1, 2)

    def pair(self, kind: PairKind | None = None, forms: tuple[tuple[int, ...], tuple[int, ...]] | None = None) -> Pair:
        """Two sentences, and how they differ in meaning. `forms`: which words of a meaning each sentence may use.

        By default both use the first word of each meaning and one other, so that no training pair ever sets the second
        word of a meaning against the third: these pairs of synonyms are held out.
        """
        wanted = kind or ("same" if self._chance(0.5) else PAIR_KINDS[1 + self._below(len(PAIR_KINDS) - 1)])
        both = (0, 1 + self._below(2))
        form_a, form_b = forms or (both, both)
        while True:
            idea = self._idea()
            other = self._turned(idea, wanted)
            if other is not None and (other == idea) == (wanted == "same"):  # two exchanges may undo each other
                return self._sentence(idea, form_a), self._sentence(other, form_b), wanted

    def _turned(self, idea: Idea, kind: PairKind) -> Idea | None:
        match kind:
            case "same":
                return idea
            case "word":
                return self._another_word(idea)
            case "order":
                return _other_way_round(idea)
            case "who":
                return self._somebody_else(idea)
            case _:
                return self._idea()

    def _idea(self) -> Idea:
        time = self._any(TIMES) if self._chance(0.4) else ""
        if self._chance(0.35):  # I am a student; the teacher is happy
            who = self._any((*FIRST[:1] * 3, *OTHERS)) if self._chance(0.6) else self._thing("person")
            kind = "person" if self._chance(0.6) else "quality"
            return Idea(who, None, (None, self._meaning(kind)))
        who = self._any((*FIRST[:1] * 2, *OTHERS)) if self._chance(0.25) else self._thing("person")
        return Idea(who, self._meaning("act"), self._thing("person" if self._chance(0.4) else "thing"), time)

    def _another_word(self, idea: Idea) -> Idea | None:
        """One meaning exchanged for another of its list, sometimes two."""
        for _ in range(1 + self._chance(0.3)):
            spots = ["what", *(["who"] if not isinstance(idea.who, str) else []), *(["act"] if idea.act else [])]
            match self._any(spots):
                case "act":
                    assert idea.act is not None
                    idea = replace(idea, act=self._other(idea.act))
                case "who":
                    assert not isinstance(idea.who, str)
                    idea = replace(idea, who=self._changed(idea.who))
                case _:
                    idea = replace(idea, what=self._changed(idea.what))
        return idea

    def _changed(self, phrase: tuple[Meaning | None, Meaning]) -> tuple[Meaning | None, Meaning]:
        quality, noun = phrase
        if quality is not None and self._chance(0.5):
            return self._other(quality), noun
        return quality, self._other(noun)

    def _somebody_else(self, idea: Idea) -> Idea | None:
        if not isinstance(idea.who, str):
            return None
        others = [one for one in (FIRST[0], *OTHERS) if one != idea.who]
        return replace(idea, who=self._any(others))

    def _sentence(self, idea: Idea, forms: tuple[int, ...]) -> str:
        self._forms = forms
        who = self._subject(idea.who)
        plural = who in ("we", "you", "they") or " and " in who
        if idea.act is None:
            verb = BE.get(who, "are" if plural else "is")
            clause = f"{who} {verb} {self._complement(idea.what[1], plural)}"
        else:
            act = self._word(idea.act)
            passive = not isinstance(idea.who, str) and act not in IRREGULAR and self._chance(0.25)
            what = self._phrase(idea.what)
            clause = f"{what} was {act} by {who}" if passive else f"{who} {act} {what}"
        if not idea.time:
            return clause
        return f"{idea.time} {clause}" if self._chance(0.4) else f"{clause} {idea.time}"

    def _subject(self, who: tuple[Meaning | None, Meaning] | str) -> str:
        if isinstance(who, str):
            return self._any(FIRST) if who == FIRST[0] else who
        return self._phrase(who)

    def _complement(self, meaning: Meaning, plural: bool) -> str:
        word = self._word(meaning)
        if meaning.kind == "quality":
            return word
        return plural_of(word) if plural else f"{_a(word)} {word}"

    def _phrase(self, phrase: tuple[Meaning | None, Meaning]) -> str:
        quality, noun = phrase
        words = " ".join([*([self._word(quality)] if quality else []), self._word(noun)])
        article = self._any(("the", "the", "a", "this", "that"))
        return f"{_a(words) if article == 'a' else article} {words}"

    def _thing(self, kind: str) -> tuple[Meaning | None, Meaning]:
        return (self._meaning("quality") if self._chance(0.4) else None), self._meaning(kind)

    def _meaning(self, kind: str) -> Meaning:
        if self._fillers and self._chance(self._share):
            return Meaning(kind, self._any(self._fillers))
        return self._any(self._meanings[kind])

    def _other(self, meaning: Meaning) -> Meaning:
        while True:
            another = self._meaning(meaning.kind)
            if another != meaning:
                return another

    def _word(self, meaning: Meaning) -> str:
        return meaning.words[self._any(self._forms)]

    def _chance(self, share: float) -> bool:
        return float(torch.rand((), generator=self._generator)) < share

    def _below(self, count: int) -> int:
        return int(torch.randint(count, (), generator=self._generator))

    def _any(self, options: Sequence[T]) -> T:
        return options[self._below(len(options))]


def _other_way_round(idea: Idea) -> Idea | None:
    """Who did it to whom exchanged; or, where that is no sentence, which of the two is big."""
    if isinstance(idea.who, str) or idea.act is None:
        return None
    (quality, noun), (other_quality, other_noun) = idea.who, idea.what
    if other_noun.kind == "person" and noun != other_noun:
        return replace(idea, who=idea.what, what=idea.who)
    if quality != other_quality:
        return replace(idea, who=(other_quality, noun), what=(quality, other_noun))
    return None


def _a(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def plural_of(word: str) -> str:
    """Of a noun; a filler, which is a row of a table and not letters, stays as it is."""
    irregular = {"child": "children", "thief": "thieves", "lady": "ladies", "woman": "women", "foe": "foes"}
    if word.startswith("#"):
        return word
    if word in irregular:
        return irregular[word]
    if word.endswith(("man",)):
        return word[:-2] + "en"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"
