"""What the guide of this page sets, the pages it names, and what a reader can predict."""

import torch

from ui.guide import Guide, Prediction, Row

GUIDE = Guide(
    tries=(
        "sm_a=40",
        "sm_n=3&sm_x=0,0,1&sm_c=100&sm_beta=1",
        "sm_n=4&sm_x=4,4,0,0&sm_c=0&sm_beta=8",
    ),
    pages=("vanishing",),
)


SCORES = (0.0, 1.0, 3.0)


def prediction() -> Prediction:
    """The softmax of three scores."""
    names = tuple(f"{score:g}" for score in SCORES)
    return Prediction(
        kind=Row(names=names, step=0.01),
        state=f"sm_n={len(SCORES)}&sm_x={','.join(names)}&sm_c=0&sm_beta=1",
        truth=torch.tensor(SCORES, dtype=torch.float64).softmax(dim=0).tolist,
        values={"scores": ", ".join(names)},
    )
