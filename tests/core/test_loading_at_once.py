"""Models that are asked for at the same moment load as they do one after the other."""

from pathlib import Path
from threading import Barrier, Thread

import pytest
import torch
from transformers import PreTrainedModel

from attention_core.models import load
from tests.harness.tiny import saved


@pytest.mark.parametrize("kinds", [("bart", "bart", "bart"), ("t5", "bert", "bart", "gpt2")])
def test_models_that_are_loaded_at_once_keep_the_tensors_that_their_layers_share(
    kinds: tuple[str, ...], tmp_path: Path
) -> None:
    folders = [saved(tmp_path / f"{at}", kind) for at, kind in enumerate(kinds)]
    tie_weights, start = PreTrainedModel.tie_weights, Barrier(len(kinds))
    outputs: dict[int, torch.Tensor] = {}

    def run(at: int) -> None:
        start.wait()
        model = load(str(folders[at]), kinds[at])
        outputs[at] = model.run(model.tokenize("the law w3")).output

    threads = [Thread(target=run, args=(at,)) for at in range(len(kinds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert PreTrainedModel.tie_weights is tie_weights
    assert sorted(outputs) == [*range(len(kinds))]
    for at, output in outputs.items():
        alone = load(str(folders[at]), kinds[at])
        torch.testing.assert_close(output, alone.run(alone.tokenize("the law w3")).output, rtol=0, atol=0)
