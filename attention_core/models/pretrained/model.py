"""A transformers model that records its attention: text in, one trace per attention layer out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attention_core.models.base import LayerName, LayerTrace, Projections, Recomputed, Run, Settings, Stack, Tokens
from attention_core.models.built import Built, QuerySource
from attention_core.models.pretrained.building import layers_built
from attention_core.models.pretrained.errors import ModelError
from attention_core.models.pretrained.finding import find_layers
from attention_core.models.pretrained.recording import DEFAULT, AttentionCall, recording, remember_query
from attention_core.models.pretrained.tokenizing import Tokenizing
from attention_core.models.pretrained.vocabulary import embedding_rows

LONGEST = 512
# More than a sentence, so that a window, or keys that are chosen, leave some of it out.
PROBE = (
    "The quick brown fox jumps over the lazy dog, and then it sleeps in the sun until the rain begins to fall again."
)
# Whose tokens are the rows and whose the columns.
STACKS: dict[Stack, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "layer": (("encoder",), ("encoder",)),
    "encoder": (("encoder",), ("encoder",)),
    "decoder": (("decoder",), ("decoder",)),
    "cross": (("decoder",), ("encoder",)),
    "merged": (("decoder",), ("decoder", "encoder")),
}


class Pretrained:
    """A transformers model that records its attention. Stateless between runs and safe to share between threads."""

    example = ""  # it reads every sentence

    def __init__(self, name: str, model: Any, tokenizer: Any, probe: dict[str, Tensor] | None = None) -> None:  # noqa: ANN401
        """Find, by a forward pass, which modules compute attention and which matrices they use."""
        self.name = name
        self._model = model.eval().requires_grad_(False)
        rows = embedding_rows(model) if probe is None else None  # with another input it is not text that it reads
        self._tokenizing = None if tokenizer is None else Tokenizing(tokenizer, rows)
        self.max_tokens = _most_tokens(model, tokenizer)
        if self._tokenizing is not None and self.max_tokens <= self._tokenizing.framing:
            raise ModelError("no_room", name, str(self.max_tokens))
        if probe is None:
            if self._tokenizing is None:
                raise ModelError("no_text", name)
            probe = self._inputs(self._tokenizing.sample(PROBE, self.max_tokens), None)
        self.layers, self._projections = find_layers(name, model, probe)
        self._queries, self._built = layers_built(name, self._model, probe, self._projections)
        for linear in {one.linear for one in self._queries if one is not None}:
            linear.register_forward_hook(remember_query)

    def tokenize(self, text: str, *, special: bool = True, plain: bool = False) -> Tokens:
        """Text → tokens as the model's own tokenizer makes them, cut at `max_tokens`.

        `special`: between [CLS] and [SEP], or what the model has for them. Without, and where `plain`, a special token
        that stands in the text is read as the letters it is made of. Raises Unreadable.
        """
        if self._tokenizing is None:
            raise ModelError("no_text", self.name)
        return self._tokenizing.read(text, self.max_tokens, special=special, plain=plain or not special)

    def word_embeddings(self, tokens: Tokens) -> Float[Tensor, "n d"]:
        """The rows of the embedding matrix, before positions and normalisation."""
        return self._model.get_input_embeddings().weight[torch.tensor(tokens.ids, dtype=torch.long)]

    def run(
        self, tokens: Tokens, settings: Settings = DEFAULT, target: Tokens | None = None, *, grad: bool = False
    ) -> Run:
        """Every attention layer on these tokens; a decoder beside an encoder reads `target` (default: the text), one
        token late and after its start token, as it was trained to.

        With `grad` the stages are part of one graph, from the first q, k, v to the output, for `gradients`.
        """
        decodes = bool(getattr(self._model.config, "is_encoder_decoder", False))
        target = self._shifted(target or tokens) if decodes else tokens
        strings = {"encoder": tokens.strings, "decoder": target.strings if decodes else tokens.strings}
        output, layers = self.trace(self._inputs(tokens, target), settings, strings, grad=grad)
        return Run(tokens=target if decodes else tokens, layers=layers, output=output)

    def trace(
        self,
        inputs: dict[str, Tensor],
        settings: Settings = DEFAULT,
        strings: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        *,
        grad: bool = False,
    ) -> tuple[Float[Tensor, "n d_model"], Sequence[LayerTrace]]:
        """One forward pass on raw model inputs (batch of one): the last hidden state and every layer's trace.

        `strings`: the tokens of the encoder and of the decoder; where they do not fit, rows and columns are numbered.
        """
        scales = [built.query_scale for built in self._built]
        with torch.set_grad_enabled(grad), recording(self.name, settings, grad, scales) as recorder:
            output = self._model(**inputs).last_hidden_state[0]
        sources = [
            query.source(call) if query else None for query, call in zip(self._queries, recorder.calls, strict=True)
        ]
        calls = enumerate(zip(recorder.calls, self.layers, self._projections, self._built, sources, strict=True))
        layers = [
            partial(_layer, call, index, name, projections, built, source, settings.within(index), strings)
            for index, (call, name, projections, built, source) in calls
        ]
        if any(call.kept is None for call in recorder.calls):
            return output, Recomputed(layers)
        return output, tuple(layer() for layer in layers)

    def _shifted(self, target: Tokens) -> Tokens:
        start = getattr(self._model.config, "decoder_start_token_id", None)
        if start is None:
            return target
        assert self._tokenizing is not None
        spelled = self._tokenizing.spelled([start])
        return replace(target, strings=(*spelled, *target.strings[:-1]), ids=(start, *target.ids[:-1]))

    def _inputs(self, tokens: Tokens, target: Tokens | None) -> dict[str, Tensor]:
        ids = torch.tensor([tokens.ids], dtype=torch.long)
        inputs = {"input_ids": ids}
        if getattr(self._model.config, "is_encoder_decoder", False):
            decoder = torch.tensor([(target or tokens).ids], dtype=torch.long)
            inputs |= {"attention_mask": torch.ones_like(ids), "decoder_input_ids": decoder}
        return inputs


def _most_tokens(model: Any, tokenizer: Any) -> int:  # noqa: ANN401
    """As many as its positions are for; a limit that is no number above 0 says that there is none (XLNet: −1)."""
    config = model.config
    limits = [getattr(tokenizer, "model_max_length", None)]
    limits += [getattr(one, "max_position_embeddings", None) for one in (config, getattr(config, "text_config", None))]
    counts = [int(min(limit, LONGEST)) for limit in limits if isinstance(limit, int | float) and limit > 0]
    return min([LONGEST, *counts]) - _reserved_positions(model)


def _reserved_positions(model: nn.Module) -> int:
    """RoBERTa counts positions from after its padding index, so that many rows of its table are never a token's."""
    tables = (module for name, module in model.named_modules() if name.endswith("position_embeddings"))
    table = next((table for table in tables if isinstance(table, nn.Embedding)), None)
    return 0 if table is None or table.padding_idx is None else table.padding_idx + 1


def _layer(
    call: AttentionCall,
    index: int,
    name: LayerName,
    projections: Projections,
    built: Built,
    source: QuerySource | None,
    settings: Settings,
    strings: Mapping[str, tuple[str, ...]],
) -> LayerTrace:
    queries, keys = (tuple(chain.from_iterable(strings.get(one, ()) for one in axis)) for axis in STACKS[name.stack])
    n_q, n_k = call.shape
    fits = (len(queries), len(keys)) == (n_q, n_k)
    return LayerTrace(
        index=index,
        name=name,
        queries=queries if fits else _numbered(n_q),
        keys=keys if fits else _numbered(n_k),
        x=call.x,
        memory=call.memory,
        projections=projections,
        attention=call.trace,
        factor=call.factor,
        softcap=call.softcap,
        settings=settings,
        built=built,
        source=source,
    )


def _numbered(n: int) -> tuple[str, ...]:
    return tuple(str(i + 1) for i in range(n))
