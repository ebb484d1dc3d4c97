"""What is said about how a sentence was read: special tokens that were typed, words too long, signs that became one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE, Unigram
from torch.testing import assert_close
from transformers import AutoConfig, AutoModel, AutoTokenizer, ByT5Tokenizer, PreTrainedTokenizerFast

from attention_core.models import FromScratch, Pretrained, Sizes, Tokens, Unreadable, load_embedded
from attention_core.models.pretrained import embedded_folder, register
from attention_core.models.pretrained.tokenizing import Tokenizing


@pytest.fixture(scope="module")
def minilm() -> Pretrained:
    return load_embedded()


@pytest.mark.parametrize(
    ("text", "typed", "count"),
    [
        ("The [SEP] token ends here.", ("[SEP]",), 8),
        ("The capital of France is [MASK].", ("[MASK]",), 9),
        ("[CLS] again [CLS]", ("[CLS]",), 5),
        ("[PAD][UNK] [SEP]", ("[PAD]", "[UNK]", "[SEP]"), 5),
        ("a [sep] b", (), 7),  # in small letters it is text
        ("[SE P] and ［SEP］", (), 10),
        ("🙂", (), 3),
    ],
)
def test_a_special_token_that_is_typed_is_named(minilm, text, typed, count) -> None:
    tokens = minilm.tokenize(text)
    assert tokens.remarks.typed == typed
    assert len(tokens) == count
    theirs = AutoTokenizer.from_pretrained(embedded_folder())(text)["input_ids"]
    assert list(tokens.ids) == theirs


def test_an_unknown_token_that_is_typed_is_not_a_word_that_is_unknown(minilm) -> None:
    assert minilm.tokenize("the [UNK] law").unknown == 0
    assert minilm.tokenize("the [UNK] 🙂").unknown == 1


@pytest.mark.parametrize("text", ["The [SEP] token", "[MASK]", "x[CLS]y [PAD] [UNK]"])
def test_the_layer_from_scratch_reads_what_is_typed_as_text(minilm, text) -> None:
    tokens = FromScratch(Sizes(), minilm).tokenize(text)
    alone = AutoTokenizer.from_pretrained(embedded_folder())
    assert list(tokens.ids) == alone.encode(text, add_special_tokens=False, split_special_tokens=True)
    assert "[" in tokens.strings
    assert not set(tokens.ids) & set(alone.all_special_ids)
    assert tokens.remarks.typed == ()


def test_plain_text_is_framed_all_the_same(minilm) -> None:
    tokens = minilm.tokenize("the [SEP]", plain=True)
    assert tokens.strings == ("[CLS]", "the", "[", "sep", "]", "[SEP]")
    assert (tokens.framing, tokens.remarks.typed) == (2, ())


def test_both_ways_of_reading_in_eight_threads_do_not_disturb_each_other() -> None:
    """A switch on the tokenizer that both share would be seen."""
    model = load_embedded()
    turns = [("the [SEP] law", False), ("the [SEP] law", True), ("[MASK] " * 600, False), ("its", True)]
    alone = [model.tokenize(text, plain=plain) for text, plain in turns]

    def wrong(start: int) -> int:
        chosen = [(start + at) % len(turns) for at in range(200)]
        return sum(model.tokenize(turns[at][0], plain=turns[at][1]) != alone[at] for at in chosen)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(wrong, range(8))) == 0


@pytest.mark.parametrize(
    ("text", "long_words"),
    [
        ("Hello" * 21, 1),
        ("a" * 101, 1),
        ("a" * 100, 0),
        (f"the {'law' * 40} and {'x' * 333}", 2),
        (("ab-" * 50), 0),  # hyphens part words
        ("京" * 150, 0),  # each of these is a word
        ("é" * 101, 1),
        ("한" * 33, 0),  # three letters each, as the tokenizer takes them apart
        ("한" * 34, 1),
    ],
)
def test_a_word_that_is_too_long_is_told_from_one_that_is_unknown(minilm, text, long_words) -> None:
    remarks = minilm.tokenize(text).remarks
    assert (remarks.long_words, remarks.longest_word) == (long_words, 100)
    assert not remarks.merged


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("💩💩💩 great", ("💩💩💩",)),
        ("💩 💩 great", ()),
        ("👨\u200d👩\u200d👧 fun", ()),  # one family is one sign
        ("🙂🙂 and 🇨🇳🇩🇪", ("🙂🙂", "🇨🇳🇩🇪")),
        ("x🙂y", ("x🙂y",)),
        ("the law", ()),
        ("ꦲꦏ꧀ꦱꦫ", ()),  # one word of a script it does not know is one word
    ],
)
def test_signs_that_became_one_unknown_token_are_named(minilm, text, merged) -> None:
    assert minilm.tokenize(text).remarks.merged == merged


@pytest.mark.parametrize("text", ["\ufffd", "\ufffd\u0301", "\ue000", "\ufffd \ufffd"])
def test_a_text_that_a_model_reads_nothing_of_is_blank(minilm, text) -> None:
    tokens = minilm.tokenize(text)
    assert tokens.strings == ("[CLS]", "[SEP]")
    assert tokens.blank
    assert not minilm.tokenize("a").blank
    assert not Tokens(strings=("a",)).blank


def test_what_a_model_passes_over_is_counted(minilm) -> None:
    assert minilm.tokenize("a \ufffd b").remarks.lost == 1
    assert minilm.tokenize("the café, naïve “law” — İstanbul ﬁne ½ 𝒳").remarks.lost == 0
    assert minilm.tokenize("x\u0302 y\u0323").remarks.lost == 0  # accents go without saying: it reads no others


def test_a_word_is_unknown_where_the_unknown_token_has_another_task_too() -> None:
    """GPT-2 writes the end, the beginning and the unknown with one token."""
    backend = Tokenizer(BPE(vocab={"<|end|>": 0, "a": 1, "b": 2}, merges=[], unk_token="<|end|>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    reading = Tokenizing(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<|end|>", eos_token="<|end|>"))
    tokens = reading.read("a 京 <|end|> b", 9, special=True, plain=False)
    assert (tokens.unknown, tokens.remarks.typed) == (1, ("<|end|>",))


def test_signs_without_a_piece_become_one_in_a_vocabulary_of_probabilities() -> None:
    pieces = [("<unk>", -9.0), ("\u2581", -3.0), ("\u2581the", -1.0)]
    backend = Tokenizer(Unigram(pieces, unk_id=0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    reading = Tokenizing(PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>"))
    tokens = reading.read("the 京東京", 9, special=True, plain=False)
    assert tokens.remarks.merged == ("京東京",)
    assert tokens.remarks.unknown_token == "<unk>"


def test_a_tokenizer_written_in_python_says_what_was_typed() -> None:
    reading = Tokenizing(ByT5Tokenizer())
    assert reading.read("a</s>b", 9, special=True, plain=False).remarks.typed == ("</s>",)
    assert reading.read("a</s>b", 9, special=True, plain=True).strings == ("a", "<", "/", "s", ">", "b", "</s>")


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "law", "saw", "king", "##s"]


def unresized(added: list[str]) -> Pretrained:
    """A model whose tokenizer has learned more words than its embedding has rows."""
    register()
    config = AutoConfig.for_model(
        "bert", vocab_size=len(WORDS), hidden_size=12, num_hidden_layers=1, num_attention_heads=3, intermediate_size=11
    )
    torch.manual_seed(3)
    tokenizer = AutoTokenizer.from_pretrained(embedded_folder())
    tokenizer = type(tokenizer)(vocab={word: at for at, word in enumerate(WORDS)})
    tokenizer.add_tokens(added)
    return Pretrained("mine", AutoModel.from_config(config, attn_implementation="headlight"), tokenizer)


@pytest.mark.parametrize(
    ("added", "text", "beyond"),
    [
        ([f"new{at}" for at in range(20)], "the new7 law", ("new7",)),
        ([f"new{at}" for at in range(20)], "new0 new19 new0", ("new0", "new19")),
        (["quick", "fox", "jumps"], "the fox", ("fox",)),  # words of the sentence by which a model is tried
        (["京"], "京", ("京",)),
    ],
)
def test_a_word_beyond_the_embedding_is_named_and_other_sentences_are_read(added, text, beyond) -> None:
    model = unresized(added)
    with pytest.raises(Unreadable) as caught:
        model.tokenize(text)
    assert caught.value.words == beyond
    assert beyond[0] in str(caught.value)
    tokens = model.tokenize("the law saw")
    assert tokens.strings == ("[CLS]", "the", "law", "saw", "[SEP]")
    weights = model.run(tokens).layers[0].attention.weights
    assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
