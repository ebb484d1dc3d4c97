"""Models are loaded once for all who ask, and one that was refused is not tried at every click."""

import pytest

from attention_core.models import ModelError
from ui.compute.catalogue import RETRIED, Loaded


def test_a_model_that_was_refused_is_tried_again_after_a_while() -> None:
    now, loads = [0.0], []
    models: Loaded[str] = Loaded(3, clock=lambda: now[0])

    def refuse() -> str:
        loads.append(now[0])
        raise ModelError("missing", "mine", "model.safetensors")

    for moment in (0.0, 1.0, RETRIED - 1, RETRIED, RETRIED + 5):
        now[0] = moment
        with pytest.raises(ModelError, match=r"The model mine is incomplete: model\.safetensors is missing") as caught:
            models.get("mine", refuse)
        assert caught.value.kind == "missing"
    assert loads == [0.0, RETRIED]
    now[0] += RETRIED
    assert models.get("mine", lambda: "loaded") == models.get("mine", refuse) == "loaded"
    assert models.get("another", lambda: "another") == "another"


def test_what_failed_for_another_reason_is_tried_by_the_next_who_asks() -> None:
    models: Loaded[str] = Loaded(3)

    def fail() -> str:
        raise OSError

    with pytest.raises(OSError):
        models.get("mine", fail)
    assert models.get("mine", lambda: "loaded") == "loaded"
