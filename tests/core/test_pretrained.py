"""Our attention inside transformers equals transformers' own eager attention, family by family, on tiny models."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram, WordPiece
from torch.testing import assert_close
from transformers import AutoConfig, AutoModel, AutoTokenizer, ByT5Tokenizer, PreTrainedTokenizerFast

from attention_core import gradients
from attention_core.models import ModelError, Pretrained, Settings, load, load_embedded
from attention_core.models.pretrained import embedded_folder, register

TEXT = {"input_ids": torch.tensor([[2, 17, 5, 11, 3, 7, 13]])}
PAIR = TEXT | {"decoder_input_ids": torch.tensor([[2, 19, 23, 5, 31]])}
SMALL = {"vocab_size": 37, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 6, "intermediate_size": 29}
GROUPED = SMALL | {"num_key_value_heads": 3, "head_dim": 4}
BART = {
    "vocab_size": 37,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 29,
    "decoder_ffn_dim": 29,
}

# family: (config, inputs, attention calls in one forward pass, matrices that must be found)
FAMILIES = {
    "bert": (SMALL, TEXT, 2, "QKVO"),
    "roberta": (SMALL | {"pad_token_id": 1}, TEXT, 2, "QKVO"),
    "distilbert": ({"vocab_size": 37, "dim": 24, "n_layers": 2, "n_heads": 3, "hidden_dim": 29}, TEXT, 2, "QKVO"),
    "albert": (SMALL | {"embedding_size": 11}, TEXT, 2, "QKVO"),
    "electra": (SMALL | {"embedding_size": 11}, TEXT, 2, "QKVO"),
    "gpt2": ({"vocab_size": 37, "n_embd": 24, "n_layer": 2, "n_head": 3}, TEXT, 2, "QKVO"),
    "gpt_neox": (SMALL | {"rotary_pct": 0.5}, TEXT, 2, "QKVO"),
    "opt": ({"vocab_size": 37, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "ffn_dim": 29,
             "word_embed_proj_dim": 24}, TEXT, 2, "QKVO"),
    "llama": (GROUPED, TEXT, 2, "QKVO"),
    "mistral": (GROUPED | {"sliding_window": 3}, TEXT, 2, "QKVO"),
    "gemma2": (GROUPED | {"sliding_window": 3, "attn_logit_softcapping": 0.5}, TEXT, 2, "QKVO"),
    "qwen2": (SMALL | {"num_key_value_heads": 3}, TEXT, 2, "QKVO"),
    "qwen3": (GROUPED, TEXT, 2, "VO"),  # q and k are normalised after W_Q and W_K
    "modernbert": (SMALL | {"pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2, "bos_token_id": 1,
                            "eos_token_id": 2}, TEXT, 2, "QKVO"),
    "t5": ({"vocab_size": 37, "d_model": 24, "d_kv": 7, "num_layers": 2, "num_heads": 3, "d_ff": 29}, PAIR, 6, "QKVO"),
    "bart": (BART, PAIR, 6, "QKVO"),
    "vit": ({"image_size": 12, "patch_size": 4, "num_channels": 1, "hidden_size": 24, "num_hidden_layers": 2,
             "num_attention_heads": 3, "intermediate_size": 29},
            {"pixel_values": torch.linspace(-1, 1, 144).reshape(1, 1, 12, 12)}, 2, "QKVO"),
    "whisper": (BART | {"num_mel_bins": 5, "max_source_positions": 11, "pad_token_id": 0},
                {"input_features": torch.linspace(-1, 1, 110).reshape(1, 5, 22),
                 "decoder_input_ids": torch.tensor([[2, 19, 23, 5, 31]])}, 6, "QKVO"),
}  # fmt: skip


def tiny(family: str, implementation: str) -> torch.nn.Module:
    config = AutoConfig.for_model(family, **FAMILIES[family][0])
    torch.manual_seed(7)
    model = AutoModel.from_config(config, attn_implementation=implementation).eval()
    for parameter in model.parameters():  # biases start at zero, which would hide a lost one
        parameter.data.normal_(std=0.3, generator=torch.Generator().manual_seed(parameter.numel()))
    return model


def traced(family: str) -> Pretrained:
    register()
    return Pretrained(family, tiny(family, "headlight"), None, FAMILIES[family][1])


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_states_and_weights_equal_eager(family: str) -> None:
    _, inputs, n_calls, _ = FAMILIES[family]
    with torch.no_grad():
        eager = tiny(family, "eager")(**inputs, output_attentions=True)
    output, layers = traced(family).trace(inputs)
    assert len(layers) == n_calls
    assert_close(output, eager.last_hidden_state[0], rtol=0, atol=0)
    for stack, attribute in (("layer", "attentions"), ("encoder", "encoder_attentions"),
                             ("decoder", "decoder_attentions"), ("cross", "cross_attentions")):  # fmt: skip
        ours = [layer.attention.weights for layer in layers if layer.name.stack == stack]
        theirs = [weights[0] for weights in getattr(eager, attribute, None) or ()]
        assert len(ours) == len(theirs) or not ours
        for a, b in zip(ours, theirs, strict=False):
            assert_close(a, b, rtol=0, atol=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
def test_matrices_explain_what_was_computed(family: str) -> None:
    _, inputs, _, exposed = FAMILIES[family]
    for layer in traced(family).trace(inputs)[1]:
        shown = {name for name in "QKVO" if getattr(layer.projections, f"W_{name}") is not None}
        assert shown == set(exposed)
        v = layer.projected("v")
        assert v is not None
        assert_close(v, layer.attention.v, rtol=1e-4, atol=1e-5)
        output = layer.output()
        assert output is not None
        assert output.shape[0] == len(layer.queries)


def test_embedded_model_equals_eager_bit_for_bit() -> None:
    model = load_embedded()
    tokens = model.tokenize("The animal didn't cross the street because it was too tired")
    with torch.no_grad():
        eager = AutoModel.from_pretrained(embedded_folder(), attn_implementation="eager", dtype=torch.float32).eval()(
            input_ids=torch.tensor([tokens.ids]), output_attentions=True
        )
    run = model.run(tokens)
    assert tokens.strings[0] == "[CLS]"
    assert_close(run.output, eager.last_hidden_state[0], rtol=0, atol=0)
    for layer, weights in zip(run.layers, eager.attentions, strict=True):
        assert_close(layer.attention.weights, weights[0], rtol=0, atol=0)
        q, k = layer.projected("q"), layer.projected("k")
        assert q is not None
        assert k is not None
        assert_close(q, layer.attention.q, rtol=1e-5, atol=1e-5)
        assert_close(k, layer.attention.k, rtol=1e-5, atol=1e-5)


def test_output_projection_is_the_models_own() -> None:
    model = load_embedded()
    block = model._model.encoder.layer[2].attention.output.dense
    seen = []
    handle = block.register_forward_hook(lambda module, args, output: seen.append(output[0]))
    run = model.run(model.tokenize("Thinking Machines"))
    handle.remove()
    assert_close(run.layers[2].output(), seen[0], rtol=1e-5, atol=1e-5)


def test_settings_reach_the_inside_of_the_model() -> None:
    model = load_embedded()
    tokens = model.tokenize("Thinking Machines")
    plain = model.run(tokens)
    first = plain.layers[0].attention
    hot = model.run(tokens, Settings(temperature=2.0, layers=(0,))).layers
    assert_close(hot[0].attention.weights, (first.scaled_scores / 2.0).softmax(-1))
    assert hot[1].settings == Settings()
    louder = model.run(tokens, Settings(input_scale=3.0)).layers[0].attention
    assert_close(louder.scores, first.scores * 9.0, rtol=1e-5, atol=1e-4)
    unscaled = model.run(tokens, Settings(scaling="none")).layers[0].attention
    assert_close(unscaled.scaled_scores, first.scores)
    causal = model.run(tokens, Settings(mask="causal")).layers[3].attention.weights
    assert_close(causal.triu(1), torch.zeros_like(causal))
    window = model.run(tokens, Settings(mask="window", radius=1)).layers[3].attention.weights
    assert_close(window.triu(2) + window.tril(-2), torch.zeros_like(window))


def test_an_ablated_head_hands_on_nothing() -> None:
    model = load_embedded()
    tokens = model.tokenize("Thinking Machines")
    off = model.run(tokens, Settings(ablated=frozenset({(1, 5)})))
    assert_close(off.layers[1].attention.context[5], torch.zeros_like(off.layers[1].attention.context[5]))
    dense = model._model.encoder.layer[1].attention.output.dense
    kept = dense.weight.detach().clone()
    dense.weight.data[:, 5 * 32 : 6 * 32] = 0  # the oracle: the head's rows of W_O deleted
    deleted = model._model(input_ids=torch.tensor([tokens.ids])).last_hidden_state[0]
    dense.weight.data = kept
    assert_close(off.output, deleted, rtol=1e-5, atol=1e-5)


def test_runs_in_threads_do_not_mix() -> None:
    model = load_embedded()
    texts = ["Thinking Machines", "The law will never be perfect", "its"]
    alone = [model.run(model.tokenize(text)).output for text in texts]
    together: dict[int, list[torch.Tensor]] = {i: [] for i in range(len(texts))}

    def work(i: int) -> None:
        for _ in range(5):
            together[i].append(model.run(model.tokenize(texts[i])).output)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, outputs in together.items():
        assert len(outputs) == 5
        for output in outputs:
            assert_close(output, alone[i], rtol=0, atol=0)


def test_long_text_is_cut_at_the_models_limit_and_counted() -> None:
    model = load_embedded()
    tokens = model.tokenize("cat " * 600)
    assert len(tokens) == model.max_tokens
    assert tokens.dropped == 600 - (model.max_tokens - 2)
    assert tokens.strings[-1] == "[SEP]"
    assert model.tokenize("🙂").unknown == 1
    assert len(model.tokenize("")) == 2


def test_a_long_text_among_short_ones_in_eight_threads_gives_what_one_thread_gives() -> None:
    """Short and long by turns, each thread at another place: a switch on the shared tokenizer would be seen."""
    model = load_embedded()
    texts = ["Thinking Machines", "cat " * 600, "the law", "its", "a b c", "law " * 9]
    alone = [model.tokenize(text) for text in texts]
    assert [len(tokens) for tokens in alone] == [4, 512, 4, 3, 5, 11]

    def wrong(start: int) -> int:
        turns = [(start + i) % len(texts) for i in range(400)]
        return sum(model.tokenize(texts[i]) != alone[i] for i in turns)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(wrong, range(8))) == 0


def byte_level(merges: list[str]) -> PreTrainedTokenizerFast:
    """As GPT-2's tokenizer: 256 tokens of one byte each, what the merges make of them, and one special token."""
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    pieces = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *(left + right for left, right in pairs)]
    tokenizer = Tokenizer(BPE(vocab={piece: at for at, piece in enumerate(pieces)}, merges=pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>")


# GPT-2 writes byte 20 as Ġ; 我 is E6 88 91 (æ Ī ĳ), 是 is E6 98 AF (æ ĺ ¯), 🙂 is F0 9F 99 82 (ð Ł Ļ Ĥ).
MERGES = ["t h", "th e", "l a", "la w", "Ġ law", "æ Ī", "æĪ ĳ", "Ġ æ", "Ġ ,", "ð Ł", "Ļ Ĥ"]


def llama_like() -> PreTrainedTokenizerFast:
    tokenizer = byte_level(MERGES)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend_tokenizer, bos_token="<s>", eos_token="</s>", add_bos_token=True,
        add_eos_token=False,
    )  # fmt: skip


def t5_like() -> PreTrainedTokenizerFast:
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), ("\u2581", -3.0), ("\u2581the", -1.0), ("law", -2.0)]
    tokenizer = Tokenizer(Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>", pad_token="<pad>")


def roberta_like() -> PreTrainedTokenizerFast:
    tokenizer = byte_level(MERGES)
    tokenizer.add_special_tokens({"cls_token": "<s>", "sep_token": "</s>"})
    ends = [(token, tokenizer.convert_tokens_to_ids(token)) for token in ("</s>", "<s>")]
    tokenizer.backend_tokenizer.post_processor = processors.RobertaProcessing(*ends)
    return tokenizer


TOKENIZERS = {
    "bert": lambda: AutoTokenizer.from_pretrained(embedded_folder()),
    "gpt2, no special tokens": lambda: byte_level(MERGES),
    "llama, one before": llama_like,
    "t5, one after": t5_like,
    "roberta": roberta_like,
    "byt5, written in Python": ByT5Tokenizer,
}


@pytest.mark.parametrize("text", ["", "the law", "the law " * 5, "the law 我 " * 60])
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", TOKENIZERS)
def test_a_text_is_cut_as_the_tokenizers_own_truncation_cuts_it(kind: str, side: str, text: str) -> None:
    """The file of a tokenizer may say that it cuts at another length and pads: neither is done."""
    register()
    shared, own = TOKENIZERS[kind](), TOKENIZERS[kind]()
    shared.truncation_side = own.truncation_side = side
    if shared.is_fast:
        shared.backend_tokenizer.enable_truncation(7)
        shared.backend_tokenizer.enable_padding(length=23)
    model = Pretrained("gpt2", tiny("gpt2", "headlight"), shared, TEXT)
    model.max_tokens = 19
    for special in (True, False):
        tokens = model.tokenize(text, special=special)
        theirs = own(text, add_special_tokens=special, truncation=True, max_length=19)["input_ids"]
        assert list(tokens.ids) == theirs
        whole = own(text, add_special_tokens=special, truncation=False)["input_ids"]
        assert tokens.dropped == len(whole) - len(theirs)


def spelled(text: str, tokenizer: PreTrainedTokenizerFast) -> tuple[str, ...]:
    register()
    return Pretrained("gpt2", tiny("gpt2", "headlight"), tokenizer, TEXT).tokenize(text).strings


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("the law", ("the", " law")),
        (" a  law ,\n", (" ", "a", " ", " law", " ,", "\n")),  # a space at the edge, two in a row, one before a comma
        ("我", ("我",)),  # three bytes, one token
        ("我是", ("我", "‹E6›", "‹98›", "‹AF›")),
        ("a 是", ("a", "‹20›‹E6›", "‹98›", "‹AF›")),  # a space and the first byte of 是 are one token
        ("🙂", ("‹F0›‹9F›", "‹99›‹82›")),
        ("é", ("‹C3›", "‹A9›")),
        ("<|end|>law", ("<|end|>", "law")),
        ("Ġ‹E6›", ("‹C4›", "‹A0›", *("‹E2›", "‹80›", "‹B9›"), "E", "6", *("‹E2›", "‹80›", "‹BA›"))),
    ],
)
def test_byte_level_tokens_are_spelled_as_text_and_bytes_that_are_no_character_in_hex(text: str, tokens) -> None:
    assert spelled(text, byte_level(MERGES)) == tokens


@pytest.mark.parametrize(
    "text",
    [
        "the law , 我是学生。 🙂🙂 a\n\tb",
        "   ",
        "\u00a0é\ufffd\x00\x7f",
        "مرحبا \U0001f468\u200d\U0001f469",
        "Ġ ▁ ## Ċ",
    ],
)
def test_spelled_byte_level_tokens_joined_are_the_text_again(text: str) -> None:
    """Exactly, once each ‹E6› is read as its byte: nothing is lost between the text and the tokens."""
    for merges in ([], MERGES):
        joined = "".join(spelled(text, byte_level(merges)))
        parts = re.split("‹([0-9A-F]{2})›", joined)  # text and bytes by turns
        rejoined = b"".join(bytes.fromhex(part) if i % 2 else part.encode() for i, part in enumerate(parts))
        assert rejoined == text.encode()


def test_tokens_of_other_tokenizers_are_spelled_as_they_are_but_for_the_sign_of_a_space() -> None:
    vocabulary = {"[UNK]": 0, "\u2581the": 1, "##Ċ": 2, "law": 3}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordPiece(vocabulary, unk_token="[UNK]")))
    assert spelled("\u2581theĊ", tokenizer) == (" the", "##Ċ")


def saved_bert(folder) -> None:
    model = tiny("bert", "eager")
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "law"]))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))


def test_a_local_folder_loads(tmp_path) -> None:
    saved_bert(tmp_path)
    model = load(str(tmp_path), name="mine")
    assert model.tokenize("the law").strings == ("[CLS]", "the", "law", "[SEP]")
    assert len(model.run(model.tokenize("the law")).layers) == 2


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("damaged", lambda folder: (folder / "model.safetensors").write_bytes(b"\x09" * 77)),
        ("damaged", lambda folder: _truncate(folder / "model.safetensors")),
        ("damaged", lambda folder: (folder / "config.json").write_text("{")),
        ("pickle", lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin")),
        ("unknown", lambda folder: (folder / "config.json").unlink()),
        ("missing", lambda folder: (folder / "model.safetensors").unlink()),
    ],
)
def test_a_bad_folder_is_one_clear_sentence(tmp_path, kind: str, spoil) -> None:
    saved_bert(tmp_path)
    spoil(tmp_path)
    with pytest.raises(ModelError) as caught:
        load(str(tmp_path), name="mine")
    assert caught.value.kind == kind
    assert "mine" in str(caught.value)
    assert str(caught.value).count(".") >= 1


def _truncate(file) -> None:
    file.write_bytes(file.read_bytes()[:-101])


@pytest.mark.parametrize(("source", "kind"), [("no such model!", "unknown"), ("nobody/nothing", "network")])
def test_an_unknown_name_is_one_clear_sentence(source: str, kind: str, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError) as caught:
        load(source)
    assert caught.value.kind == kind


def test_a_model_without_visible_attention_says_so() -> None:
    config = AutoConfig.for_model("deberta", **SMALL)
    with pytest.raises(ModelError) as caught:
        Pretrained("deberta", AutoModel.from_config(config), None, TEXT)
    assert caught.value.kind == "no_attention"


def test_a_changed_weights_file_of_the_embedded_model_is_refused(tmp_path, monkeypatch) -> None:
    saved_bert(tmp_path)
    monkeypatch.setattr("attention_core.models.pretrained.loading.embedded_folder", lambda: tmp_path)
    with pytest.raises(ModelError) as caught:
        load_embedded()
    assert caught.value.kind == "hash"


def test_missing_tensors_are_refused_not_filled_with_random_numbers(tmp_path) -> None:
    saved_bert(tmp_path)
    file = tmp_path / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(file).items() if "layer.1.attention.self.query" not in name}
    save_file(kept, file, metadata={"format": "pt"})
    with pytest.raises(ModelError) as refused:
        load(str(tmp_path), name="mine")
    assert refused.value.kind == "incomplete"


def test_a_graph_runs_through_the_whole_model_when_it_is_asked_for() -> None:
    """∂/∂W_Q from the traced q against the gradient of the same weight in transformers' eager model."""
    inputs = FAMILIES["bert"][1]
    eager = tiny("bert", "eager").requires_grad_(True)
    direction = torch.randn(eager.config.hidden_size, generator=torch.Generator().manual_seed(1))
    (eager(**inputs).last_hidden_state[0] * direction).sum().backward()
    output, layers = traced("bert").trace(inputs, grad=True)
    for layer in layers:
        slopes = gradients((output * direction).sum(), layer.attention)
        assert layer.x is not None
        ours = (layer.x.detach().mT @ slopes.q).transpose(0, 1).flatten(1).T  # heads side by side, as nn.Linear has it
        theirs = eager.get_submodule(f"encoder.layer.{layer.index}.attention.self.query").weight.grad
        assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def word_level(size: int) -> PreTrainedTokenizerFast:
    words = ["<s>", "<pad>", "</s>", "<unk>", "the", "law", "saw", *(f"w{i}" for i in range(size - 7))]
    tokenizer = Tokenizer(WordPiece({word: index for index, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>")


def test_positions_counted_from_after_the_padding_leave_room_for_fewer_tokens() -> None:
    register()
    config = AutoConfig.for_model(
        "roberta", vocab_size=31, hidden_size=12, num_hidden_layers=1, num_attention_heads=3, intermediate_size=11,
        max_position_embeddings=13, pad_token_id=1,
    )  # fmt: skip
    network = AutoModel.from_config(config, attn_implementation="headlight").eval()
    model = Pretrained("roberta", network, word_level(31))
    assert model.max_tokens == 13 - 2
    tokens = model.tokenize("the law " * 40)
    assert len(tokens) == 11
    assert len(model.run(tokens).layers) == 1


def test_a_decoder_reads_its_target_one_token_late_after_its_start_token() -> None:
    register()
    config = AutoConfig.for_model(
        "bart", vocab_size=31, d_model=12, encoder_layers=1, decoder_layers=1, encoder_attention_heads=3,
        decoder_attention_heads=3, encoder_ffn_dim=11, decoder_ffn_dim=11, max_position_embeddings=29,
        decoder_start_token_id=2, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    torch.manual_seed(3)
    network = AutoModel.from_config(config, attn_implementation="headlight").eval()
    theirs = AutoModel.from_config(deepcopy(config), attn_implementation="eager").eval()
    theirs.load_state_dict(network.state_dict())
    model = Pretrained("bart", network, word_level(31))
    source, target = model.tokenize("the law saw"), model.tokenize("w1 w2 w3 w4 w5")
    run = model.run(source, target=target)
    ids = torch.tensor([target.ids])
    with torch.no_grad():
        expected = theirs(
            input_ids=torch.tensor([source.ids]),
            decoder_input_ids=torch.cat([torch.tensor([[config.decoder_start_token_id]]), ids[:, :-1]], dim=1),
            output_attentions=True,
        )
    assert run.tokens.strings == ("</s>", "w1", "w2", "w3", "w4")
    assert_close(run.output, expected.last_hidden_state[0])
    crossed = next(layer for layer in run.layers if layer.name.stack == "cross")
    assert_close(crossed.attention.weights, expected.cross_attentions[0][0])
    assert crossed.queries == run.tokens.strings
