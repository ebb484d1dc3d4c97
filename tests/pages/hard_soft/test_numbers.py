"""What the page on hard and soft attention sends and gives away, against torch and enumeration."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.experiments.hard import MODES, Hard
from attention_core.sampling import BASELINES
from pages.mechanisms.hard_soft import gradient, samples
from pages.mechanisms.hard_soft.draws import COUNTS, DRAWS, SAMPLED
from pages.mechanisms.hard_soft.numbers import (
    EXACT,
    TEMPERATURES,
    View,
    arrays,
    autograd_residual,
    row_sum_residual,
    script,
)
from pages.mechanisms.hard_soft.race import pictures as race
from tests.harness.scripts import printed, printed_afresh
from tests.ui.test_queue import begun
from ui.components.lab.component import _film, _plot
from ui.components.lab.films import frames
from ui.one_head import Head, head
from ui.text import words
from ui.training.history import history

N, D_K, D_V = 11, 5, 7
QUERY, TARGET = 4, 9


@pytest.fixture(scope="module")
def view():
    generator = torch.Generator().manual_seed(3)
    q, k, v = (torch.randn(N, d, generator=generator, dtype=torch.float64) for d in (D_K, D_K, D_V))
    vectors = Head(text="", tokens=tuple(f"t{i}" for i in range(N)), number=2, seed=1, q=q, k=k, v=v)
    return View(vectors, QUERY, TARGET, temperature=TEMPERATURES.index(2.0), count=10, draw=5, baseline=1)


def theta(view, temperature):
    q, k = view.head.q, view.head.k
    return (k @ q[QUERY]) / (D_K**0.5 * temperature)


def film(films, name):
    return next(torch.from_numpy(film.values) for film in films if film.name == name)


def test_every_picture_finds_its_film_and_every_film_its_slider(view) -> None:
    page = words("hard_soft", "en")
    for films, forks, sliders, plots in (
        (samples.films(view), samples.computed(), samples.sliders(view, page), samples.plots(view, page)),
        (gradient.films(view), [], gradient.sliders(view, page), gradient.plots(view, page)),
    ):
        stops = {slider.name: len(slider.readings) for slider in sliders}
        sent = {film["name"] for film in (_film(film, stops, {}) for film in films)}
        names = sent | {fork.name for fork in forks}
        laid = frames(films, forks)
        for plot in plots:
            assert {getattr(plot, name, "") for name in ("film", "ghost")} - {""} <= names
            _plot(plot, laid)  # finds its columns


@pytest.mark.parametrize("temperature", [0.125, 1.0, 32.0])
def test_the_soft_context_is_torchs_attention(view, temperature) -> None:
    q, k, v = view.head.q[None, QUERY : QUERY + 1], view.head.k[None], view.head.v[None]
    theirs = F.scaled_dot_product_attention(q, k, v, scale=D_K**-0.5 / temperature)[0, 0]
    assert_close(film(samples.films(view), "soft")[TEMPERATURES.index(temperature)], theirs)


def test_temperature_zero_is_the_arg_max_and_the_limit_of_small_ones(view) -> None:
    one_hot = F.one_hot(theta(view, 1.0).argmax(), N).double()
    assert_close(view.alpha[0], one_hot)
    apart = view.exact[:, EXACT.index("distance")]
    assert (apart.diff() >= 0).all()
    assert_close(torch.softmax(theta(view, 1e-4), dim=0), view.alpha[0])
    assert (view.cooled[0] == one_hot.argmax()).all()  # every draw
    slope = film(gradient.films(view), "slope")
    assert_close(slope[0], torch.zeros(N, dtype=torch.float64), rtol=0, atol=0)


def test_shares_and_contexts_are_those_of_the_samples_one_by_one(view) -> None:
    by_draw = view.by_draw
    for draw, i in ((0, 0), (5, 7), (DRAWS - 1, len(COUNTS) - 1)):
        picked = view.choices[draw, : COUNTS[i]]
        assert_close(by_draw.share[draw, i], torch.bincount(picked, minlength=N).double() / COUNTS[i])
        assert_close(by_draw.mean[draw, i], view.head.v[picked].mean(dim=0))
        assert_close(by_draw.last[draw, i], F.one_hot(picked[-1], N).double())


def test_the_mean_of_hard_contexts_is_the_soft_context_within_four_standard_errors(view) -> None:
    alpha = torch.softmax(theta(view, 2.0), dim=0)
    v = view.head.v
    soft = alpha @ v
    spread = torch.stack([(alpha * (v[:, a] - soft[a]) ** 2).sum() for a in range(D_V)]).sqrt()
    i = COUNTS.index(4096)
    off = (view.by_draw.mean[:, i] - soft).abs()
    assert (off <= 4 * spread / 64).all()
    numbers = view.by_draw.numbers[:, i]
    assert_close(numbers[:, SAMPLED.index("within")], torch.full((DRAWS,), float(D_V), dtype=torch.float64))
    # Over the draws, the mean square of the error is Σ Var/N at every N: it falls like 1/√N.
    square = view.by_draw.numbers[..., SAMPLED.index("error")].square().mean(dim=0)
    expected = spread.square().sum() / torch.tensor(COUNTS, dtype=torch.float64)
    assert ((square / expected).log2().abs() < 1.5).all()
    assert_close(view.by_draw.numbers[0, :, SAMPLED.index("expected")], expected.sqrt())


def test_the_funnel_is_soft_plus_minus_four_standard_errors(view) -> None:
    shown = torch.from_numpy(samples.errors(view))
    alpha, v = torch.softmax(theta(view, 2.0), dim=0), view.head.v
    variance = alpha @ v**2 - (alpha @ v) ** 2
    component = int(variance.argmax())
    wide = 4 * (variance[component] / torch.tensor(COUNTS, dtype=torch.float64)).sqrt()
    soft = (alpha @ v)[component]
    assert_close(shown[0, :, 5:], torch.stack([soft - wide, soft + wide], dim=-1))
    assert_close(shown[3, :, 3], view.by_draw.mean[3, :, component])


@pytest.mark.parametrize("temperature", [0.125, 1.0, 32.0])
def test_bound_likelihood_and_gradient_by_enumeration(view, temperature) -> None:
    """Every choice summed with torch.distributions; the gradient by torch's autograd."""
    at = TEMPERATURES.index(temperature)
    logits = theta(view, temperature).requires_grad_()
    law = torch.distributions.Categorical(logits=logits)
    v = view.head.v
    ell = torch.stack(
        [torch.distributions.Categorical(logits=(v @ v[s]) / D_V**0.5).log_prob(torch.tensor(TARGET)) for s in range(N)]
    )
    low = sum(law.probs[s] * ell[s] for s in range(N))
    high = torch.log(sum(law.probs[s] * ell[s].exp() for s in range(N)))
    numbers = dict(zip(EXACT, view.exact[at].tolist(), strict=True))
    assert_close(numbers["bound"], float(low.detach()))
    assert_close(numbers["likelihood"], float(high.detach()))
    assert numbers["gap"] >= 0
    posterior = torch.distributions.Categorical(probs=law.probs.detach() * ell.exp())
    gap = torch.distributions.kl_divergence(torch.distributions.Categorical(probs=law.probs.detach()), posterior)
    assert_close(numbers["gap"], float(gap))  # the gap is a divergence, so the bound can never be crossed
    theirs = torch.autograd.grad(low, logits)[0]
    assert_close(film(gradient.films(view), "slope")[at], theirs)
    assert autograd_residual(view) < 1e-12 and row_sum_residual(view) < 1e-12


def test_the_moving_baseline_leaves_less_than_six_tenths(view) -> None:
    table = film(gradient.films(view), "variances")[view.temperature]
    variances = dict(zip((*BASELINES, "ratio"), table.tolist(), strict=True))
    assert variances["ratio"] < 0.6
    assert_close(variances["ratio"], variances["moving"] / variances["none"])
    square = view.estimates.numbers[:, :, COUNTS.index(64), 0].square().mean(dim=1)  # over the draws
    assert float(square[BASELINES.index("moving")]) < 0.6 * float(square[BASELINES.index("none")])


@pytest.mark.slow
@pytest.mark.parametrize(("temperature", "run"), [(0.0, printed), (1.0, printed_afresh)])
def test_the_script_prints_what_the_page_shows(temperature, run) -> None:
    sentence = head("The Law will never be perfect", 1, 4)
    view = View(sentence, 2, 4, temperature=TEMPERATURES.index(temperature), count=8, draw=3, baseline=0)
    output = run(script(view)).replace("\n        ", "")

    def tensor(name):
        numbers = output.partition(f"{name} tensor([")[2].partition("]")[0].replace("\n", "")
        return torch.tensor([float(number) for number in numbers.split(",")], dtype=torch.float64)

    shown = {name: torch.from_numpy(array) for name, array in arrays(view).items() if name != "tokens"}
    at = view.temperature
    assert_close(tensor("alpha"), shown["alpha"][at], rtol=0, atol=1e-6)
    assert_close(tensor("share"), shown["share"][8].double(), rtol=0, atol=1e-6)
    assert_close(tensor("mean context"), shown["mean_context"][8], rtol=0, atol=1e-6)
    assert_close(tensor("gradient"), shown["gradient"], rtol=0, atol=1e-6)
    for index, name in enumerate(BASELINES):
        assert_close(tensor(f"\n{name}"), shown["estimates"][index, 8], rtol=0, atol=1e-6)
    sides = output.partition("L_s ")[2].split()[0:4:3]
    assert_close([float(side) for side in sides], view.exact[at, :2].tolist(), rtol=0, atol=1e-6)


def test_the_race_shows_what_was_recorded() -> None:
    small = {mode: Hard(mode=mode, steps=3, every=1, batch=2, evaluated=5, d_model=7, d_k=3) for mode in MODES}
    training = begun(small)
    training.wait(60.0)
    shown = torch.from_numpy(race.arrays(history(training))["curves"])
    assert shown.shape == (4, 9) and not shown.isnan().any()
    for column, mode in enumerate(MODES):
        for record in training.records(mode):
            assert_close(shown[record.step, column].item(), record.accuracy)
            assert_close(shown[record.step, 3 + column].item(), record.measures["bound"])
            assert record.measures["bound"] <= record.measures["log_likelihood"] + 1e-6
