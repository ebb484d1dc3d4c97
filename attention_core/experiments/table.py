"""The experiments by the name under which their runs are saved."""

from typing import Any

from attention_core.experiments.alignment import Alignment
from attention_core.experiments.hard import Hard
from attention_core.experiments.induction import Induction
from attention_core.experiments.needle import Needle
from attention_core.experiments.pronoun import Pronoun
from attention_core.experiments.series import Series
from attention_core.experiments.sort import Sort

EXPERIMENTS: dict[str, type[Any]] = {
    "sort": Sort,
    "induction": Induction,
    "pronoun": Pronoun,
    "hard": Hard,
    "alignment": Alignment,
    "needle": Needle,
    "series": Series,
}
