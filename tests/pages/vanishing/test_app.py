"""The Vanishing page: what is sent to its laboratory is what the core computes, whatever the link says."""

import math
import re
import runpy
import threading
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch.testing import assert_close

from attention_core.saturation import D_K_STOPS, INPUT_SCALES, MEASURE_NAMES, Table, collect, sweep, tabulate
from pages.saturation.vanishing.curves import CURVES
from pages.saturation.vanishing.numbers import (
    BINS,
    GAINS,
    LOUDER,
    autograd_residual,
    critical,
    histogram,
    living,
    louder,
    summary,
)
from pages.saturation.vanishing.pictures import READ
from tests.harness.scripts import printed
from tests.harness.training import arrived, captions
from tests.harness.work import settled
from ui.session import Question, probe
from ui.text import words

ROOT = Path(__file__).parents[3]


def opened(language: str = "en", **link: str) -> AppTest:
    return settled(arrived("vanishing", lang=language, **link))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("where", ["untrained", "trained"])
def test_the_page_opens_and_agrees_with_autograd(language: str, where: str) -> None:
    app = opened(language, where_from=where, text="The law saw the king")
    assert not app.exception
    assert not app.error
    if where == "untrained":
        residual = re.search(r"torch\.autograd\D+([\d.]+)(?:·10⁻([⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", captions(app))
        assert residual
        power = -int(residual[2].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))) if residual[2] else 0
        assert float(residual[1]) * 10.0**power < 1e-3


@pytest.mark.parametrize(
    "link",
    [
        {"dk": "nan", "scale": "inf", "rule": "x", "probe_head": "99", "seed": "-1", "loss": "none"},
        {"dk": "99999999", "scale": "-3", "focus": "9" * 5000 + ",1"},
        {"strain": "x", "strain_rule": "y", "where_from": "trained", "strain_where": "z"},
    ],
)
def test_nonsense_in_a_link_opens_a_page_all_the_same(link: dict[str, str]) -> None:
    app = opened(text="The law", **link)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("text", ["law", "🙂"])
def test_one_token_is_one_clear_sentence(text: str) -> None:
    app = opened(text=text)
    assert not app.exception
    assert len(app.warning) == 1
    assert app.warning[0].value == words("controls", "en")["one_token"]
    assert len(app.get("plotly_chart")) == 3  # the sentence before stays


def test_a_long_sentence_says_what_is_shown() -> None:
    app = opened(text=" ".join(["law"] * 60))
    assert "48" in captions(app)
    assert "60" in captions(app)


def test_the_script_prints_what_the_layer_computes() -> None:
    app = opened(text="The law saw the king", dk="16", scale="2", probe_head="3")
    page = words("vanishing", "en")
    script = next(code.value for code in app.code if "sweep(" in code.value)
    numbers = {name: float(value) for name, value in (line.split("\t") for line in printed(script).splitlines())}
    assert set(numbers) == {page[f"measure.{name}"] for name in READ}
    layer = probe(Question(text="The law saw the king"))
    expected = sweep(layer, 16, [4.0]).measures
    for name in READ:
        value = float(getattr(expected, name)[0, 2])
        shown = 10**value if name.startswith("log_") else value  # as the page shows it
        assert_close(numbers[page[f"measure.{name}"]], shown, rtol=1e-6, atol=0)


@pytest.mark.parametrize(("d_k", "alpha"), [(64, 1.0), (1024, 4.0), (1024, 16.0)])
def test_autograd_agrees_relatively_also_where_gradients_are_almost_gone(d_k: int, alpha: float) -> None:
    residual = autograd_residual(probe(Question(text="The law saw the king")), "none", d_k, alpha)
    assert residual is None or residual < 1e-4


def test_where_autograd_has_nothing_left_the_page_says_so() -> None:
    layer = probe(Question(text="law king"))
    assert autograd_residual(layer, "none", 1024, 1e3) is None
    app = AppTest.from_function(_lost, default_timeout=30).run()
    assert "here ` torch.autograd ` returns exactly 0; ours is computed in logarithms" in captions(app)


def _lost() -> None:
    from ui.layout import trust_line

    trust_line(residual=None, lost=True, oracle="torch.autograd")


def test_the_histogram_counts_every_row_once_and_puts_zero_at_the_left() -> None:
    gains = torch.tensor([-math.inf, -400.0, -11.9, -6.1, -0.31, -0.31]).expand(2, 3, 5, 6).numpy()
    shares = torch.from_numpy(histogram(gains))
    assert_close(shares.sum(-1), torch.ones(2, 3, 5))
    assert_close(shares[0, 0, 0, 0], torch.tensor(3 / 6))
    step = (GAINS[1] - GAINS[0]) / BINS
    assert_close(shares[1, 2, 4, int((-6.1 - GAINS[0]) / step)], torch.tensor(1 / 6))
    assert_close(shares[1, 2, 4, int((-0.31 - GAINS[0]) / step)], torch.tensor(2 / 6))
    gains = gains.copy()
    gains[1, 1] = math.nan
    shares = torch.from_numpy(histogram(gains))
    assert bool(shares[1, 1].isnan().all())
    assert int(shares.isnan().sum()) == shares[1, 1].numel()


def test_a_norm_is_compared_with_the_last_stop_at_which_most_rows_lived() -> None:
    """Stop by stop with plain loops, on random tables: along d_k first, along α where that one says nothing."""
    shape, n = (2, len(D_K_STOPS), len(INPUT_SCALES)), 5
    draw = torch.Generator().manual_seed(7)
    measures = torch.randn(*shape, len(MEASURE_NAMES), 3, generator=draw)
    deaths = torch.randint(0, n + 1, shape, generator=draw)
    measures[..., MEASURE_NAMES.index("dead"), 2] = deaths / n
    made_up = Table(measures, torch.zeros(*shape, 3, n))
    alive, norms = n - deaths, measures[..., MEASURE_NAMES.index("log_d_W_Q"), 2]
    assert_close(torch.from_numpy(living(made_up, 2)).long(), alive)

    def expected(line: torch.Tensor, norm: torch.Tensor, at: int, stops) -> list[float]:
        before = max((int(line[i]), i) for i in range(at + 1))[1]
        grown = line[at] < line[before] and norm[at] > norm[before]
        return [float(norm[before]), stops[before], float(line[before]), float(line[at])] if grown else [math.nan] * 4

    columns = torch.from_numpy(louder(made_up, 2))
    for rule, row, column in ((0, 0, 0), (0, 17, 3), (1, 40, 44), (1, 5, 31), (0, 33, 12), (1, 29, 8), (0, 22, 2)):
        by_d_k = expected(alive[rule, :, column], norms[rule, :, column], row, D_K_STOPS)
        by_alpha = expected(alive[rule, row], norms[rule, row], column, INPUT_SCALES)
        both = by_d_k + (by_alpha if math.isnan(by_d_k[0]) else [math.nan] * 4)
        assert_close(columns[rule, row, column], torch.tensor(both), equal_nan=True)
    assert len(LOUDER) == columns.shape[-1]
    first = columns[..., LOUDER.index("d_k.alive")], columns[..., LOUDER.index("alpha.alive")]
    assert all(bool((~part.isnan()).any()) and bool(part.isnan().any()) for part in first)


def test_the_trained_view_has_a_tagline_of_its_own_and_counts_dead_rows() -> None:
    app = opened(text="The law", where_from="trained")
    page = words("vanishing", "en")
    taglines = [element.value for element in app.markdown]
    assert page["strained.standfirst"] in taglines and page["standfirst"] not in taglines
    assert "d_k" not in page["strained.standfirst"]


def test_the_first_curves_do_not_wait_for_the_table_and_stop_leaves_them(monkeypatch) -> None:
    """Whoever stops before the table is there has the pictures, with curves through where the sliders stand."""
    begun = threading.Event()

    def waits(probe):
        begun.wait(60.0)
        yield 1.0
        return collect(list(tabulate(probe)))

    monkeypatch.setattr("ui.session.tabulated", waits)
    monkeypatch.setattr("pages.saturation.vanishing.conclusions.tabulated", waits)
    app = arrived("vanishing", text="The law was written before the table")
    assert not app.exception and not app.error
    assert [element for element in app.get("bidi_component") if element.key == "vanishing" and element.proto.bytes]
    assert len(app.get("plotly_chart")) == 0
    app.button(key="stop_table").click().run()
    keys = [button.key for button in app.button if button.key]
    assert "go_on_table" in keys and "stop_table" not in keys
    begun.set()
    settled(app.button(key="go_on_table").click().run())
    assert len(app.get("plotly_chart")) == 3


def table(measures: torch.Tensor) -> Table:
    return Table(measures, torch.zeros(*measures.shape[:3], measures.shape[-1], 16))


def test_the_curves_hold_quantiles_over_all_heads_of_all_seeds() -> None:
    shape = (2, len(D_K_STOPS), len(INPUT_SCALES), len(MEASURE_NAMES), 7)
    tables = [table(torch.randn(shape, generator=torch.Generator().manual_seed(seed)).abs()) for seed in range(3)]
    quantiles = torch.from_numpy(summary(tables)).unflatten(-1, (-1, 3))
    together = torch.cat([one.measures for one in tables], dim=-1)
    for name, _, _, _ in CURVES:
        values = together[..., MEASURE_NAMES.index(name), :]
        values = values.log10() if name == "score_std" else values
        expected = values.quantile(torch.tensor([0.5, 0.1, 0.9]), dim=-1, interpolation="nearest").movedim(0, -1)
        assert_close(quantiles[..., MEASURE_NAMES.index(name), :], expected)


def test_the_critical_line_lies_where_the_spread_of_the_scores_is_the_root_of_two_log_n() -> None:
    shape = (2, len(D_K_STOPS), len(INPUT_SCALES), len(MEASURE_NAMES), 3)
    spread = torch.tensor(INPUT_SCALES)[None, :].square() * torch.tensor(D_K_STOPS, dtype=torch.float32)[:, None].sqrt()
    measures = torch.zeros(shape)
    measures[0, :, :, MEASURE_NAMES.index("score_std")] = spread[..., None]
    places = critical(table(measures), 0)
    wanted = math.sqrt(2 * math.log(16))
    for row, d_k in enumerate(D_K_STOPS):
        alpha = math.sqrt(wanted / math.sqrt(d_k))
        place = float(places[row])
        low, high = INPUT_SCALES[int(place)], INPUT_SCALES[int(place) + 1]
        assert_close(low * (high / low) ** (place % 1), alpha, rtol=0.02, atol=0)


def trained_script(**link: str) -> str:
    app = opened(text="The law", where_from="trained", **link)
    assert not app.exception
    assert not app.error
    return next(code.value for code in app.code if "strain(" in code.value)


def test_the_trained_model_is_strained_as_the_settings_above_it_say() -> None:
    plain = trained_script()
    own = trained_script(mask="causal", normalizer="hard", scaling="inverse", off="2.3", where="all")
    assert "mask='none'" in plain and "target = None\n" in plain and "scalings = ('model', 'none')\n" in plain
    assert "mask='causal'" in own and "normalizer='hard'" in own and "frozenset({(1, 2)})" in own
    assert "scalings = ('inverse', 'none')\n" in own


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_loss_of_the_trained_model_is_chosen_and_its_token_too(language: str) -> None:
    app = opened(language, text="The law", where_from="trained", loss="token", focus="1,2")
    assert not app.exception
    assert app.selectbox(key="strain_target").options == ["1: [CLS]", "2: the", "3: law", "4: [SEP]"]
    assert app.selectbox(key="strain_target").value == 2
    assert "target = 2\n" in next(code.value for code in app.code if "strain(" in code.value)
    settled(app.selectbox(key="strain_target").set_value(1).run())
    assert not app.exception
    assert "target = 1\n" in next(code.value for code in app.code if "strain(" in code.value)


def test_the_script_of_the_trained_model_prints_one_line_a_stop(tmp_path, capsys) -> None:
    script = tmp_path / "strained.py"
    script.write_text(trained_script(layer="2", head="5", strain_where="here"), encoding="utf-8")
    runpy.run_path(str(script))
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2 * 22
    assert all(line.startswith(("model ", "none ")) for line in printed)
    as_built = next(line for line in printed if line.startswith("model 1.0 "))
    assert as_built.endswith("cosine 1.0") or float(as_built.rsplit(" ", 1)[1]) > 0.999999


def test_a_seed_whose_neighbours_are_known_settles() -> None:
    """The tables of another visitor, for seeds that overlap ours, must not leave this page computing for ever."""
    app = opened(text="The law saw", seed="20")
    settled(app.number_input(key="seed").set_value(15).run())
    assert not app.exception
    assert len(app.get("plotly_chart")) == 3


@pytest.mark.parametrize("script", ["script.py", "trained/script.py"])
def test_the_scripts_run_as_they_stand_in_the_repository(script: str, capsys) -> None:
    runpy.run_path(str(ROOT / "pages/saturation/vanishing" / script))
    assert capsys.readouterr().out
