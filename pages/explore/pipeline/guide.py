"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from ui import session
from ui.controls import Bar, focus
from ui.guide import Choose, Guide, Prediction

GUIDE = Guide(
    tries=(
        "text=She sat on the bank of the river and counted the money from the bank&layer=3&head=10&focus=15,5",
        "focus=6,2",
        "mask=causal",
    ),
    pages=("heads",),
)


LAYER, HEAD = 3, 1


def prediction(bar: Bar) -> Prediction:
    """Which token the one in focus reads most once nothing after it may be read."""
    tokens, layer = bar.tokens.strings, min(LAYER, len(bar.model.layers) - 1)
    name, query = bar.model.layers[layer], focus(len(tokens), len(tokens))[0]
    head = min(HEAD, name.n_head - 1)

    def truth() -> list[float]:
        causal = session.run_of(bar.study(layer, mask="causal"), bar.model, bar.tokens)
        return causal.layers[layer].attention.weights[head, query].tolist()

    return Prediction(
        kind=Choose(tuple(f"{place}: {token}" for place, token in enumerate(tokens, start=1))),
        state=f"mask=causal&layer={name.number}&head={head + 1}",
        truth=truth,
        values={"head": f"{name.number}.{head + 1}", "query": f"{query + 1}: {tokens[query]}"},
    )
