"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from ui import session
from ui.controls import Bar, focus
from ui.guide import Choose, Guide, Prediction

GUIDE = Guide(
    tries=(
        "model=all-MiniLM-L6-v2&layer=1&head=3",
        "temperature=0.1",
        "tab=off&off=1.3",
    ),
    pages=("pipeline",),
)


LAYER, HEAD = 0, 2  # in the shipped model the head that looks one word back


def prediction(bar: Bar) -> Prediction:
    """Which token the one in focus reads most, in a head that looks back."""
    tokens, name = bar.tokens.strings, bar.model.layers[LAYER]
    head, query = min(HEAD, name.n_head - 1), focus(len(tokens), len(tokens))[0]

    def truth() -> list[float]:
        run = session.run_of(bar.study(LAYER), bar.model, bar.tokens)
        return run.layers[LAYER].attention.weights[head, query].tolist()

    return Prediction(
        kind=Choose(tuple(f"{place}: {token}" for place, token in enumerate(tokens, start=1))),
        state=f"layer={name.number}&head={head + 1}&focus={query},{max(query - 1, 0)}",
        truth=truth,
        values={"head": f"{name.number}.{head + 1}", "query": f"{query + 1}: {tokens[query]}"},
    )
