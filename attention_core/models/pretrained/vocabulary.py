"""Whether a tokenizer is the one that a model was made with, as far as its vocabulary and the embedding tell."""

from pathlib import Path
from typing import Any

from attention_core.models.pretrained.errors import ModelError
from attention_core.models.pretrained.spelling import SPACE

PAIR = ("vocab.json", "merges.txt")  # neither is anything without the other
FILES = ("tokenizer.json", "*vocab*", "*.model", "*.spm", "*.tiktoken", "tekken.json", "*.codes", "dict.txt", *PAIR)


def embedding_rows(model: Any) -> int | None:  # noqa: ANN401
    """How many ids the input embedding of a model has a row for; None where it has no such table."""
    try:
        return model.get_input_embeddings().weight.shape[0]
    except (AttributeError, NotImplementedError):
        return None


def load_tokenizer(source: str, rows: int | None, name: str) -> Any:  # noqa: ANN401
    """The tokenizer of a folder or a hub id, for an embedding of so many rows. Raises ModelError, or what transformers
    raises about a tokenizer that is there.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except Exception as error:
        missing = _missing(Path(source), name)
        if missing is None:
            raise
        raise missing from error
    check_vocabulary(tokenizer, rows, name)
    return tokenizer


def _missing(folder: Path, name: str) -> ModelError | None:
    """What a folder lacks, if it is one, from which no tokenizer could be made."""
    if not folder.is_dir():
        return None
    if not any(any(folder.glob(file)) for file in FILES):
        return ModelError("no_tokenizer", name)
    lacking = [file for file in PAIR if not (folder / file).is_file()]
    return ModelError("missing", name, lacking[0]) if len(lacking) == 1 else None


def check_vocabulary(tokenizer: Any, rows: int | None, name: str) -> None:  # noqa: ANN401
    """Raise ModelError where there is no vocabulary, and where it is too large for the embedding.

    Without its files transformers makes a tokenizer of special tokens alone. Words that were added later may lack a
    row: what is said about them is said of a text that has one (`Unreadable`).
    """
    added = tokenizer.get_added_vocab().keys() | {*tokenizer.all_special_tokens}
    own = {token: number for token, number in tokenizer.get_vocab().items() if token not in added}
    if not any(token.strip(SPACE) for token in own):
        raise ModelError("no_tokenizer", name)
    if rows is None:
        return
    framing = tokenizer("")["input_ids"]
    numbers = own | dict(zip(tokenizer.convert_ids_to_tokens(framing), framing, strict=True))
    last = max(numbers, key=numbers.__getitem__)
    if numbers[last] >= rows:
        raise ModelError("other_tokenizer", name, last)
