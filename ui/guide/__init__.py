"""The guide of a page: a dock that stays open while one works, and things to try that set what they speak of."""

from ui.guide.dock import dock, toggle
from ui.guide.kinds import Guide

__all__ = ["Guide", "dock", "toggle"]
