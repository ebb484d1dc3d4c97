"""The Pipeline page through app.py: in both languages, with every setting, whatever is typed or stands in a link."""

import json
import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch.nn.functional import scaled_dot_product_attention
from torch.testing import assert_close
from transformers import AutoConfig, AutoModel, AutoTokenizer

from attention_core.models.pretrained import embedded_folder
from pages.explore.pipeline.cell import Cell
from tests.harness.training import arrived, fine, link_of
from ui.sentences import first_of
from ui.text import LANGUAGES, words

APP = Path(__file__).parents[3] / "app.py"
TEXT = "The law saw the king, but its city should be just."
SCRATCH = "scratch"
TITLES = ("x", "W", "qkv", "scores", "scaled", "masked", "exp", "weights", "context", "concat", "output")
PLAIN = ("text", "code", "dataframe", "bidi_component")  # what is shown as it stands, never as Markdown or HTML
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def opened(**link: str) -> AppTest:
    return fine(arrived("pipeline", **link))


def elements(node) -> Iterator:
    """Everything on the page: `get` of AppTest knows neither popovers nor components."""
    for child in getattr(node, "children", {}).values():
        yield child
        yield from elements(child)


def pictures(app: AppTest) -> dict[str, tuple[dict, dict[str, torch.Tensor]]]:
    """What each canvas was sent, by its key: the JSON and its arrays by panel, read as ARCHITECTURE.md says."""
    frames = {}
    for element in elements(app._tree):
        if getattr(element, "type", "") == "bidi_component" and element.proto.bytes:
            frame = element.proto.bytes
            magic, _, length = struct.unpack_from("<4sII", frame)
            assert magic == b"HDLT"
            header = json.loads(frame[12 : 12 + length])
            arrays = {}
            for panel in (panel for row in header["meta"]["panels"] for panel in row):
                spec = header["arrays"][panel["array"]]
                count = int(np.prod(spec["shape"]))
                values = np.frombuffer(frame, "<f4", count, 12 + length + spec["offset"])
                arrays[panel["name"]] = torch.tensor(values).reshape(spec["shape"])
            frames[element.key] = (header["meta"], arrays)
    return frames


def drawn(app: AppTest, stage: str) -> dict[str, torch.Tensor]:
    return pictures(app)[f"canvas_{stage}"][1]


def strip(app: AppTest) -> dict:
    return pictures(app)["strip_canvas"][0]


def stages_of(app: AppTest) -> dict[str, bytes]:
    """What every canvas but the strip was sent, byte for byte."""
    return {
        element.key: element.proto.bytes
        for element in elements(app._tree)
        if getattr(element, "type", "") == "bidi_component" and str(element.key).startswith("canvas_")
    }


def titles(app: AppTest) -> list[str]:
    """Of stages and of what else there is, in order; a stage that is folded away is called what its fold is."""
    folds = {words("pipeline", language)["stage.masked.title"] for language in LANGUAGES}
    named = (
        (element.type, getattr(element, "label", "") or getattr(element, "value", ""))
        for element in elements(app._tree)
    )
    return [name for kind, name in named if kind == "header" or (kind == "expander" and name in folds)]


@cache
def eager():
    return AutoModel.from_pretrained(embedded_folder(), attn_implementation="eager", dtype=torch.float32).eval()


@cache
def eager_head(text: str, layer: int, head: int) -> tuple[list[str], dict[str, torch.Tensor]]:
    """The tokens, and the stages of one head, by transformers alone; layer and head are counted from 0."""
    tokenizer = AutoTokenizer.from_pretrained(embedded_folder())
    ids = tokenizer(text)["input_ids"]
    with torch.no_grad():
        run = eager()(input_ids=torch.tensor([ids]), output_attentions=True, output_hidden_states=True)
        inner = eager().encoder.layer[layer].attention
        x = run.hidden_states[layer]
        q, k, v = (getattr(inner.self, name)(x)[0].unflatten(-1, (12, 32)) for name in ("query", "key", "value"))
        weights = run.attentions[layer][0]
        context = torch.einsum("hij,jhc->ihc", weights, v)
        output = inner.output.dense(context.flatten(1))
    stages = {"x": x[0], "q": q[:, head], "k": k[:, head], "v": v[:, head], "weights": weights[head]}
    stages |= {"scores": q[:, head] @ k[:, head].T, "context": context[:, head], "concat": context.flatten(1)}
    return tokenizer.convert_ids_to_tokens(ids), stages | {"output": output}


def softmax_of_live(app: AppTest) -> torch.Tensor:
    """The weights as the browser makes them: the panel holds scores at temperature 1, NaN where masked."""
    return drawn(app, "weights")["weights"].nan_to_num(nan=-torch.inf).softmax(-1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_opens_with_the_default_sentence_and_every_title(language: str) -> None:
    app = opened(lang=language)
    assert not app.warning
    sentence = first_of(language)
    layer, head, *_ = sentence.look
    assert app.text_input(key="text").value == sentence.text
    tokens, stages = eager_head(sentence.text, layer - 1, head - 1)
    assert strip(app)["queries"] == strip(app)["keys"] == tokens
    assert_close(softmax_of_live(app), stages["weights"], rtol=0, atol=1e-6)
    page = words("pipeline", language)
    expected = [page[f"stage.{stage}.title"] for stage in TITLES] + [page["ledger.title"], page["split.title"]]
    assert titles(app) == expected
    assert all(re.search("[\u4e00-\u9fff]", title) for title in titles(app)) == (language == "zh")


def test_another_sentence_is_read_as_transformers_reads_it() -> None:
    app = opened()
    fine(app.text_input(key="text").set_value(TEXT).run())
    tokens, stages = eager_head(TEXT, 3, 1)
    assert strip(app)["queries"] == tokens
    assert_close(drawn(app, "x")["x"], stages["x"], rtol=1e-5, atol=1e-5)
    assert_close(softmax_of_live(app), stages["weights"], rtol=0, atol=1e-6)
    looked = strip(app)["focus"].values()
    assert link_of(app) == {"text": TEXT, "focus": ",".join(map(str, looked))}


def test_another_layer_and_head_show_their_own_numbers() -> None:
    app = opened(text=TEXT)
    layer, head = (next(group for group in app.segmented_control if group.key == key) for key in ("layer", "head"))
    layer.set_value(2)
    head.set_value(10)
    fine(app.run())
    stages = eager_head(TEXT, 2, 10)[1]
    for stage, names in {"qkv": "qkv", "scores": ("scores",), "context": ("weights", "context")}.items():
        for name in names:
            assert_close(drawn(app, stage)[name], stages[name], rtol=1e-4, atol=1e-5, msg=name)
    assert_close(drawn(app, "output")["output"], stages["output"], rtol=1e-4, atol=1e-5)
    assert link_of(app).pop("focus") == ",".join(map(str, strip(app)["focus"].values()))
    assert link_of(app).items() >= {"text": TEXT, "layer": "3", "head": "11"}.items() and len(link_of(app)) == 4


@pytest.mark.parametrize("model", ["all-MiniLM-L6-v2", SCRATCH])
@pytest.mark.parametrize("mask", ["none", "causal"])
def test_every_model_and_mask_shows_what_torchs_own_attention_gives(model: str, mask: str) -> None:
    app = opened(text=TEXT, lang="en")
    app.selectbox(key="model").set_value(model)
    next(group for group in app.segmented_control if group.key == "mask").set_value(mask)
    fine(app.run())
    if model == SCRATCH:
        fine(app.number_input(key="d_v").set_value(13).run())  # d_k and d_v differ
    assert any("Untrained" in info.value for info in app.info) == (model == SCRATCH)
    q, k, v = (drawn(app, "qkv")[name][None] for name in "qkv")
    assert v.shape[-1] == (13 if model == SCRATCH else 32)
    expected = scaled_dot_product_attention(q, k, v, is_causal=mask == "causal")[0]
    assert_close(drawn(app, "context")["context"], expected, rtol=1e-4, atol=1e-5)
    n = q.shape[1]
    hatched = torch.ones(n, n, dtype=torch.bool).triu(1) if mask == "causal" else torch.zeros(n, n, dtype=torch.bool)
    for stage in ("masked", "exp", "weights"):
        assert_close(drawn(app, stage)[stage].isnan(), hatched)
    assert ("[CLS]" in strip(app)["queries"]) == (model != SCRATCH)  # the layer really is the one chosen


@pytest.mark.parametrize("blank", ["", "   ", "\t\u200b"])
def test_without_a_sentence_there_is_one_warning_and_the_last_good_picture(blank: str) -> None:
    app = opened(text=TEXT, layer="2", mask="causal")
    before, tokens = stages_of(app), strip(app)["queries"]
    assert len(before) == len(TITLES)
    fine(app.text_input(key="text").set_value(blank).run())
    assert len(app.warning) == 1
    assert stages_of(app) == before
    assert strip(app)["queries"] == tokens
    fine(app.text_input(key="text").set_value("Thinking Machines").run())
    assert not app.warning
    assert stages_of(app) != before


def test_a_link_to_a_blank_sentence_shows_the_default_one_with_one_warning() -> None:
    app = opened(text=" ")
    assert len(app.warning) == 1
    assert stages_of(app) == stages_of(opened())


HOSTILE = (
    "<script>zebra</script>",
    "<img src=x onerror=zebra()>",
    "[zebra](javascript:1)",
    "![zebra](http://example.org/a.png)",
    "$zebra$",
    r"$$\href{javascript:1}{zebra}$$",
    ":red[zebra]",
    "`zebra` ``zebra",
    "# zebra :material/home: **zebra**",
)  # every one holds the marker, which no word of the page does


def strings(message) -> Iterator[str]:
    """Every string anywhere in a protobuf message."""
    for field, value in message.ListFields():
        for item in value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]:
            if isinstance(item, str) and field.name != "id":
                yield item
            elif hasattr(item, "ListFields"):
                yield from strings(item)


def rendered(app: AppTest) -> Iterator[tuple[str, str]]:
    """What a browser may read as Markdown or HTML, labels included: (what it is, its text without inline code)."""
    for element in elements(app._tree):
        kind = getattr(element, "type", "")
        if getattr(element, "proto", None) is None or kind in PLAIN:
            continue
        typed = {element.proto.value, element.proto.default} if kind == "text_input" else set()
        for text in strings(element.proto):
            if text not in typed:
                yield kind, re.sub(r"(?s)(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


@pytest.mark.parametrize("model", ["all-MiniLM-L6-v2", SCRATCH])
@pytest.mark.parametrize("text", HOSTILE)
def test_what_was_typed_reaches_no_markdown_and_no_html(text: str, model: str) -> None:
    app = opened(model=model)
    app.text_input(key="text").set_value(text)
    fine(app.run())
    at = strip(app)["queries"].index("zebra")
    app.session_state["focus"] = (at, at)  # the explanation names the tokens in focus
    fine(app.run())
    place = next(element.value for element in app.text)
    assert place.count("zebra") == 2
    assert any("zebra" in code.value for code in app.code)  # the script to take away
    seen = list(rendered(app))
    assert {"markdown", "caption", "header", "latex", "html", "popover", "button"} <= {kind for kind, _ in seen}
    assert not [(kind, written) for kind, written in seen if "zebra" in written]


@pytest.mark.parametrize(
    "link",
    [
        {"layer": "99"},
        {"head": "-1"},
        {"focus": "x"},
        {"focus": "-3,2.5"},
        {"cell": "foo,9,9"},
        {"cell": "W_Q,-5,0"},
        {"cell": "q"},
        {"temperature": "nan"},
        {"alpha": "7"},
        {"model": "unknown"},
        {"mask": "<script>"},
        {"lang": "tlh"},
        {"layer": "99", "head": "-1", "focus": "x", "cell": "foo,9,9", "temperature": "nan", "alpha": "7",
         "model": "unknown"},
    ],
)  # fmt: skip
def test_nonsense_in_a_link_opens_the_default(link: dict[str, str]) -> None:
    app, default = opened(**link), opened()
    assert not app.warning
    assert stages_of(app) == stages_of(default)
    n = len(strip(app)["queries"])
    assert all(0 <= at < n for at in strip(app)["focus"].values())
    assert r"\alpha_" in app.latex[0].value  # a weight is explained, as by default


def test_a_cell_outside_its_panel_is_moved_into_it() -> None:
    app = opened(text=TEXT, focus="999,999", cell="q,999,999", lang="en")
    query = strip(app)["focus"]["query"]
    assert app.text[0].value == f"query {query + 1}: {eager_head(TEXT, 3, 1)[0][query]}\nd_k 32"


def number(text: str) -> float:
    """A number as the page writes it: a true minus sign, powers of ten with superscripts."""
    mantissa, _, power = text.partition("·10")
    return float(mantissa.replace("−", "-")) * 10.0 ** int(power.translate(SUPERSCRIPTS) or 0)


@pytest.mark.parametrize(
    ("panel", "row", "col"),
    [("weights", 5, 4), ("scores", 5, 4), ("x", 3, 211), ("q", 5, 17), ("k", 7, 2), ("v", 2, 29), ("context", 5, 23),
     ("concat", 11, 307), ("output", 5, 101)],
)  # fmt: skip
def test_the_margin_gives_the_number_of_transformers_eager_attention(panel: str, row: int, col: int) -> None:
    tokens, stages = eager_head(TEXT, 2, 7)
    app = opened(text=TEXT, layer="3", head="8", lang="en")
    query, key = (5, row) if panel in "kv" else (row, col if panel in ("weights", "scores") else 4)
    app.session_state["cell"], app.session_state["focus"] = Cell(panel, row, col), (query, key)  # as a click does
    fine(app.run())
    captions = [caption.value for caption in app.caption if caption.value.startswith("torch computed ")]
    assert len(captions) == 1
    match = re.fullmatch(r"torch computed (\S+?)[.;](?: .*)?", captions[0])
    assert match
    assert_close(number(match[1]), float(stages[panel][row, col]), rtol=6e-4, atol=1e-6)  # 4 digits are written
    first, second = app.text[0].value.split("\n")
    asks = "token" if panel in ("x", "concat", "output") else "key" if panel in "kv" else "query"
    assert first == f"{asks} {row + 1}: {tokens[row]}"
    if panel in ("weights", "scores"):
        assert second == f"key {col + 1}: {tokens[col]}"
    shared = opened(text=TEXT, layer="3", head="8", lang="en", cell=f"{panel},{row},{col}", focus=f"{query},{key}")
    assert [caption.value for caption in shared.caption if caption.value.startswith("torch computed ")] == captions


GEMMA2 = {"hidden_size": 66, "num_hidden_layers": 2, "num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 10,
          "intermediate_size": 29, "attn_logit_softcapping": 0.5}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_with_soft_capping_has_a_stage_more(language: str, tmp_path, monkeypatch) -> None:
    model = AutoModel.from_config(AutoConfig.for_model("gemma2", vocab_size=37, **GEMMA2))
    for parameter in model.parameters():  # the scores of a fresh model are too small for the cap to bend them
        parameter.data.normal_(std=0.3, generator=torch.Generator().manual_seed(parameter.numel()))
    model.save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "law"]))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    monkeypatch.setenv("HEADLIGHT_MODELS", str(tmp_path))
    app = opened(model=tmp_path.name, text="the law the", lang=language, layer="2", cell="capped,1,0", focus="1,0")
    assert not app.warning
    title = words("pipeline", language)["stage.capped.title"]
    assert titles(app).index(title) == TITLES.index("masked")  # between scaled and masked
    scaled = drawn(app, "scaled")["scaled"]
    assert scaled.abs().max() > 0.5
    assert_close(drawn(app, "capped")["capped"], 0.5 * torch.tanh(scaled / 0.5))
    assert r"\tanh" in app.latex[1].value
