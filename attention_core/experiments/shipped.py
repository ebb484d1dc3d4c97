"""The two layers that are shipped, trained again from their seeds.

`python -m attention_core.experiments.shipped pronoun OUT.safetensors` trains the layer that reads pronouns,
`… shipped two_sentences OUT.safetensors` the two matchers, and prints what these are worth on meanings they never met.
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from attention_core import checkpoints
from attention_core.experiments.base import Record
from attention_core.experiments.english import English, balanced, embedded, examine, unknown_words, unmet_pairs
from attention_core.experiments.pronoun import Pronoun
from attention_core.experiments.store import save_weights
from attention_core.matching import Variant

MATCHERS: tuple[Variant, ...] = ("attention", "both")
EXAMINED = 5000  # pairs of sentences


def pronoun(out: Path) -> None:
    """The layer of `models.load_pronoun`."""
    config = Pronoun()
    *_, last = config.records()
    out.write_bytes(save_weights(config, last.state))


def two_sentences(out: Path) -> None:
    """The matchers of `matching.shipped`, both in one file; prints its SHA-256."""
    tensors: dict[str, Tensor] = {}
    # The lexicon by the name it had when the file that is shipped was written: the recipe is part of its digest.
    recipe: dict[str, Any] = {"seed": English().seed, "d_in": embedded().d_in, "lexicon": "assets/lexicon.toml"}
    for variant in MATCHERS:
        config = English(variant=variant)
        state = _trained(config).state
        tensors |= {f"{variant}.{name}": value for name, value in state.items()}
        recipe[variant] = {"config": asdict(config), **_worth(config, dict(state))}
        print(variant, recipe[variant], flush=True)
    print(checkpoints.save(tensors, recipe, out))


def _trained(config: English) -> Record:
    """The last record; each is printed as it comes."""
    last = Record(step=0, loss=0.0, accuracy=0.0)
    for last in config.records():
        print(config.variant, last.step, round(last.loss, 4), round(last.accuracy, 4), flush=True)
    return last


def _worth(config: English, state: dict[str, Tensor]) -> dict[str, dict[str, float]]:
    """Shares of right answers by kind of pair, on synonyms that never met and on words never read."""
    model = config.build()
    model.load_state_dict(state)
    worth = {}
    for name, pairs in (("unmet", unmet_pairs), ("unknown", unknown_words)):
        shares = examine(model, pairs(config.seed + 1, EXAMINED))
        worth[name] = {kind: round(share, 4) for kind, share in shares.items()}
        print(config.variant, name, round(balanced(shares), 4), flush=True)
    return worth


def main() -> None:
    """Train one of the two and write it to the file that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=("pronoun", "two_sentences"))
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    {"pronoun": pronoun, "two_sentences": two_sentences}[args.which](args.out)


if __name__ == "__main__":
    main()
