"""How long does one fragment rerun take over the WebSocket, twelve heads of 32 tokens? Ours against stock Streamlit."""

import asyncio
from statistics import median, quantiles

from benchmarks.report import report
from tests.harness.client import elements, fragment_of, visit
from tests.harness.serving import serve

APP = "benchmarks/apps/attention.py"
RERUNS = 40


async def rerun_seconds(url: str) -> list[float]:
    """Seconds of each of RERUNS fragment reruns after a few to settle."""
    async with visit(url) as session:
        first = await session.rerun()
        slider, fragment = elements(first, "slider")[0].id, fragment_of(first)  # type: ignore[attr-defined]
        replies = [await session.rerun({slider: i / 100}, fragment) for i in range(RERUNS + 5)]
    return [reply.seconds for reply in replies[5:]]


def main() -> None:
    """Measure both, one after the other."""
    rows = []
    for name in ("stock", "ours"):
        with serve(APP, stock=name == "stock") as server:
            milliseconds = [1000 * seconds for seconds in asyncio.run(rerun_seconds(server.url))]
        rows.append({"server": name, "p50 ms": median(milliseconds), "p95 ms": quantiles(milliseconds, n=20)[-1]})
    stock, ours = (row["p50 ms"] for row in rows)
    report("Fragment rerun over the WebSocket, 12 heads x 32 tokens", rows, p50_ms=ours, times_faster=stock / ours)


if __name__ == "__main__":
    main()
