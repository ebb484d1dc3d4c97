"""`pip install .` gives attention_core to anybody: the wheel holds it, all of it, and nothing of the app."""

import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import attention_core

ROOT = Path(__file__).parents[1]
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CONFIG_FILE": os.devnull}
USED = """
import torch, attention_core
from attention_core import attend, matching
from attention_core.experiments.paraphrases import lexicon
from attention_core.models import FromScratch, Sizes, load_pronoun

q, k, v = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0)).unbind()
expected = torch.nn.functional.scaled_dot_product_attention(q, k, v)
torch.testing.assert_close(attend(q, k, v).context, expected)
model = load_pronoun()
assert model.run(model.tokenize(model.example)).output.isfinite().all()
assert matching.shipped("both")[1]["seed"] == 0
assert sum(map(len, lexicon().values())) == 100
layer = FromScratch(Sizes(source="digest"))
assert layer.run(layer.tokenize("the law")).output.isfinite().all()
print(attention_core.__file__)
"""


def pip(*args: str | Path) -> None:
    command = [sys.executable, "-m", "pip", *map(str, args), "--quiet"]
    subprocess.run(command, env=os.environ | OFFLINE, check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy: setuptools leaves what it builds beside what it builds from."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    # As in a checkout: what is no part of the package stands beside it.
    for name in ("attention_core", "ui", "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", out, source)
    [built] = out.iterdir()
    return built


def test_the_wheel_holds_every_file_of_the_core_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    core = ROOT / "attention_core"
    files = {file.relative_to(ROOT).as_posix() for file in core.rglob("*") if file.is_file()}
    assert packed == {file for file in files if "__pycache__" not in file}
    assert {"attention_core/checkpoints/pronoun.safetensors", "attention_core/py.typed"} <= packed


def test_its_name_version_and_needs_are_written_on_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        [name] = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        written = Parser().parsestr(archive.read(name).decode())
    assert (written["Name"], written["Version"]) == ("headlight-attention", attention_core.__version__)
    assert written["Requires-Python"] == ">=3.11"
    needs = written.get_all("Requires-Dist", [])
    plain = {need.split(">")[0] for need in needs if "extra ==" not in need}
    assert plain == {"torch", "numpy", "jaxtyping", "regex", "safetensors"}
    assert any(need.startswith("transformers") and "pretrained" in need for need in needs)


def test_installed_elsewhere_it_attends_and_loads_what_ships(wheel: Path, tmp_path: Path) -> None:
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    pip("install", "--no-deps", "--target", installed, wheel)
    done = subprocess.run(
        [sys.executable, "-c", USED],
        cwd=elsewhere,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(installed)
