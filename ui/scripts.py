"""The scripts a reader takes away: files that run as they stand, whose first values become the reader's."""

import ast
from functools import cache
from pathlib import Path

OPEN, CLOSE = "# --- yours ---\n", "# ---\n"


class Code(str):
    """A value that is written as the expression it is, not as a string: `Code("load_embedded()")`."""


def filled(file: Path, **values: object) -> str:
    """The script in this file with these values in place of those between its markers; nothing else changes.

    Raises ValueError where the names are not exactly those the file assigns there.
    """
    before, names, after = _parts(file)
    if set(names) != set(values):
        raise ValueError(f"{file.name} takes {', '.join(names)}; not {', '.join(values)}")
    yours = "".join(f"{name} = {_spelled(values[name])}\n" for name in names)
    return f"{before}{OPEN}{yours}{CLOSE}{after}"


@cache
def _parts(file: Path) -> tuple[str, tuple[str, ...], str]:
    """What stands before the values, their names in order, and what stands after them."""
    before, _, rest = file.read_text(encoding="utf-8").partition(OPEN)
    yours, _, after = rest.partition(CLOSE)
    targets = [target for line in ast.parse(yours).body if isinstance(line, ast.Assign) for target in line.targets]
    return before, tuple(target.id for target in targets if isinstance(target, ast.Name)), after


def _spelled(value: object) -> str:
    return value if isinstance(value, Code) else ascii(value)
