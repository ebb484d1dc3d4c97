"""A token as a person can read it: bytes decoded, those that are no character in hex, the sign of a space as one."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

SPACE = "\u2581"  # how sentencepiece writes it
WORD_END = "</w>"  # how the first BPE vocabularies do
FALLBACK = re.compile(r"<0x([0-9A-F]{2})>")  # how sentencepiece writes a byte of what its vocabulary lacks

RARE = "\U0010fffd"  # a private character, which no vocabulary has


def speller(tokenizer: Any) -> Callable[[str], str]:  # noqa: ANN401
    """token → what a person can read. Special and added tokens are text already."""
    if tokenizer is None:
        return str
    whole = {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}
    byte_of, falls_back = byte_letters(tokenizer), _falls_back(tokenizer)
    space, end = _space(tokenizer), _word_end(tokenizer)

    def spell(token: str) -> str:
        if token in whole:
            return token
        stem = token.removesuffix(end) if end else token
        after = " " if stem != token else ""
        if byte_of and set(stem) <= byte_of.keys():
            return _readable(bytes(byte_of[letter] for letter in stem)) + after
        if falls_back and (byte := FALLBACK.fullmatch(token)):
            return _readable(bytes.fromhex(byte[1]))
        return stem.replace(space, " ") + after

    return spell


def byte_letters(tokenizer: Any) -> dict[str, int]:  # noqa: ANN401
    """letter → the byte it stands for; empty where the letters of the vocabulary are those of the text."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    if _is_byte_level(tokenizer):
        return {letter: byte for byte, letter in bytes_to_unicode().items()}
    plain = {chr(byte): byte for byte in range(256)}  # byte 20 is the character of that number: ByT5, Perceiver
    return plain if tokenizer.get_vocab().keys() - tokenizer.get_added_vocab().keys() == plain.keys() else {}


def _is_byte_level(tokenizer: Any) -> bool:  # noqa: ANN401
    """Whether it maps bytes to letters before it looks anything up. What it does to decode does not count."""
    if not tokenizer.is_fast:
        return hasattr(tokenizer, "byte_decoder")
    backend = tokenizer.backend_tokenizer
    return any(part.get("type") == "ByteLevel" for part in _parts(backend.normalizer, backend.pre_tokenizer))


def _falls_back(tokenizer: Any) -> bool:  # noqa: ANN401
    """Whether what its vocabulary lacks becomes bytes: seen by trying, for not every vocabulary says so."""
    if not tokenizer.is_fast:
        return hasattr(tokenizer, "sp_model")
    try:
        return any(FALLBACK.fullmatch(piece.value) for piece in tokenizer.backend_tokenizer.model.tokenize(RARE))
    except Exception:  # it has no token for what it does not know, and a tokenizer's errors have no class of their own
        return False


def _space(tokenizer: Any) -> str:  # noqa: ANN401
    if not tokenizer.is_fast:
        return SPACE
    parts = _parts(tokenizer.backend_tokenizer.pre_tokenizer)
    return next((part["replacement"] for part in parts if part.get("type") == "Metaspace"), SPACE)


def _word_end(tokenizer: Any) -> str:  # noqa: ANN401
    if tokenizer.is_fast:
        return getattr(tokenizer.backend_tokenizer.model, "end_of_word_suffix", None) or ""
    ends = any(token.endswith(WORD_END) for token in tokenizer.get_vocab())
    return WORD_END if ends else ""


def _parts(*steps: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """What these steps of a tokenizer say about themselves, and the steps that they are made of."""
    waiting = [json.loads(step.__getstate__()) for step in steps if step is not None]
    while waiting:
        match waiting.pop():
            case dict() as part:
                yield part
                waiting += part.values()
            case list() as parts:
                waiting += parts


def _readable(spelled: bytes) -> str:
    try:
        return spelled.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(f"‹{byte:02X}›" for byte in spelled)
