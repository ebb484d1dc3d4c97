"""What a place is worth: scores of one pair of words wherever it stands, at every distance. Pure."""

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.positions import alibi_slopes
from attention_core.shuffling import added_scores, rope_scores, sinusoidal_similarity
from pages.mechanisms.order.reading import D_HEAD, D_MODEL, N_HEAD, Reading, log10

PLACES = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 400)
OFFSETS = tuple(range(64))
WAYS = ("similarity", "rope", "added")
NUMBERS = (*WAYS, "alibi", *(f"{way} spread" for way in WAYS))


def offset_scores(reading: Reading, head: int, pair: tuple[int, int]) -> Float[Tensor, "places offsets numbers"]:
    """NUMBERS where the query stands at PLACES and the key OFFSETS later: the similarity of the two places, the score
    under RoPE, with positions added to the words, and the bias of ALiBi; then log₁₀ of how far each of the first three
    moves with the place, at most. `pair`: the words that ask and answer.
    """
    assert reading.layer.W_Q is not None and reading.layer.W_K is not None
    places, offsets = torch.tensor(PLACES), torch.tensor(OFFSETS)
    W_Q, W_K = reading.layer.W_Q[head], reading.layer.W_K[head]
    asks, answers = (reading.x[token] for token in pair)
    ways = (
        sinusoidal_similarity(D_MODEL, places, offsets),
        rope_scores(asks @ W_Q, answers @ W_K, places, offsets) * D_HEAD**-0.5,
        added_scores(asks, answers, W_Q, W_K, places, offsets) * D_HEAD**-0.5,
    )
    scores = torch.stack(ways, dim=-1)
    spread = log10((scores - scores[:1]).abs().amax(dim=(0, 1)))
    bias = (-float(alibi_slopes(N_HEAD)[head]) * offsets.double()).expand(len(places), -1)
    return torch.cat((scores, bias[..., None], spread.expand_as(scores)), dim=-1)
