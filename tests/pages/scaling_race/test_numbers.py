"""The scaling race as films, files and snippet: against the records, against torch's own layers, and by running it."""

import io
import json
import math
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from threading import Barrier

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from streamlit.testing.v1 import AppTest
from torch.testing import assert_close

from attention_core.experiments.base import Record, stream
from attention_core.experiments.induction import Induction
from attention_core.experiments.sort import Sort, anatomy
from attention_core.experiments.store import StoreError, fingerprint, load_records, save_records, save_weights
from pages.training.scaling_race import numbers, pictures
from pages.training.scaling_race.transition_figure import transition_figure
from tests.harness.scripts import printed, printed_afresh
from tests.harness.serving import ROOT
from ui.compute.queue import Queue
from ui.compute.runs import Run, Variant
from ui.palette import RULE_HUES
from ui.text import words
from ui.training import files as saved
from ui.training.files import Kind, RefusedError
from ui.training.history import LOWEST, Measure, ends, history, step_slider

PAGE = words("scaling_race", "en")
NONE, INVERSE_SQRT, QK_NORM = map(Variant, ("none", "inverse_sqrt", "qk_norm"))
KIND = Kind(known=numbers.known, variant=numbers.variant, label=str)
SHAPE = {"d_k": 8, "batch": 4, "evaluated": 13, "steps": 6, "every": 2}


@pytest.fixture(scope="module")
def run() -> Run:
    race = Run({rule: Sort(rule=rule.model, **SHAPE) for rule in (NONE, INVERSE_SQRT, QK_NORM)})
    Queue(1).enter(race)
    race.wait(60.0)
    assert race.state == "ended"
    return race


@pytest.fixture(scope="module")
def films(run):
    return {film.name: film for film in pictures.films(history(run), all_steps=True)}


def test_curves_are_what_was_recorded(run, films) -> None:
    table = torch.from_numpy(films["curves"].values).view(4, len(numbers.MEASURES), 3)
    norms = torch.from_numpy(films["norms"].values)
    for column, name in enumerate(run.experiments):
        for row, record in enumerate(run.records(name)):
            assert_close(table[row, 0, column].item(), record.loss)
            assert_close(table[row, 1, column].item(), record.accuracy)
            assert_close(10 ** table[row, 3, column].item(), record.measures["gain_median.0"])
            for index, matrix in enumerate(("W_Q", "W_K", "W_V")):
                norm = record.arrays[f"grad.{matrix}.0"].norm().item()
                assert_close(10 ** norms[row, index, column].item(), norm, rtol=1e-5, atol=0)


def test_the_last_maps_are_those_of_torchs_attention_with_the_final_weights(run, films) -> None:
    """x, LayerNorm and softmax(QKᵀ/√d_k) written out with torch's own functions."""
    config, state = run.experiments[INVERSE_SQRT], run.records(INVERSE_SQRT)[-1].state
    tokens, _ = config.draw(stream(config.seed, "probe"), 64)
    x = state["tokens"][tokens[:4]] + state["positions"]
    normed = F.layer_norm(x, (64,), state["layers.0.norm.weight"], state["layers.0.norm.bias"])
    q, k = (normed @ state[f"layers.0.attention.{name}"][0] for name in ("W_Q", "W_K"))
    eye = torch.eye(16).expand(4, -1, -1)
    weights = F.scaled_dot_product_attention(q, k, eye)
    shown = torch.from_numpy(films["weights inverse_sqrt"].values[-1]).view(4, 16, 16)
    assert_close(shown, weights, rtol=2e-3, atol=1e-4)  # kept as float16
    assert_close(torch.from_numpy(films["tokens"].values), tokens[:4].float())
    W = torch.from_numpy(films["W inverse_sqrt"].values[-1]).view(3, 64, 64)
    assert_close(W[0, :, :8], state["layers.0.attention.W_Q"][0], rtol=2e-3, atol=1e-4)
    assert_close(W[2], state["layers.0.attention.W_V"][0], rtol=2e-3, atol=1e-4)
    assert W[:2, :, 8:].isnan().all()  # W_Q and W_K have 8 columns


def test_the_gradient_film_is_torchs_gradient_at_step_0(films) -> None:
    config = Sort(rule="none", **SHAPE)
    model = config.build()
    tokens, answer = config.draw(stream(config.seed, "data"), config.batch)
    loss = F.cross_entropy(model(tokens)[0].flatten(0, 1), answer.flatten())
    loss.backward()
    shown = torch.from_numpy(films["dW none"].values[0]).view(3, 64, 64)
    assert_close(shown[1, :, :8], model.layers[0].attention.W_K.grad[0], rtol=1e-5, atol=1e-8)


def test_while_it_trains_only_the_newest_maps_are_sent(run) -> None:
    recorded = history(run)
    live = {film.name: film for film in pictures.films(recorded, all_steps=False)}
    whole = {film.name: film for film in pictures.films(recorded, all_steps=True)}
    for name in ("weights none", "W none", "dW none"):
        assert live[name].axes == whole[name].axes[1:] and whole[name].axes[0] == "step"
        np.testing.assert_array_equal(live[name].values, whole[name].values[-1])


def test_half_a_run_leaves_the_rest_of_the_axis_empty() -> None:
    config = Sort(**SHAPE)
    records = list(config.records())[:2]
    begun = history(Run.finished({INVERSE_SQRT: config}, {INVERSE_SQRT: records}))
    assert begun.steps == (0, 2, 4, 6) and begun.newest == 1
    table = begun.table([Measure(key="loss"), Measure(key="snr.0", logs=True)])
    assert np.isfinite(table[:2, 0]).all() and np.isnan(table[2:]).all()
    values, along = begun.frames(INVERSE_SQRT, lambda record: record.arrays["weights"].float().numpy(), (4, 1, 16, 16),
                                all_steps=True)  # fmt: skip
    assert along and np.isfinite(values[:2]).all() and np.isnan(values[2:]).all()


@pytest.mark.parametrize(("steps", "every"), [(300, 10), (900, 30), (1000, 34), (10, 1), (40, 2), (7, 3)])
def test_the_scrubber_writes_a_few_round_steps(steps, every) -> None:
    recorded = history(Run({NONE: Sort(steps=steps, every=every)}))
    slider = step_slider(recorded, 0, "step")
    assert slider.readings[0] == "0" and slider.readings[-1] == str(steps)
    assert 2 <= len(slider.ticks) <= 8
    assert all(slider.readings[index] == text for index, text in slider.ticks)


def test_axes_hold_their_numbers() -> None:
    assert ends(np.array([np.nan]), Measure(key="loss")) == (0.0, 1.05)
    assert ends(np.array([0.5, 3.0]), Measure(key="loss")) == (0.0, 1.05 * 3.0)
    assert ends(np.array([-np.inf, -3.2, -0.1]), Measure(key="gain", logs=True, low=None, high=0.0)) == (-4.0, 0.0)
    assert ends(np.array([-300.0, -1.0]), Measure(key="gain", logs=True, low=None))[0] == LOWEST


def test_the_snippet_prints_what_is_shown(run) -> None:
    code = numbers.script(run)
    output = printed_afresh(code)
    for name in run.experiments:
        assert f"{name} fingerprint {fingerprint(run.records(name))}" in output
        for record in run.records(name):
            assert f"{name} {record.step} loss {record.loss:.6f} accuracy {record.accuracy:.6f}" in output


def test_the_arrays_are_the_records_and_the_points(run) -> None:
    arrays = numbers.arrays(run, {Sort(rule="none", d_k=4): (1.8, 0.9)})
    np.testing.assert_array_equal(arrays["qk_norm_step"], [0, 2, 4, 6])
    np.testing.assert_array_equal(arrays["none_loss"], [record.loss for record in run.records(NONE)])
    assert arrays["none_weights"].shape == (4, 4, 16, 16)
    np.testing.assert_array_equal(arrays["transition"], [[0, 4, 1.0, 3e-3, 300, 0, 1.8, 0.9]])
    assert numbers.RULES[0] == "none"


def test_fingerprints_tell_runs_apart_and_survive_a_file(run) -> None:
    digests = {fingerprint(run.records(name)) for name in run.experiments}
    assert len(digests) == 3
    config = run.experiments[NONE]
    assert fingerprint(list(config.records())) == fingerprint(run.records(NONE))
    _, loaded = load_records(save_records(config, run.records(NONE)))
    assert fingerprint(loaded) == fingerprint(run.records(NONE))
    changed = [*loaded[:-1], replace(loaded[-1], loss=math.nextafter(loaded[-1].loss, 0))]
    assert fingerprint(changed) != fingerprint(loaded)


# --- files ---


def load(*files: bytes) -> Run:
    return saved.loaded(list(files), KIND)


def test_saved_runs_are_loaded_side_by_side_with_their_weights(run) -> None:
    sent = [save_records(config, run.records(name)) for name, config in run.experiments.items()]
    config = run.experiments[NONE]
    joined = load(*sent, sent[0], save_weights(config, run.records(NONE)[-1].state))
    assert list(map(str, joined.experiments)) == ["none", "inverse_sqrt", "qk_norm", "none 2"]
    assert joined.state == "ended" and joined.share == 1
    for name in run.experiments:
        assert fingerprint(joined.records(name)) == fingerprint(run.records(name))
    assert_close(dict(joined.records(NONE)[-1].state), dict(run.records(NONE)[-1].state), rtol=0, atol=0)
    assert not joined.records(QK_NORM)[-1].state
    hues = pictures.look(list(joined.experiments), PAGE).hues
    assert hues[Variant("none", 2)] == hues[NONE]
    assert pictures.label(Variant("none", 2), PAGE) == "unscaled (2)"


def rewritten(data: bytes, **columns) -> bytes:
    with np.load(io.BytesIO(data)) as archive:
        kept = {name: archive[name] for name in archive.files}
    file = io.BytesIO()
    np.savez_compressed(file, **(kept | columns))
    return file.getvalue()


def described(config: Sort, **changes) -> np.ndarray:
    text = json.dumps({"format": 1, "experiment": "sort", "config": asdict(config) | changes})
    return np.frombuffer(text.encode(), dtype=np.uint8)


def test_what_this_page_cannot_show_is_refused_with_the_key_of_a_sentence(run, monkeypatch) -> None:
    config = run.experiments[NONE]
    good = save_records(config, run.records(NONE))
    weights = save_weights(config, run.records(NONE)[-1].state)
    other = Induction()
    bad = {
        "damaged": [b"", b"PK", b"PK\x03\x04 nonsense", good[:-40], b"\x80\x04 pickle"],
        "records": [weights],
        "other": [
            save_records(other, [Record(step=0, loss=0.0, accuracy=0.0)]),
            rewritten(good, config=described(config, steps=10**9)),
            rewritten(good, config=described(config, d_model=10**6)),
            rewritten(good, config=described(config, rule="magic")),
            rewritten(good, config=described(config, d_k=64)),  # its arrays are of another size
            rewritten(good, step=np.array([2, 0, 4, 6])),
            rewritten(good, config=described(config, seed=2**70)),  # torch has no such seed
            rewritten(good, config=described(config, lr=-1.0)),  # nor such an optimiser
            rewritten(good, **{"measure/entropy.0": np.full(len(run.records(NONE)), math.nan)}),  # not recorded
        ],
    }
    for key, files in bad.items():
        assert PAGE.language == "en" and words("training", "en")[f"refused.{key}"]
        for data in files:
            with pytest.raises((StoreError, RefusedError)) as error:
                load(data)
            answer = str(error.value) if isinstance(error.value, RefusedError) else "damaged"
            assert answer == key
    with pytest.raises(RefusedError, match="many"):
        load(*[good] * (saved.MOST_FILES + 1))
    monkeypatch.setattr(saved, "MOST_BYTES", run.kept // 4)
    with pytest.raises(RefusedError, match="many"):
        load(good)


def at_once(count: int, work: Callable[[], object]) -> None:
    begin = Barrier(count)

    def starts(_: int) -> None:
        begin.wait()
        work()

    with ThreadPoolExecutor(count) as threads:
        list(threads.map(starts, range(count)))


def test_eight_hostile_uploads_at_once_get_a_sentence_each_and_no_memory(run) -> None:
    """Each is a good run with 64 MiB of zeros beside it, 64 KiB as a file."""
    extra = {"array/0/more": np.zeros(2**23)}
    hostile = rewritten(save_records(run.experiments[NONE], run.records(NONE)), **extra)
    refusals = []

    def upload() -> None:
        try:
            load(hostile)
        except StoreError as refused:
            refusals.append(str(refused))

    tracemalloc.start()
    try:
        at_once(8, upload)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
    assert len(refusals) == 8 and all("unpack to more than" in sentence for sentence in refusals)


def test_the_process_unpacks_one_archive_at_a_time(run, monkeypatch) -> None:
    good, now, most = save_records(run.experiments[NONE], run.records(NONE)), [], []

    def unpacked(data: bytes, limit: int) -> object:
        now.append(1)
        most.append(len(now))
        loaded = load_records(data, limit)
        now.pop()
        return loaded

    monkeypatch.setattr(saved, "load_records", unpacked)
    at_once(8, lambda: load(good))
    assert most == [1] * 8


def test_archives_of_one_upload_share_what_they_may_unpack_to(run, monkeypatch) -> None:
    records = [
        replace(record, state={}, arrays={name: torch.zeros_like(array) for name, array in record.arrays.items()})
        for record in run.records(NONE)
    ]
    good = save_records(run.experiments[NONE], records)
    size = sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(good)).infolist())
    monkeypatch.setattr(saved, "LARGEST", size + sum(record.bytes() for record in records) // 2)
    assert len(load(good).experiments) == 1
    with pytest.raises(StoreError, match="more than"):
        load(good, good)


def test_of_an_archive_of_another_experiment_nothing_is_unpacked(run, monkeypatch) -> None:
    monkeypatch.setattr(saved, "load_records", None)
    with pytest.raises(RefusedError, match="other"):
        load(save_records(Induction(), []))


def test_whatever_fails_while_a_file_is_loaded_is_one_sentence_and_the_run_stays() -> None:
    """In a callback, where Streamlit would show its own."""

    def page() -> None:
        import streamlit as st

        from ui.training import files

        def check(config: object) -> bool:
            raise MemoryError

        st.session_state.setdefault("sr_run", "the run before")
        files.files("sr", files.Kind(known=check, variant=str, label=str))
        files.refusal("sr")

    app = AppTest.from_function(page)
    monkey = pytest.MonkeyPatch()
    monkey.setattr(saved, "current", lambda key: None)
    app.run()
    app.file_uploader[0].upload("a.npz", save_records(Sort(), []), "application/zip").run()
    monkey.undo()
    assert not app.exception
    assert [warning.value for warning in app.warning] == [words("training", "en")["refused.damaged"]]
    assert app.session_state["sr_run"] == "the run before"


# --- transition and anatomy ---


def test_the_batch_spreads_the_initial_scores_and_gives_a_point_for_each_training() -> None:
    """Var(q·k) = d_k for unit q and k: the scores of the untouched unscaled layer have about √d_k, scaled about s²."""
    configs = numbers.sweep(["none", "inverse_sqrt"], steps=1, seed=3)
    assert len(configs) == 12 and all(config.seed == 3 and config.lr == 0.01 for config in configs.values())
    small = {name: replace(config, batch=2, evaluated=5) for name, config in configs.items()}
    run = Run(small, in_turns=False)
    Queue(1).enter(run)
    run.wait(120.0)
    points = numbers.points(run)
    assert len(points) == 12
    for config, (std, accuracy) in points.items():
        expected = config.d_k**0.5 if config.rule == "none" else config.input_scale**2
        assert 0.75 < std / expected < 1.35
        assert 0 <= accuracy <= 1
    assert abs(numbers.BREAK - 2 * math.sqrt(2 * math.log(16))) < 1e-12


def test_a_training_that_was_stopped_gives_no_point(run) -> None:
    config, place = run.experiments[NONE], numbers.Place("none", 8, 1.0)
    half = Run.finished({place: config}, {place: run.records(NONE)[:2]})
    assert numbers.points(half) == {}
    assert numbers.dissections(Run.finished({NONE: config}, {NONE: run.records(NONE)[:2]})) == {}


def test_the_figure_shows_every_point_and_where_theory_puts_the_break() -> None:
    figure = transition_figure(
        {"none": [(2.0, 0.9, "<b>"), (8.0, 0.4, "x")]}, "light", hues=RULE_HUES, labels={"none": "unscaled"},
        x_title="x", y_title="y", line=4.7, line_title="2σ",
    )  # fmt: skip
    assert list(figure.data[0].x) == [2.0, 8.0] and figure.data[0].text[0] == "&lt;b&gt;"
    assert figure.layout.shapes[0].x0 == 4.7


def test_the_anatomy_of_kept_weights_is_that_of_training_again(run) -> None:
    config = run.experiments[INVERSE_SQRT]
    kept = anatomy(config, batches=4, state=run.records(INVERSE_SQRT)[-1].state)
    again = anatomy(config, batches=4)
    assert kept == again
    before = anatomy(replace(config, steps=0), batches=4)
    assert before != kept
    parts = numbers.dissections(run)
    assert list(parts) == list(run.experiments)
    assert all(part.seed == 0 and part.build() is not None for part in parts.values())


def test_settings_make_the_race_they_say() -> None:
    configs = numbers.race(["none", "inverse"], d_k=32, scale=2.0, lr=1e-2, steps=300, seed=5)
    assert {config.rule for config in configs.values()} == {"none", "inverse"}
    for config in configs.values():
        assert (config.d_k, config.input_scale, config.lr, config.steps, config.every, config.seed) == (
            32, 2.0, 1e-2, 300, 10, 5,
        )  # fmt: skip
        assert numbers.known(config)
    assert not numbers.known(Induction())
    assert re.fullmatch(r"[0-9a-f]{16}", fingerprint([]))


@pytest.mark.parametrize("script", ["script.py"])
def test_the_script_runs_as_it_stands(script: str) -> None:
    assert printed((ROOT / "pages/training/scaling_race" / script).read_text(encoding="utf-8"))
