"""Any cell of any stage → its formula, the same with its numbers in it, every term, and the torch lines that give it.

Pure: numbers come from the trace, LaTeX holds numbers and symbols only, tokens are named by their position.
"""

from attention_core.models import LayerTrace
from pages.explore.pipeline.explanation import matrices, output, scores, softmax
from pages.explore.pipeline.explanation.base import LARGEST, Explanation, Term, tex
from pages.explore.pipeline.explanation.matrices import Explain

__all__ = ["EXPLAIN", "LARGEST", "Explanation", "Term", "explain", "tex"]

EXPLAIN: dict[str, Explain] = {
    "x": matrices.x,
    "W_Q": matrices.matrix("Q"),
    "W_K": matrices.matrix("K"),
    "W_V": matrices.matrix("V"),
    "q": matrices.projected("q"),
    "k": matrices.projected("k"),
    "v": matrices.projected("v"),
    "k_t": matrices.transposed,
    "scores": scores.scores,
    "scaled": scores.scaled,
    "soft_scores": softmax.softened("scores", "s"),
    "soft_scaled": softmax.softened("scaled_scores", "c\\,s"),
    "capped": scores.capped,
    "masked": scores.masked,
    "exp": softmax.exp,
    "sum": softmax.row_sum,
    "weights": softmax.weights,
    "context": output.context,
    "concat": output.concat,
    "W_O": matrices.matrix("O"),
    "output": output.output,
}


def explain(layer: LayerTrace, head: int, panel: str, row: int, col: int) -> Explanation:
    """The explanation of one cell. Raises KeyError for a panel that is not a stage."""
    return EXPLAIN[panel](layer, head, row, col)
