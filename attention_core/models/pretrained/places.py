"""Which layer of a model is running: its place in the model's own lists of modules."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn
from torch.utils.hooks import RemovableHandle

from attention_core.models.pretrained.hooks import hooked


@dataclass(frozen=True, slots=True)
class Place:
    """One element of a list of modules, counted from 0, and how many there are."""

    list: str
    index: int
    of: int


@contextlib.contextmanager
def watch_lists(model: nn.Module) -> Iterator[Sequence[Place]]:
    """The places that run at this moment, the outermost first. One module may stand, and run, in many (Zamba)."""
    running: list[Place] = []
    with hooked(_hooks(model, running)):
        yield running


def _hooks(model: nn.Module, running: list[Place]) -> Iterator[RemovableHandle]:
    for name, modules in model.named_modules():
        if isinstance(modules, nn.ModuleList):
            for index, module in enumerate(modules):
                place = Place(name, index, len(modules))
                yield module.register_forward_pre_hook(partial(_enter, running, place))
                yield module.register_forward_hook(partial(_leave, running))


def _enter(running: list[Place], place: Place, *_: Any) -> None:  # noqa: ANN401 what hooks are called with
    running.append(place)


def _leave(running: list[Place], *_: Any) -> None:  # noqa: ANN401
    running.pop()


def numbers(calls: Sequence[Sequence[Place]]) -> tuple[list[int], int | None]:
    """The numbers from 1 of the layers that called, as the model's own list of layers counts them, and how long that
    list is where others in it did not call. Where there is no such list the calls are counted.
    """
    for depth in range(min(map(len, calls), default=0)):
        at_depth = [places[depth] for places in calls]
        if len({place.list for place in at_depth}) == 1 and len(set(at_depth)) == len(calls):
            of = at_depth[0].of
            return [place.index + 1 for place in at_depth], None if of == len(calls) else of
    return list(range(1, len(calls) + 1)), None
