"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from attention_core.mechanisms import MECHANISMS, Options
from attention_core.mechanisms.bench import compute
from pages.mechanisms.bench.numbers import OWN, vectors
from pages.mechanisms.bench.wording import title
from ui.controls import Choice
from ui.guide import Choose, Guide, Prediction
from ui.text import Words

GUIDE = Guide(
    tries=(
        "bench=scaled_dot,dot",
        "bench=scaled_dot,window&bench_D=24",
        "bench=scaled_dot,location&bench_memory=other&bench_text=The Law will never be perfect",
    ),
)


OFFERED = ("scaled_dot", "dot", "cosine")


def prediction(choice: Choice, page: Words) -> Prediction:
    """Which mechanism has the sharpest rows on the same q and k: the mean over the rows of the largest weight."""

    def truth() -> list[float]:
        layer, options = choice.run().layers[choice.layer], Options()
        shared = vectors(layer, layer, OWN, options.radius)
        head = min(choice.head, shared.q.shape[0] - 1)
        given = shared.q, shared.k, shared.v
        results = [compute(MECHANISMS[key], *given, options=options, allowed=shared.allowed) for key in OFFERED]
        return [float(result.trace.weights[head].amax(dim=-1).mean()) for result in results]

    return Prediction(
        kind=Choose(tuple(title(key, MECHANISMS[key], page) for key in OFFERED)),
        state=f"bench={','.join(OFFERED)}&bench_mask=own",
        truth=truth,
        values={"head": f"{choice.number}.{choice.head + 1}"},
    )
