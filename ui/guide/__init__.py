"""The guide of a page: a dock that stays open while one works, things to try that act, and a prediction."""

from ui.guide.dock import dock, toggle
from ui.guide.kinds import Choose, Guide, Number, Prediction, Row
from ui.guide.question import predict

__all__ = ["Choose", "Guide", "Number", "Prediction", "Row", "dock", "predict", "toggle"]
