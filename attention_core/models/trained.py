"""A layer trained here, as a model: the words its experiment knows go in, the trace of every layer comes out."""

from collections.abc import Sequence

import torch

from attention_core import checkpoints
from attention_core.experiments.layers import AttentionOnly
from attention_core.experiments.pronoun import IDS, PAD, WORDS, Pronoun
from attention_core.experiments.store import StoreError, load_weights
from attention_core.models.base import LayerName, LayerTrace, Projections, Run, Settings, Tokens, attend_under
from attention_core.multihead import mix, project
from attention_core.text import words

CHECKPOINT = checkpoints.FOLDER / "pronoun.safetensors"
CHECKPOINT_SHA256 = "b7700ead1ebc8f5b4b5ec27b436a64775a758d3dfae53946dc773b63cb308e08"
DEFAULT = Settings()


class UnknownWords(ValueError):
    """A sentence with words the model was never taught."""

    def __init__(self, unknown: Sequence[str], known: Sequence[str]) -> None:
        quoted = ", ".join(f"“{word}”" for word in unknown)
        super().__init__(f"This model does not know {quoted}. It knows these words: {' '.join(known)}")
        self.unknown, self.known = tuple(unknown), tuple(known)


class Trained:
    """The pronoun experiment's network as a model of the Explore pages. x of a layer is what its W_Q reads: LN(x)."""

    def __init__(self, config: Pronoun, network: AttentionOnly) -> None:
        self.name = "pronoun"
        self.config = config
        self.vocabulary = tuple(word for word in WORDS if word != PAD)
        self.max_tokens = network.positions.shape[0]
        self.layers = tuple(LayerName("layer", number + 1, config.n_head) for number in range(len(network.blocks)))
        self._network = network.requires_grad_(False).eval()

    def tokenize(self, text: str) -> Tokens:
        """Words, in lower case. Raises UnknownWords, which names every one that is not in the vocabulary."""
        found = tuple(word.lower() for word in words(text))
        unknown = tuple(dict.fromkeys(word for word in found if word not in self.vocabulary))
        if unknown:
            raise UnknownWords(unknown, self.vocabulary)
        kept = found[: self.max_tokens]
        return Tokens(strings=kept, ids=tuple(IDS[word] for word in kept), dropped=len(found) - len(kept))

    def run(self, tokens: Tokens, settings: Settings = DEFAULT, target: Tokens | None = None) -> Run:
        """Self-attention on `tokens`; a second sequence means nothing to this model and raises ValueError."""
        if target is not None:
            raise ValueError("this model reads one sentence, not two")
        x, traces = self._network.embed(torch.tensor(tokens.ids, dtype=torch.long)), []
        for index, (name, layer) in enumerate(zip(self.layers, self._network.blocks, strict=True)):
            weights, scale = layer.attention, layer.input_scale
            normed = layer.norm(x)
            W_Q, W_K = weights.W_Q * scale, weights.W_K * scale  # the input scale it was trained with
            q, k, v = project(normed, W_Q), project(normed, W_K), project(normed, weights.W_V)
            attention, factor = attend_under(settings, index, q, k, v, scaling=layer.scaling, softcap=layer.softcap)
            traces.append(
                LayerTrace(
                    index=index,
                    name=name,
                    queries=tokens.strings,
                    keys=tokens.strings,
                    x=normed,
                    memory=normed,
                    projections=Projections(W_Q=W_Q, W_K=W_K, W_V=weights.W_V, W_O=weights.W_O),
                    attention=attention,
                    factor=factor,
                    softcap=layer.softcap,
                    settings=settings.within(index),
                )
            )
            x = x + mix(attention.context, weights.W_O)
        return Run(tokens=tokens, layers=tuple(traces), output=x)

    def answers(self, run: Run) -> list[tuple[str, float]]:
        """For every token, the word the model says there and its probability: at a pronoun, what it stands for."""
        chances = self._network.read(self._network.norm(run.output)).softmax(dim=-1)
        best = chances.max(dim=-1)
        return [(WORDS[word], p) for word, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def from_bytes(data: bytes) -> Trained:
    """The model of a saved run. Raises StoreError where the file is damaged or holds another experiment."""
    config, state = load_weights(data)
    if not isinstance(config, Pronoun):
        raise StoreError("it was not trained on words, so no sentence can be typed")
    if config.rule == "qk_norm":
        raise StoreError("QK-norm has no W_Q that gives q, so this run cannot be opened as a model")
    W_Q = state.get("layers.0.attention.W_Q", torch.empty(0))
    # Looked at first: a configuration may ask for any amount of memory.
    if W_Q.shape != (config.n_head, config.d_model, config.d_k):
        raise StoreError("its weights do not fit its configuration")
    try:
        network = config.build()
        network.load_state_dict(state)
    except (ValueError, RuntimeError) as error:
        raise StoreError("its weights do not fit its configuration") from error
    return Trained(config, network)


def load_pronoun() -> Trained:
    """The shipped checkpoint, made by experiments/pronoun.py. Raises checkpoints.DamagedError where it is not there."""
    return from_bytes(checkpoints.read(CHECKPOINT, CHECKPOINT_SHA256))
