"""What a person reads of a token: no letter that stands for a byte, no U+FFFD, whatever the kind of the tokenizer."""

import re

import pytest
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, trainers
from tokenizers.models import BPE, Unigram, WordLevel, WordPiece
from transformers import ByT5Tokenizer, PerceiverTokenizer, PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

from attention_core.models import Unreadable
from attention_core.models.pretrained.spelling import speller
from attention_core.models.pretrained.tokenizing import Tokenizing

CORPUS = ["the café law", "the animal, the café", "an animal café law", "naïve animal, naïve law"]
NEVER_IN_UTF8 = {0xC0, 0xC1, *range(0xF5, 0x100)}
LETTERS = bytes_to_unicode()  # GPT-2's letter of each byte, Radford et al. 2019
SPLIT = Regex(r" ?\p{L}+|[^\s\p{L}]+|\s+")


def wrapped(backend: Tokenizer, **special: str) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=backend, **special)


def byte_level(lacking: set[int], step=None, unknown: str | None = None) -> PreTrainedTokenizerFast:
    """Trained on the corpus, with a letter for every byte but these."""
    backend = Tokenizer(BPE(unk_token=unknown))
    backend.pre_tokenizer = step or pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = [LETTERS[byte] for byte in range(256) if byte not in lacking]
    special = [unknown] if unknown else []
    trainer = trainers.BpeTrainer(
        vocab_size=1000, initial_alphabet=alphabet, special_tokens=special, show_progress=False
    )
    backend.train_from_iterator(CORPUS, trainer)
    return wrapped(backend, **({"unk_token": unknown} if unknown else {}))


def strings(tokenizer, text: str) -> tuple[str, ...]:
    return Tokenizing(tokenizer).read(text, 500, special=False, plain=False).strings


def written(tokens: tuple[str, ...]) -> bytes:
    """The text again, once each ‹E6› is read as its byte."""
    parts = re.split("‹([0-9A-F]{2})›", "".join(tokens))
    return b"".join(bytes.fromhex(part) if at % 2 else part.encode() for at, part in enumerate(parts))


CORPUS_BYTES = set("".join(CORPUS).encode())
LACKING = {
    "none": set(),
    "those that no text has": NEVER_IN_UTF8,
    "21, as SmolLM2's": NEVER_IN_UTF8 | {0xF1, 0xF2, 0xF3, 0xF4, 0x00, 0x01, 0x02, 0x03},
    "all that its corpus has not": set(range(256)) - CORPUS_BYTES,
}


@pytest.mark.parametrize("lacking", LACKING.values(), ids=LACKING)
def test_a_byte_level_vocabulary_is_read_whichever_letters_it_lacks(lacking) -> None:
    tokenizer = byte_level(lacking)
    assert strings(tokenizer, "the café law") == ("the", " café", " law")
    assert strings(tokenizer, "an animal, naïve") == ("an", " animal", ",", " naïve")


@pytest.mark.parametrize("text", ["東京", "the 東京 law", "🙂", "é", "\u00a0\x7f", "ﷺ مرحبا"])
@pytest.mark.parametrize("lacking", list(LACKING.values())[:3], ids=list(LACKING)[:3])
def test_parts_of_a_character_are_bytes_and_nothing_is_lost(lacking, text) -> None:
    tokens = strings(byte_level(lacking), text)
    assert written(tokens) == text.encode()
    assert "\ufffd" not in "".join(tokens)


def test_each_byte_of_tokyo_is_named() -> None:
    assert strings(byte_level(NEVER_IN_UTF8), "東京") == ("‹E6›", "‹9D›", "‹B1›", "‹E4›", "‹BA›", "‹AC›")


STEPS = {
    "split by an expression, as Llama 3": pre_tokenizers.Sequence(
        [pre_tokenizers.Split(SPLIT, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    ),
    "punctuation first, as Falcon": pre_tokenizers.Sequence(
        [pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
    "a sequence in a sequence": pre_tokenizers.Sequence(
        [pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.ByteLevel(add_prefix_space=False)])]
    ),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_bytes_become_letters_at_any_step_before_the_vocabulary(step) -> None:
    assert strings(byte_level(NEVER_IN_UTF8, step), "the café law 京")[:3] == ("the", " café", " law")
    assert written(strings(byte_level(NEVER_IN_UTF8, step), "the café 京")) == "the café 京".encode()


def test_bytes_become_letters_in_the_normalizer_too() -> None:
    backend = Tokenizer(BPE(vocab={LETTERS[byte]: byte for byte in range(256)}, merges=[]))
    backend.normalizer = normalizers.ByteLevel()
    assert strings(wrapped(backend), "é a") == ("‹C3›", "‹A9›", " ", "a")


def test_a_decoder_of_bytes_does_not_make_a_vocabulary_of_words_one_of_bytes() -> None:
    backend = Tokenizer(WordLevel({"<unk>": 0, "é": 1, "Ġ": 2, "Ãā": 3}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.decoder = decoders.ByteLevel()
    assert strings(wrapped(backend, unk_token="<unk>"), "é Ġ Ãā") == ("é", "Ġ", "Ãā")


def test_added_tokens_of_a_byte_level_vocabulary_are_text_already() -> None:
    tokenizer = byte_level(NEVER_IN_UTF8)
    tokenizer.add_tokens(["Ãā", "    ", "naïveté"])
    tokenizer.add_special_tokens({"eos_token": "<｜end▁of▁text｜>"})
    assert strings(tokenizer, "naïveté") == ("naïveté",)
    assert strings(tokenizer, "Ãā") == ("Ãā",)
    assert strings(tokenizer, "the<｜end▁of▁text｜>") == ("the", "<｜end▁of▁text｜>")


def fallback(kind: str) -> PreTrainedTokenizerFast:
    """As Llama 2 and Gemma: what is not in the vocabulary is written byte by byte."""
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "▁the", "▁law", "東", "▁東", "t", "h", "e"]
    if kind == "unigram":
        backend = Tokenizer(
            Unigram([(piece, -float(at) / 100) for at, piece in enumerate(pieces)], 0, byte_fallback=True)
        )
        backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    else:
        merges = [("t", "h"), ("▁", "th"), ("▁th", "e"), ("▁", "東")]
        pieces += [left + right for left, right in merges if left + right not in pieces]
        backend = Tokenizer(
            BPE(
                vocab={piece: at for at, piece in enumerate(pieces)},
                merges=merges,
                unk_token="<unk>",
                byte_fallback=True,
            )
        )
        backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return wrapped(backend, unk_token="<unk>")


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_bytes_that_stand_for_what_a_vocabulary_lacks_are_named(kind) -> None:
    assert strings(fallback(kind), "the 東京") == (" the", " 東", "‹E4›", "‹BA›", "‹AC›")
    assert strings(fallback(kind), "the é") == (" the", " ", "‹C3›", "‹A9›")
    assert strings(fallback(kind), "the x\n") == (" the", " ", "x", "\n")


def test_what_looks_like_a_byte_is_a_word_where_nothing_falls_back() -> None:
    backend = Tokenizer(WordLevel({"<unk>": 0, "<0xE6>": 1}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    assert strings(wrapped(backend, unk_token="<unk>"), "<0xE6>") == ("<0xE6>",)


def test_pieces_of_words_keep_their_signs() -> None:
    vocabulary = {"[UNK]": 0, "caf": 1, "##é": 2, "law": 3, "##s": 4, "京": 5}
    backend = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer = wrapped(backend, unk_token="[UNK]")
    assert strings(tokenizer, "café laws 京 東") == ("caf", "##é", "law", "##s", "京", "東")


def test_the_end_of_a_word_is_a_space_whether_its_letters_are_bytes_or_not() -> None:
    """As CLIP, whose letters are bytes, and as the first GPT, whose letters are letters."""
    merges = [("c", "a"), ("ca", "f</w>")]
    letters = ["c", "a", "f", "f</w>", "Ã", "©</w>", "é</w>", "ca", "caf</w>"]
    for step, text, tokens in (
        (pre_tokenizers.ByteLevel(add_prefix_space=False), "aé", ("a", "‹C3›", "‹A9› ")),
        (pre_tokenizers.WhitespaceSplit(), "aé", ("a", "é ")),
        (pre_tokenizers.WhitespaceSplit(), "caf", ("caf ",)),
    ):
        vocabulary = {piece: at for at, piece in enumerate(letters)}
        backend = Tokenizer(BPE(vocab=vocabulary, merges=merges, end_of_word_suffix="</w>"))
        backend.pre_tokenizer = step
        assert strings(wrapped(backend), text) == tokens


def test_the_sign_of_a_space_is_the_one_that_the_tokenizer_names() -> None:
    backend = Tokenizer(WordLevel({"<unk>": 0, "_the": 1, "_law": 2, "a\u2581b": 3}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement="_", prepend_scheme="always")
    assert strings(wrapped(backend, unk_token="<unk>"), "the law") == (" the", " law")


@pytest.mark.parametrize("kind", [ByT5Tokenizer, PerceiverTokenizer])
def test_a_tokenizer_that_reads_bytes_as_they_are_names_them(kind) -> None:
    assert strings(kind(), "Aé\n京") == ("A", "‹C3›", "‹A9›", "\n", "‹E4›", "‹BA›", "‹AC›")


def test_without_a_tokenizer_a_token_is_what_it_is() -> None:
    assert speller(None)("Ġ▁<0xE6>") == "Ġ▁<0xE6>"


@pytest.mark.parametrize(
    ("text", "lost"),
    [("the café", 0), ("the 京", 1), ("京東 law 京", 3), ("the ê", 1), ("the\u0301 \ufe0f law", 0), ("🙂", 1)],
)
def test_signs_without_a_token_are_counted(text, lost) -> None:
    """A byte-level vocabulary without a letter for a byte, and without a token for what it does not know, drops it."""
    tokenizer = byte_level(set(range(256)) - CORPUS_BYTES)
    assert Tokenizing(tokenizer).read(text, 500, special=False, plain=False).remarks.lost == lost


def test_nothing_is_lost_where_there_is_a_token_for_the_unknown() -> None:
    tokenizer = byte_level(set(range(256)) - CORPUS_BYTES, unknown="<unk>")
    tokens = Tokenizing(tokenizer).read("the 京", 500, special=False, plain=False)
    assert tokens.remarks.lost == 0
    assert tokens.unknown > 0
    assert tokens.remarks.unknown_token == "<unk>"


def test_a_word_that_a_tokenizer_has_no_token_for_is_said_and_not_raised_as_it_comes() -> None:
    backend = Tokenizer(WordLevel({"the": 0, "law": 1}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    reading = Tokenizing(wrapped(backend))
    assert reading.read("the law", 5, special=False, plain=False).strings == ("the", "law")
    with pytest.raises(Unreadable, match="no token for what it does not know"):
        reading.read("the animal", 5, special=False, plain=False)
