"""A script that is taken away is the file itself, but for the reader's values."""

import runpy

import pytest

from ui.scripts import Code, filled

SCRIPT = '''"""What it prints."""

import math

# --- yours ---
text = "a sentence"
size = 3
model = math.pi
# ---

print(text, size, model)
'''


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "script.py"
    file.write_text(SCRIPT, encoding="utf-8")
    return file


def test_the_values_are_the_readers_and_nothing_else_changes(file, tmp_path, capsys) -> None:
    hostile = "quotes \"'\n# ---\nimport os 注意"
    script = filled(file, text=hostile, size=(7, 11), model=Code("math.tau"))
    before, after = SCRIPT.split('text = "a sentence"\nsize = 3\nmodel = math.pi\n')
    assert script.startswith(before) and script.endswith(after)
    mine = tmp_path / "mine.py"
    mine.write_text(script, encoding="ascii")  # whatever the reader's editor takes it for
    values = runpy.run_path(str(mine))
    assert (values["text"], values["size"]) == (hostile, (7, 11))
    assert capsys.readouterr().out.endswith("(7, 11) 6.283185307179586\n")


def test_a_value_without_a_place_or_a_place_without_a_value_is_refused(file) -> None:
    with pytest.raises(ValueError, match=r"script.py takes text, size, model; not text, size"):
        filled(file, text="x", size=1)
    with pytest.raises(ValueError, match="not text, size, model, seed"):
        filled(file, text="x", size=1, model=2, seed=3)
