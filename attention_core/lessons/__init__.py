"""Questions about attention whose answers are computed from a sentence and a seed, and the files that carry them."""

from attention_core.lessons.exports import Item, gift, moodle, notebook
from attention_core.lessons.questions import KINDS, Answer, Kind, Question, answer

__all__ = ["KINDS", "Answer", "Item", "Kind", "Question", "answer", "gift", "moodle", "notebook"]
