"""What does each page cost the server: CPU seconds of a new sentence, of a released slider, of another head?

    python -m benchmarks.cost --beside c852cce

One visitor, a warm server. An action is over when everything is there that the page computes by itself. CPU seconds
are those of the server's process; the kernel counts them in hundredths, so an action is repeated and the mean stands.
A page that does not offer an action has an empty cell.
"""

import argparse
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop

from benchmarks.report import report
from tests.harness.client import FaultError, SilenceError, visit
from tests.harness.serving import ROOT, checkout, entry, serve
from tests.harness.visitors import Reader, address
from ui.navigation import PAGES

KINDS = ("sentence", "slider", "head")
REPEATS = 5
ALL = [entry.url_path for entry in PAGES]


async def cost(url: str, page: str, kind: str, cpu_seconds: Callable[[], float]) -> tuple[float, float] | None:
    """CPU seconds and KB of one such action on this page, the mean of a few; None: the page does not offer it.

    The first action of its kind is not counted: it loads what is loaded once.
    """
    async with visit(url, address(page)) as session:
        reader = Reader(session, random.Random(f"{page} {kind}"))
        await session.rerun()
        await session.settle()
        if kind not in reader.offers():
            return None
        await _once(reader, kind)
        cpu, size = cpu_seconds(), session.received
        for _ in range(REPEATS):
            await _once(reader, kind)
        return (cpu_seconds() - cpu) / REPEATS, (session.received - size) / 1e3 / REPEATS


async def _once(reader: Reader, kind: str) -> None:
    await reader.offers()[kind][0]()
    await reader.session.settle()


def costs(root: Path, pages: Sequence[str]) -> list[dict[str, object]]:
    """A line per page; what fails, or takes longer than a reader waits, is told of and left empty."""
    rows = []
    with serve(entry(root), root=root) as server:
        for page in pages:
            server.rest()  # examples are made ready while nobody asks for anything
            row: dict[str, object] = {"page": page}
            for kind in KINDS:
                try:
                    figures = uvloop.run(cost(server.url, page, kind, server.cpu_seconds))
                except (FaultError, SilenceError) as error:
                    print(error, flush=True)
                    figures = None
                row[f"{kind} CPU s"], row[f"{kind} KB"] = figures or ("", "")
            rows.append(row)
    return rows


def sums(rows: Sequence[dict[str, object]]) -> dict[str, float]:
    """CPU seconds of all pages, by action and together."""
    parts = {kind: sum(float(row[f"{kind} CPU s"] or 0) for row in rows) for kind in KINDS}  # type: ignore[arg-type]
    return parts | {"all": sum(parts.values())}


def main() -> None:
    """This version, and another beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", nargs="+", default=ALL, choices=ALL, metavar="PAGE", help="only these")
    parser.add_argument("--beside", help="another version: a folder or a commit")
    args = parser.parse_args()
    with ExitStack() as stack:
        roots = {"now": ROOT}
        if args.beside is not None:
            roots[args.beside] = stack.enter_context(checkout(args.beside))
        table = [{"version": name, **row} for name, root in roots.items() for row in costs(root, args.pages)]
    totals = {name: sums([row for row in table if row["version"] == name]) for name in roots}
    ratio = {} if args.beside is None else {"ratio": totals["now"]["all"] / totals[args.beside]["all"]}
    table += [{"version": name, "page": "sum"} | _cells(total) for name, total in totals.items()]
    report("CPU seconds of the server for one action of one reader", table, sums=totals, **ratio)


def _cells(total: dict[str, float]) -> dict[str, object]:
    return {f"{kind} {unit}": total[kind] if unit == "CPU s" else "" for kind in KINDS for unit in ("CPU s", "KB")}


if __name__ == "__main__":
    main()
