"""What a reader should know about how a sentence was read: how many tokens, what was cut, what was read otherwise."""

from attention_core.models import EMBEDDED, Model, Tokens
from attention_core.text import clusters, is_han
from attention_core.text import words as cut_into_words
from ui.text import Words

ENGLISH = (EMBEDDED, "from scratch")  # the names of those that read by the vocabulary of the built-in model
COUNTED = 25_000  # characters: of more, the browser may have kept some back (library.js), so none are counted
SHOWN_SIGNS = 12  # of those that became one token
SHOWN_TOKENS = 6  # of those that were typed


def facts(cut: int, limit: int, tokens: Tokens, reader: Model, common: Words) -> str:
    """One line: how many tokens, the notes, and why many are alike. It is Markdown."""
    why = [alike(tokens, reader, common)] if mostly_unknown(tokens) else []
    return " · ".join([counted(tokens, common), *notes(cut, limit, tokens, reader, common), *why])


def notes(cut: int, limit: int, tokens: Tokens, reader: Model, common: Words) -> list[str]:
    """All but how many tokens there are; `cut` characters beyond the `limit` were left out. Markdown."""
    parts = []
    if cut:
        parts.append(cut_off(cut, limit, common))
    if tokens.dropped:
        parts.append(common.format("cut_tokens", limit=reader.max_tokens, dropped=tokens.dropped))
    parts += remarks(common, tokens)
    if tokens.remarks.digested:
        parts.append(common["digested"])
    if reader.name == EMBEDDED and not mostly_unknown(tokens) and any(map(is_han, "".join(tokens.strings))):
        parts.append(common["han_english"])
    return parts


def mostly_unknown(tokens: Tokens) -> bool:
    """Whether the vocabulary lacks more than a quarter of them, long words left aside."""
    return 4 * (tokens.unknown - tokens.remarks.long_words) > len(tokens)


def alike(tokens: Tokens, reader: Model, common: Words) -> str:
    """Why attention cannot tell apart what this model does not know."""
    why = "unknown_english" if reader.name in ENGLISH else "unknown_why"
    return common.format(why, token=tokens.remarks.unknown_token)


def cut_off(cut: int, limit: int, common: Words) -> str:
    """That so many characters beyond the `limit` are not used."""
    if cut > COUNTED:
        return common.format("cut_rest", limit=limit)
    return common.format("cut_characters", limit=limit, cut=cut)


def remarks(common: Words, *read: Tokens) -> list[str]:
    """What became of parts of these sentences that nobody would guess from their tokens; Markdown."""
    notes = [tokens.remarks for tokens in read]
    token, limit = notes[0].unknown_token, notes[0].longest_word
    typed = dict.fromkeys(special for note in notes for special in note.typed)
    merged = [text for note in notes for text in note.merged]
    parts = []
    if typed:
        parts.append(common.format("typed", tokens=" ".join([*typed][:SHOWN_TOKENS])))
    if unknown := sum(tokens.unknown for tokens in read):
        parts.append(common.format("unknown", count=unknown, token=token))
    if any(note.long_words for note in notes):
        parts.append(common.format("long_word", limit=limit, token=token))
    if merged:
        parts.append(_merged(merged, token, common))
    if lost := sum(note.lost for note in notes):
        parts.append(common.format("lost", count=lost))
    return parts


def counted(tokens: Tokens, common: Words) -> str:
    """How many tokens, and how many of them the model has put around the text."""
    if tokens.framing and (tokens.strings[0], tokens.strings[-1]) == ("[CLS]", "[SEP]"):
        return common.format("tokens_framed", count=len(tokens))
    if tokens.framing:
        return common.format("tokens_added", count=len(tokens), framing=tokens.framing)
    return common.format("tokens" if len(tokens) > 1 else "token", count=len(tokens))


def _merged(merged: list[str], token: str, common: Words) -> str:
    """The first of the groups of signs that became one token each, and how many more there are."""
    signs = clusters(merged[0])
    text = merged[0] if len(signs) <= SHOWN_SIGNS else "".join(signs[:SHOWN_SIGNS]) + "…"
    sentence = common.format("merged", text=text, count=len(cut_into_words(merged[0])), token=token)
    more = len(merged) - 1
    return f"{sentence}{common.format('merged_more', count=more)}" if more else sentence
