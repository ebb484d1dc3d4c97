"""The scripts as they travel: every module once, after what it imports, as one script that a browser can read."""

import re
import subprocess

from tests.harness.node import NODE
from ui.components.assets import FOLDER, IMPORT, script

MODULES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.js"))
EXPORTED = re.compile(r"^export (?:const|function|class) (\w+)", re.MULTILINE)


def exports(module: str) -> list[str]:
    return EXPORTED.findall((FOLDER / module).read_text(encoding="utf-8"))


def test_every_module_stands_in_the_script_once_and_nothing_else_is_exported_than_the_library() -> None:
    source = script()
    for module in MODULES:
        given = f"return {{ {', '.join(exports(module))} }};"
        assert source.count(given) == (module != "library.js"), module
    assert re.findall(r"^(?:import|export)\b.*", source, re.MULTILINE) == ["export default function library() {"]


def test_no_two_modules_export_one_name() -> None:
    names = [name for module in MODULES for name in exports(module)]
    assert len(names) == len(set(names))


def test_a_module_stands_after_those_it_imports() -> None:
    source = script()
    ends = {
        module: source.index(f"return {{ {', '.join(exports(module))} }};") for module in MODULES if exports(module)
    }
    for module in ends:
        for address in IMPORT.findall((FOLDER / module).read_text(encoding="utf-8")):
            imported = (FOLDER / module).parent.joinpath(address).resolve().relative_to(FOLDER).as_posix()
            assert ends[imported] < ends[module], f"{module} needs {imported}"


def test_types_are_not_sent_to_readers_and_node_can_read_the_script() -> None:
    assert "@param" not in script()
    checked = subprocess.run([NODE, "--input-type=module", "--check"], input=script().encode(), capture_output=True)
    assert checked.returncode == 0, checked.stderr.decode()
