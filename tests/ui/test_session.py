"""What a visitor may choose from, and what the room answers them."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from attention_core.models import EMBEDDED, FromScratch, ModelError, Sizes
from attention_core.saturation import D_K_STOPS, INPUT_SCALES, MEASURE_NAMES, sweep
from tests.harness.work import finished
from ui import session
from ui.compute import catalogue
from ui.session import SCRATCH, TAUGHT, Question, Study, bands, probe, tabulated

SIZES = Sizes(n_head=2, d_model=11, d_k=3, d_v=5, source="digest", positions="none")
BUILT_IN = {EMBEDDED: "", SCRATCH: "", TAUGHT: ""}


def named(monkeypatch: pytest.MonkeyPatch, *sources: object) -> dict[str, str]:
    monkeypatch.setenv(catalogue.OPERATOR_SETTING, ", ".join(map(str, sources)))
    return catalogue.catalogue()


def test_the_catalogue_holds_what_the_operator_names(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv(catalogue.OPERATOR_SETTING, raising=False)
    assert catalogue.catalogue() == BUILT_IN
    assert named(monkeypatch, "gpt2", tmp_path, "", " ") == {
        **BUILT_IN, "gpt2": "gpt2", tmp_path.name: str(tmp_path),
    }  # fmt: skip


def test_two_folders_with_one_last_part_are_two_models_and_a_built_in_name_is_nobody_elses(
    monkeypatch, tmp_path
) -> None:
    folders = [tmp_path / part / "bert" for part in "ab"]
    impostor = tmp_path / EMBEDDED
    for folder in (*folders, impostor):
        folder.mkdir(parents=True)
    names = named(monkeypatch, *folders, impostor, folders[0])
    assert names == {
        **BUILT_IN, "bert": str(folders[0]), "bert 2": str(folders[1]), f"{EMBEDDED} 2": str(impostor),
    }  # fmt: skip
    assert catalogue.embedded().name == EMBEDDED  # the folder has no weights: what is loaded is the product's own
    with pytest.raises(ModelError):
        session.model(f"{EMBEDDED} 2", Sizes())


@pytest.mark.parametrize("name", [EMBEDDED, SCRATCH, TAUGHT, "same", f"own-{'0' * 32}"])
def test_a_name_that_means_something_here_is_no_folders(monkeypatch, tmp_path, name) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert named(monkeypatch, folder) == {**BUILT_IN, f"{name} 2": str(folder)}


def test_checkpoints_of_several_runs_are_told_apart(monkeypatch, tmp_path) -> None:
    folders = [tmp_path / run / "checkpoint-500" for run in "abc"]
    names = named(monkeypatch, *folders)
    titles = ["checkpoint-500", "checkpoint-500 2", "checkpoint-500 3"]
    assert [*names.items()][len(BUILT_IN) :] == [*zip(titles, map(str, folders), strict=True)]


def test_a_folder_is_found_and_named_however_its_path_is_written(monkeypatch, tmp_path) -> None:
    folder = tmp_path / "m" / "bert"
    folder.mkdir(parents=True)
    (tmp_path / "current").symlink_to(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for spelling in ("~/m/bert", "~/m/bert/", "m/bert", "./m/bert", "~/m/../m/bert", f"{folder}//"):
        assert named(monkeypatch, spelling) == {**BUILT_IN, "bert": str(folder)}, spelling
    assert named(monkeypatch, "~/m/bert", folder, "m/bert") == {**BUILT_IN, "bert": str(folder)}
    assert named(monkeypatch, "current") == {**BUILT_IN, "current": str(tmp_path / "current")}  # the link's own name


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("~/none/bert", "bert"),
        ("/none/of/bert/", "bert"),
        ("/", "model"),
        ("~nobody-at-all/bert", "bert"),
        ("a/b", "a/b"),
    ],
)
def test_of_a_folder_that_is_not_there_the_path_is_nobodys_business_either(monkeypatch, source, name) -> None:
    names = named(monkeypatch, source)
    assert [*names] == [*BUILT_IN, name]


def test_a_name_outside_the_catalogue_is_not_loaded(monkeypatch) -> None:
    monkeypatch.delenv(catalogue.OPERATOR_SETTING, raising=False)
    with pytest.raises(KeyError):
        session.model("some/other", Sizes())


def test_a_model_the_operator_named_but_nobody_can_load_says_why_each_time(monkeypatch, tmp_path) -> None:
    named(monkeypatch, tmp_path)
    for _ in range(2):
        with pytest.raises(ModelError) as caught:
            session.model(tmp_path.name, Sizes())
        assert caught.value.kind == "unknown"


def test_at_most_so_many_loaded_things_stay() -> None:
    loaded = catalogue.Loaded[int](3)
    makes = []
    for name in (1, 2, 3, 4, 4, 3, 2, 1):
        assert loaded.get(name, lambda name=name: makes.append(name) or name) == name
    assert makes == [1, 2, 3, 4, 1]


def test_run_answers_the_study() -> None:
    study = Study(text="Thinking Machines", model=SCRATCH, sizes=SIZES)
    model = FromScratch(SIZES)
    assert_close(session.run(study).output, model.run(model.tokenize("Thinking Machines")).output)
    assert session.run(study) is session.run(study)
    assert session.run(study).output.dtype == torch.float32


def test_a_table_has_what_a_sweep_of_each_d_k_gives_and_bands_are_of_all_seeds() -> None:
    question = Question(text="The law saw")
    layers = [probe(replace(question, seed=seed)) for seed in range(3)]
    tables = [finished(tabulated(layer)) for layer in layers]
    expected = sweep(layers[1], D_K_STOPS[5], [1.0]).measures.peak
    alone = tables[1].measures[0, 5, INPUT_SCALES.index(1.0), MEASURE_NAMES.index("peak")]
    assert_close(alone, expected[0], rtol=1e-5, atol=1e-6)
    together = finished(
        bands(question, 3, tables[0], lambda tables: torch.stack([one.measures for one in tables]).numpy())
    )
    assert_close(torch.from_numpy(together), torch.stack([table.measures for table in tables]), equal_nan=True)
