"""A table for people, then one line of JSON for machines."""

import json
import platform
from collections.abc import Mapping, Sequence

import psutil
import torch


def report(question: str, rows: Sequence[Mapping[str, object]], **result: object) -> None:
    """Print the rows as a table; the last line holds the result, the rows and the machine as compact JSON."""
    columns = list(rows[0])
    cells = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    print(question)
    for line in cells:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    machine = {
        "cpus": psutil.cpu_count(),
        "load": psutil.getloadavg()[0],
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    print(json.dumps({"question": question, **result, "rows": rows, "machine": machine}, separators=(",", ":")))


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
