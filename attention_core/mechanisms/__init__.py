"""Every attention in the literature's family tree, as calls of one function, `attend`."""

from attention_core.mechanisms.base import AXES, Call, Cost, LayerSizes, Mechanism, Options, Parts, moved, run
from attention_core.mechanisms.table import MECHANISMS

__all__ = ["AXES", "MECHANISMS", "Call", "Cost", "LayerSizes", "Mechanism", "Options", "Parts", "moved", "run"]
