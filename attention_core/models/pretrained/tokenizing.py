"""Text to token ids and back to what a person can read, by a model's own tokenizer."""

from collections.abc import Callable
from typing import Any


def encode(tokenizer: Any, text: str, room: int, *, special: bool) -> tuple[list[int], int]:  # noqa: ANN401
    """The ids of at most `room` pieces, between the special tokens if wanted, and how many pieces are left out.

    Cut here: the tokenizer's own truncation is a switch on the tokenizer, and other threads use it at the same moment.
    """
    whole = tokenizer(text, add_special_tokens=False, verbose=False)
    count, side = len(whole["input_ids"]), tokenizer.truncation_side
    dropped = max(0, count - room)
    if tokenizer.is_fast:
        pieces = whole.encodings[0]
        pieces.truncate(room, direction=side)
        return tokenizer.backend_tokenizer.post_process(pieces, add_special_tokens=special).ids, dropped
    ids = whole["input_ids"][dropped:] if side == "left" else whole["input_ids"][: count - dropped]
    return tokenizer.build_inputs_with_special_tokens(ids) if special else ids, dropped


def speller(tokenizer: Any) -> Callable[[str], str]:  # noqa: ANN401
    """token → what a person can read: byte-level pieces decoded, bytes that are no character in hex."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    byte_of = {character: byte for byte, character in bytes_to_unicode().items()}
    vocabulary = set() if tokenizer is None else tokenizer.get_vocab().keys()
    if not byte_of.keys() <= vocabulary:  # byte-level vocabularies begin with all 256 bytes
        return lambda token: token.replace("\u2581", " ")
    assert tokenizer is not None
    whole = {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}

    def spell(token: str) -> str:
        if token in whole or not set(token) <= byte_of.keys():
            return token
        spelled = bytes(byte_of[character] for character in token)
        try:
            return spelled.decode("utf-8")
        except UnicodeDecodeError:
            return "".join(f"‹{byte:02X}›" for byte in spelled)

    return spell
