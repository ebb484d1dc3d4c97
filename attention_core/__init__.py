"""Multi-head attention, every step of it: pure torch, no user interface."""

from attention_core.attention import AttentionTrace, attend, dot, gradients
from attention_core.multihead import MultiHeadAttention
from attention_core.normalizers import NORMALIZERS, hard
from attention_core.scalings import INVERSE, INVERSE_SQRT, NONE, SCALINGS, Scaling, by

__all__ = [
    "INVERSE",
    "INVERSE_SQRT",
    "NONE",
    "NORMALIZERS",
    "SCALINGS",
    "AttentionTrace",
    "MultiHeadAttention",
    "Scaling",
    "attend",
    "by",
    "dot",
    "gradients",
    "hard",
]
