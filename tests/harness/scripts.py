"""What the scripts that readers take away print: in this process, or in a new one that knows nothing of Headlight's."""

import io
import os
import runpy
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import torch

from tests.harness.serving import ROOT

OPTIONS = ("precision", "sci_mode", "linewidth")  # of printed tensors, which scripts set


def printed(script: str) -> str:
    """What it prints when it is run in this process."""
    before = {name: getattr(torch._tensor_str.PRINT_OPTS, name) for name in OPTIONS}
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()) as output:
        file = Path(folder, "this_file.py")
        file.write_text(script, encoding="utf-8")
        try:
            runpy.run_path(str(file), run_name="__main__")
        finally:
            torch.set_printoptions(**before)
    return output.getvalue()


def printed_afresh(script: str) -> str:
    """What it prints when it is run as a reader runs it: by a new Python, where attention_core can be imported."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "this_file.py")
        file.write_text(script, encoding="utf-8")
        return subprocess.run(
            [sys.executable, str(file)],
            capture_output=True,
            encoding="utf-8",
            check=True,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        ).stdout
