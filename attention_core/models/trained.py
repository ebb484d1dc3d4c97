"""A layer trained here, as a model: the words its experiment knows go in, the trace of every layer comes out."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core import checkpoints, masks
from attention_core.experiments.base import Experiment, stream
from attention_core.experiments.induction import Induction
from attention_core.experiments.layers import AttentionOnly
from attention_core.experiments.pronoun import EXAMPLE, LENGTH, PAD, WORDS, Pronoun
from attention_core.experiments.sort import Sort
from attention_core.experiments.store import StoreError, load_weights
from attention_core.models.base import (
    LayerName,
    LayerTrace,
    Projections,
    Run,
    Settings,
    Tokens,
    UnknownWords,
    attend_under,
)
from attention_core.models.built import Built, QuerySource
from attention_core.multihead import mix, project
from attention_core.text import words

CHECKPOINT = checkpoints.FOLDER / "pronoun.safetensors"
CHECKPOINT_SHA256 = "b7700ead1ebc8f5b4b5ec27b436a64775a758d3dfae53946dc773b63cb308e08"
DEFAULT = Settings()
MOST_WORDS = 4096
EMPTY = torch.empty(0)
TokenExperiment = Pronoun | Sort | Induction


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What a network was taught: the words of its token ids, how many it reads at once, and how it is built."""

    words: tuple[str, ...]
    length: int
    causal: bool = False
    n_layer: int = 1
    n_head: int = 1


def language(config: Experiment) -> Language:
    """Of the experiments that train on tokens. Raises StoreError for the others."""
    if isinstance(config, Pronoun):
        return Language(words=WORDS, length=LENGTH, n_head=config.n_head)
    if isinstance(config, Sort):
        return Language(words=_numbers(config.symbols), length=config.length)
    if isinstance(config, Induction):
        words = _numbers(config.vocabulary)
        return Language(words=words, length=config.length, causal=True, n_layer=config.n_layer, n_head=config.n_head)
    raise StoreError("it was not trained on words, so no sentence can be typed")


class Trained:
    """The network of an experiment as a model of the Explore pages. x of a layer is what its W_Q reads: LN(x)."""

    def __init__(self, config: TokenExperiment, network: AttentionOnly) -> None:
        taught = language(config)
        self.name = type(config).__name__.lower()
        self.config = config
        self.example = EXAMPLE if isinstance(config, Pronoun) else _first(config)
        self.vocabulary = tuple(word for word in taught.words if word != PAD)
        self.max_tokens = network.positions.shape[0]
        self.layers = tuple(
            LayerName("layer", number + 1, block.attention.W_Q.shape[0]) for number, block in enumerate(network.blocks)
        )
        self._words, self._causal = taught.words, taught.causal
        self._ids = {word: number for number, word in enumerate(taught.words)}
        self._network = network.requires_grad_(False).eval()

    def tokenize(self, text: str) -> Tokens:
        """Words, in lower case. Raises UnknownWords, which names every one that is not in the vocabulary."""
        written = tuple(word.lower() for word in words(text))
        unknown = tuple(dict.fromkeys(word for word in written if word not in self.vocabulary))
        if unknown:
            raise UnknownWords(unknown, self.vocabulary)
        kept = written[: self.max_tokens]
        return Tokens(strings=kept, ids=tuple(self._ids[word] for word in kept), dropped=len(written) - len(kept))

    def word_embeddings(self, tokens: Tokens) -> Float[Tensor, "n d"]:
        """The rows of the embedding matrix, before positions."""
        return self._network.tokens[torch.tensor(tokens.ids, dtype=torch.long)]

    def run(
        self, tokens: Tokens, settings: Settings = DEFAULT, target: Tokens | None = None, *, grad: bool = False
    ) -> Run:
        """Self-attention on `tokens`; a second sequence means nothing to this model and raises ValueError.

        With `grad` the stages are part of one graph, from the first q, k, v to the output, for `gradients`.
        """
        if target is not None:
            raise ValueError("this model reads one sentence, not two")
        x, traces = self._network.embed(torch.tensor(tokens.ids, dtype=torch.long)), []
        allowed = masks.causal(len(tokens), len(tokens)) if self._causal else None
        for index, (name, layer) in enumerate(zip(self.layers, self._network.blocks, strict=True)):
            weights, scale = layer.attention, layer.input_scale
            normed = layer.norm(x)
            W_Q, W_K = weights.W_Q * scale, weights.W_K * scale  # the input scale it was trained with
            q, k, v = project(normed, W_Q), project(normed, W_K), project(normed, weights.W_V)
            if grad:  # the weights are frozen, so a graph has to begin at the q, k, v of the first layer
                q, k, v = (part if part.requires_grad else part.requires_grad_() for part in (q, k, v))
            attention, factor = attend_under(
                settings, index, q, k, v, scaling=layer.scaling, softcap=layer.softcap, allowed=allowed
            )
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
                    built=Built(normalised=True),
                    source=QuerySource(x=normed, back=partial(torch.mul, other=scale)) if grad else None,
                )
            )
            x = x + mix(attention.context, weights.W_O)
        return Run(tokens=tokens, layers=tuple(traces), output=x)

    def answers(self, run: Run) -> list[tuple[str, float]]:
        """For every token, the model's answer and its probability: at a pronoun, the word it stands for."""
        chances = self._network.read(self._network.norm(run.output)).softmax(dim=-1)
        best = chances.max(dim=-1)
        return [(self._words[word], p) for word, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def opens(config: Experiment) -> bool:
    """Whether a run of this configuration can be a model: trained on tokens, with a W_Q that gives q."""
    return isinstance(config, TokenExperiment) and config.rule != "qk_norm"


def from_bytes(data: bytes) -> Trained:
    """The model of a saved run. Raises StoreError where the file is damaged or holds another experiment."""
    config, state = load_weights(data)
    taught = language(config)
    assert isinstance(config, TokenExperiment)
    if not opens(config):
        raise StoreError("QK-norm has no W_Q that gives q, so this run cannot be opened as a model")
    # Looked at first: a configuration may ask for any amount of memory.
    layers = sum(name.endswith(".attention.W_Q") for name in state)
    asked = {
        "tokens": (len(taught.words), config.d_model),
        "positions": (taught.length, config.d_model),
        "layers.0.attention.W_Q": (taught.n_head, config.d_model, config.d_k),
    }
    if layers != taught.n_layer or any(state.get(name, EMPTY).shape != shape for name, shape in asked.items()):
        raise StoreError("its weights do not fit its configuration")
    try:
        network = config.build()
        network.load_state_dict(state)
    except (ValueError, RuntimeError) as error:
        raise StoreError("its weights do not fit its configuration") from error
    return Trained(config, network)


def load_pronoun() -> Trained:
    """The shipped checkpoint, made by experiments/shipped.py. Raises checkpoints.DamagedError where it is not there."""
    return from_bytes(checkpoints.read_verified(CHECKPOINT, CHECKPOINT_SHA256))


def load_trained(path: Path | str) -> Trained:
    """The model of the weights that a training page saves. Raises StoreError as `from_bytes` does."""
    return from_bytes(Path(path).read_bytes())


def _numbers(count: int) -> tuple[str, ...]:
    if count > MOST_WORDS:
        raise StoreError(f"it counts {count} words, and {MOST_WORDS} are the most")
    return tuple(map(str, range(count)))


def _first(config: Sort | Induction) -> str:
    """The first sequence of its probe."""
    return " ".join(map(str, config.draw(stream(config.seed, "probe"), 1)[0][0].tolist()))
