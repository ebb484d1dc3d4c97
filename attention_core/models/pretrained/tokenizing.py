"""Text to token ids, by a model's own tokenizer, and what a reader should know about how it was read."""

from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from functools import cached_property
from typing import Any, NamedTuple
from unicodedata import category

from attention_core.models.base import Tokens
from attention_core.models.pretrained.spelling import byte_letters, speller
from attention_core.models.remarks import Remarks, Unreadable
from attention_core.text import words

PASSED_OVER = "MZC"  # the categories of accents, spaces and what cannot be seen: these may go without saying
SAMPLE = 23  # tokens


class Encoded(NamedTuple):
    """Ids between the special tokens; of the text's own tokens, the id and the part of the text it stands for (empty
    where the tokenizer does not tell); how many tokens were cut off; how many signs no token stands for.
    """

    ids: list[int]
    own: list[tuple[int, str]]
    dropped: int
    lost: int = 0


class Tokenizing:
    """A tokenizer that threads share. `rows`: of the embedding in which its ids are looked up."""

    def __init__(self, tokenizer: Any, rows: int | None = None) -> None:  # noqa: ANN401
        tokenizer("")  # undoes what its file says about cutting and padding, while no other thread has it
        self._tokenizer, self._rows = tokenizer, rows
        self.framing = tokenizer.num_special_tokens_to_add()
        self._spell = speller(tokenizer)
        self._special = special_tokens(tokenizer)
        self._model = tokenizer.backend_tokenizer.model if tokenizer.is_fast else None
        self._letterless = letterless_bytes(tokenizer)

    def read(self, text: str, room: int, *, special: bool, plain: bool) -> Tokens:
        """The text in at most `room` tokens, those that frame it among them where `special`. `plain`: a special token
        that stands in the text is read as the letters it is made of. Raises Unreadable.
        """
        framing = self.framing if special else 0
        encode = self._encode_fast if self._tokenizer.is_fast else self._encode_slow
        encoded = encode(text, max(0, room - framing), special, plain)
        self._check(encoded.ids)
        return Tokens(
            strings=self._written(encoded),
            ids=tuple(encoded.ids),
            dropped=encoded.dropped,
            unknown=sum(self._is_unknown(*token) for token in encoded.own),
            framing=framing,
            remarks=self._remarks(encoded),
        )

    def sample(self, text: str, room: int) -> Tokens:
        """The text; where nothing of it can be read, the first tokens of the vocabulary: to try a model with."""
        with suppress(Unreadable):
            tokens = self.read(text, room, special=True, plain=False)
            if not tokens.blank:
                return tokens
        ids = range(min(room, SAMPLE, len(self._tokenizer), self._rows or SAMPLE))
        return Tokens(strings=self.spelled(ids), ids=tuple(ids))

    def spelled(self, ids: Sequence[int]) -> tuple[str, ...]:
        """These tokens as a person can read them."""
        return tuple(map(self._spell, self._tokenizer.convert_ids_to_tokens(list(ids))))

    def _written(self, encoded: Encoded) -> tuple[str, ...]:
        """Every token as a person can read it; one that the vocabulary lacks as it stands in the text, where known."""
        unknown = self._tokenizer.unk_token_id
        parts = iter(part.strip() for token, part in encoded.own if token == unknown)
        spelled = zip(encoded.ids, self.spelled(encoded.ids), strict=True)
        return tuple(next(parts, "") or string if token == unknown else string for token, string in spelled)

    def _encode_fast(self, text: str, room: int, special: bool, plain: bool) -> Encoded:
        """Cut here: the tokenizer's own truncation is a switch on it, and other threads use it at the same moment."""
        split = plain and any(token in text for token in self._special.values())
        backend = self._plain if split else self._tokenizer.backend_tokenizer
        try:
            pieces = backend.encode(text, add_special_tokens=False)
        except Exception as error:  # a tokenizer's own errors have no class of their own
            raise Unreadable from error
        lost = self._lost(text, pieces.offsets)
        dropped = max(0, len(pieces.ids) - room)
        pieces.truncate(room, direction=self._tokenizer.truncation_side)
        own = [(token, text[slice(*place)]) for token, place in zip(pieces.ids, pieces.offsets, strict=True)]
        return Encoded(backend.post_process(pieces, add_special_tokens=special).ids, own, dropped, lost)

    def _encode_slow(self, text: str, room: int, special: bool, plain: bool) -> Encoded:
        tokenizer = self._tokenizer
        ids = tokenizer(text, add_special_tokens=False, verbose=False, split_special_tokens=plain)["input_ids"]
        dropped = max(0, len(ids) - room)
        ids = ids[dropped:] if tokenizer.truncation_side == "left" else ids[: len(ids) - dropped]
        framed = tokenizer.build_inputs_with_special_tokens(ids) if special else ids
        return Encoded(framed, [(token, "") for token in ids], dropped)

    @cached_property
    def _plain(self) -> Any:  # noqa: ANN401
        """Its double: whether special tokens that are typed count as such is a switch on the tokenizer, too."""
        double = deepcopy(self._tokenizer.backend_tokenizer)
        double.encode_special_tokens = True
        return double

    def _check(self, ids: Sequence[int]) -> None:
        beyond = [token for token in ids if self._rows is not None and token >= self._rows]
        if beyond:
            raise Unreadable(tuple(word.strip() for word in self.spelled(list(dict.fromkeys(beyond)))))

    def _is_unknown(self, token: int, part: str) -> bool:
        """Whether it stands for something that the model does not know, and was not typed as it is."""
        return token == self._tokenizer.unk_token_id and part.strip() != self._tokenizer.unk_token

    def _remarks(self, encoded: Encoded) -> Remarks:
        unknown = [part for token, part in encoded.own if self._is_unknown(token, part)]
        typed = (self._special[token] for token, part in encoded.own if self._is_typed(token, part))
        longest_word = getattr(self._model, "max_input_chars_per_word", None) or 0
        long_words = [part for part in unknown if 0 < longest_word < len(self._normal(part))]
        return Remarks(
            unknown_token=self._tokenizer.unk_token or "",
            typed=tuple(dict.fromkeys(typed)),
            long_words=len(long_words),
            longest_word=longest_word,
            merged=tuple(part for part in unknown if part not in long_words and len(words(part)) > 1),
            lost=encoded.lost,
            unknown=tuple(dict.fromkeys(filter(None, map(str.strip, unknown)))),
        )

    def _normal(self, part: str) -> str:
        """As the vocabulary is asked for it: BERT's takes syllables of Hangul apart, for one."""
        normalizer = self._tokenizer.backend_tokenizer.normalizer
        return part if normalizer is None else normalizer.normalize_str(part)

    def _is_typed(self, token: int, part: str) -> bool:
        return token in self._special and not self._is_unknown(token, part)

    def _lost(self, text: str, places: Sequence[tuple[int, int]]) -> int:
        """How many signs of the text no token stands for, or not with all of its bytes."""
        covered = set().union(*(range(*place) for place in places))
        return sum(
            (at not in covered or bool(self._letterless & {*sign.encode("utf-8", "replace")}))
            for at, sign in enumerate(text)
            if category(sign)[0] not in PASSED_OVER
        )


def special_tokens(tokenizer: Any) -> dict[int, str]:  # noqa: ANN401
    """id → special token: those with a task of their own, and those the tokenizer was given besides."""
    added = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    return added | dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))


def letterless_bytes(tokenizer: Any) -> set[int]:  # noqa: ANN401
    """The bytes that a byte-level vocabulary has no letter for, and drops."""
    if not tokenizer.is_fast or getattr(tokenizer.backend_tokenizer.model, "unk_token", None):
        return set()
    vocabulary = tokenizer.get_vocab()
    return {byte for letter, byte in byte_letters(tokenizer).items() if letter not in vocabulary}
