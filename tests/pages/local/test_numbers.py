"""What the Local page sends and gives away, against torch; and the training it looks at."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.experiments.alignment import Alignment
from attention_core.sliding import NUMBERS
from pages.mechanisms.local.numbers import (
    MAPPED,
    PARTS,
    View,
    arrays,
    centers,
    monotonic_residual,
    radii,
    row_sum_residual,
    script,
    sdpa_residual,
)
from pages.mechanisms.local.pictures import computed, films, plots, sliders
from pages.mechanisms.local.training import pictures as alignment
from tests.harness.scripts import printed_afresh
from tests.ui.test_queue import begun
from ui.components.lab.component import _film, _plot
from ui.components.lab.films import frames
from ui.one_head import Head, head
from ui.text import words

N, D_K, D_V = 11, 5, 7


@pytest.fixture(scope="module")
def view():
    generator = torch.Generator().manual_seed(3)
    q, k, v = (torch.randn(N, d, generator=generator, dtype=torch.float64) for d in (D_K, D_K, D_V))
    tokens = tuple(f"t{i}" for i in range(N))
    return View(Head(text="", tokens=tokens, number=2, seed=1, q=q, k=k, v=v), query=7, target=2, radius=3, center=4.5)


def film(view, name):
    return next(torch.from_numpy(one.values) for one in films(view) if one.name == name)


def test_every_picture_finds_its_film_and_every_film_its_slider(view) -> None:
    page = words("local", "en")
    forks = computed()
    stops = {slider.name: len(slider.readings) for slider in sliders(view, MAPPED[0], page)}
    sent = {film["name"] for film in (_film(film, stops, {}) for film in films(view))}
    names = sent | {fork.name for fork in forks}
    laid = frames(films(view), forks)
    for plot in plots(view, page):
        wanted = {getattr(plot, name, "") for name in ("film", "ghost", "over")} - {""}
        assert wanted <= names
        _plot(plot, laid)  # finds its columns
    for fork in forks:
        assert set(fork.films) <= sent


@pytest.mark.parametrize("n", [2, 3, 17, 64])
def test_the_stops_begin_at_one_and_end_with_the_whole_sentence(n) -> None:
    assert radii(n)[0] == 1 and radii(n)[-1] == n and list(radii(n)) == sorted(set(radii(n)))
    assert centers(n)[0] == 0 and centers(n)[-1] == n - 1 and len(centers(n)) == PARTS * (n - 1) + 1


def test_all_queries_under_a_window_are_torchs_attention(view) -> None:
    """Masked attention of torch itself, at every D, with V the identity."""
    shown = film(view, "maps").view(len(MAPPED), -1, N, N)[MAPPED.index("window")]
    places = torch.arange(N)
    for i, radius in enumerate(radii(N)):
        mask = (places[:, None] - places).abs() <= radius
        eye = torch.eye(N, dtype=torch.float64)[None]
        theirs = F.scaled_dot_product_attention(view.head.q[None], view.head.k[None], eye, attn_mask=mask)[0]
        assert shown[i][~mask].isnan().all()
        assert_close(shown[i][mask], theirs[mask])
    everywhere = F.scaled_dot_product_attention(view.head.q[None], view.head.k[None], eye)[0]
    assert_close(shown[-1], everywhere)  # D = n is global
    assert monotonic_residual(view) == 0
    assert sdpa_residual(view) < 1e-12
    assert row_sum_residual(view) < 1e-12


def test_predicted_windows_stand_where_equation_9_says(view) -> None:
    W_p, v_p = view.parameters["W_p"][0], view.parameters["v_p"][0]
    expected = torch.stack([N / (1 + torch.exp(-(v_p @ torch.tanh(W_p.T @ q)))) for q in view.head.q])
    assert_close(view.predicted, expected)
    shown = film(view, "maps").view(len(MAPPED), -1, N, N)[MAPPED.index("local_p")]
    for i, radius in enumerate(radii(N)):
        inside = (torch.arange(N) - expected[:, None]).abs() <= radius
        assert (shown[i].isnan() == ~inside).all()
        assert (shown[i].nansum(dim=-1) < 1).all()


def test_the_line_over_the_bars_is_the_gaussian(view) -> None:
    line = film(view, "bell_center")[int(view.center * PARTS)]
    places = torch.linspace(-0.5, N - 0.5, len(line), dtype=torch.float64)
    sigma = view.radius / 2
    assert_close(line, torch.exp(-((places - view.center) ** 2) / (2 * sigma**2)))


def test_the_cost_is_counted(view) -> None:
    for radius, (needed, bound, full) in zip(radii(N), film(view, "costs").tolist(), strict=True):
        assert needed == sum(abs(i - j) <= radius for i in range(N) for j in range(N))
        assert bound == N * (2 * radius + 1) and full == N * N and needed <= min(bound, full)


@pytest.mark.slow
def test_the_script_prints_what_the_page_shows() -> None:
    view = View(head("The Law will never be perfect", 1, 4), query=2, target=4, radius=2, center=3.25)
    lines = printed_afresh(script(view)).splitlines()
    output = "\n".join(lines)
    first = {line.split()[0]: line.split()[-1] for line in lines if line.startswith(("row", "loss"))}
    shown = arrays(view)
    numbers = view.row.numbers[view.at["radius"], view.at["center"]].tolist()
    assert_close(float(first["row"]), numbers[NUMBERS.index("row_sum")], rtol=0, atol=1e-6)
    assert_close(float(first["loss"]), numbers[NUMBERS.index("loss")], rtol=1e-6, atol=0)  # float32
    for name, ending in (("autograd", "autograd"), ("closed", "closed form"), ("difference", "differences")):
        printed = next(line.split()[-1] for line in lines if line.startswith(f"dL/dp_t, {ending}"))
        assert_close(float(printed), numbers[NUMBERS.index(name)], rtol=1e-5, atol=1e-8)
    printed = output.partition("weights tensor([")[2].partition("]")[0].replace("\n", "")
    weights = torch.tensor([float(number) for number in printed.split(",")], dtype=torch.float64)
    assert_close(weights, torch.from_numpy(shown["weights"]).nan_to_num(), rtol=0, atol=1e-6)


# --- training ---


@pytest.fixture(scope="module")
def trained():
    small = {
        name: Alignment(task=task, mode=mode, steps=3, every=1, batch=2, evaluated=3, d=7)
        for name, (task, mode) in alignment.VARIANTS.items()
    }
    training = begun(small)
    training.wait(60.0)
    assert not training.running and not training.failed
    return training


def test_a_training_records_every_run_and_knows_how_far_it_is(trained) -> None:
    assert {name: [record.step for record in trained.records(name)] for name in trained.experiments} == {
        name: [0, 1, 2, 3] for name in trained.experiments
    }
    assert trained.share == 1 and trained.remaining == 0 and trained.seconds > 0


def test_the_panel_shows_alignments_p_t_and_the_right_places(trained) -> None:
    films = {film.name: torch.from_numpy(film.values.copy()) for film in alignment.films(trained)}
    length, count = alignment.LENGTH, len(alignment.VARIANTS)
    maps = films["maps"].view(4, count, length, length)
    centers = films["centers"].view(4, count, length)
    t = torch.arange(length, dtype=torch.float64)
    for index, (task, mode) in enumerate(alignment.VARIANTS.values()):
        if mode == "local_m":
            assert_close(centers[:, index].double(), t.expand(4, -1))
            outside = (t[:, None] - t).abs() > 2
            assert maps[:, index][:, outside].isnan().all()  # exactly 0 beyond D = 2
        right = films["right"].view(count, length)[index].double()
        assert_close(right, t if task == "copy" else t.flip(0))
        last = trained.records(f"{task} {mode}")[-1]
        assert_close(films["accuracy"][-1, index].item(), last.accuracy)


def test_a_training_can_be_stopped_and_keeps_what_it_has() -> None:
    training = begun({"long": Alignment(steps=10**6, every=1, batch=2, evaluated=2, d=7)})
    while not training.records("long"):
        training.wait(0.01)
    training.stop()
    training.wait(60.0)
    assert not training.running and not training.failed
    assert 0 < len(training.records("long")) < 10**5


def test_a_run_that_diverges_ends_alone() -> None:
    shapes = {"steps": 40, "every": 1, "batch": 2, "evaluated": 2, "d": 7}
    training = begun({"wild": Alignment(lr=float("inf"), **shapes), "calm": Alignment(**shapes)})
    training.wait(120.0)
    assert "wild" in training.diverged and "calm" not in training.diverged
    assert training.records("calm")[-1].step == 40
