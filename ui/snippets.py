"""A study as Python: the script that prints its numbers, and the expressions that rebuild its model and settings. Pure.

The expressions go into any script that says `from attention_core import models`.
"""

from collections.abc import Sequence
from pathlib import Path

from attention_core.models import LayerName
from ui.scripts import Code, filled
from ui.session import OWN_NAME, SCRATCH, TAUGHT, Study, catalogue

SCRIPT = Path(__file__).with_name("study_script.py")


def snippet(study: Study, layer: int | Code, head: int, query: int) -> str:
    """A script that rebuilds the study and prints the shapes of one head and the weights of one query."""
    return filled(
        SCRIPT,
        text=study.text,
        model=model_code(study),
        settings=settings_code(study),
        layer=layer,
        head=head,
        query=query,
    )


def model_code(study: Study) -> Code:
    """The expression that gives the model."""
    if OWN_NAME.fullmatch(study.model):
        return Code('models.load_trained("weights.safetensors")  # the file that the page of the training saves')
    if study.model == TAUGHT:
        return Code("models.load_pronoun()")
    if study.model == SCRATCH:
        vectors = ", models.load_embedded()" if study.sizes.source == "embeddings" else ""
        return Code(f"models.FromScratch(models.{study.sizes!r}{vectors})")
    return _loaded(study.model, catalogue()[study.model])


def layer_code(layers: Sequence[LayerName], layer: int) -> Code:
    """The index of a layer among those of a run; where the model counts others too, what it calls this one."""
    name = layers[layer]
    among = (
        ""
        if name.of is None
        else f"  # the first with attention is 0; this is the model's layer {name.number} of {name.of}"
    )
    return Code(f"{layer}{among}")


def settings_code(study: Study) -> Code:
    """The expression that gives the settings."""
    return Code(f"models.{study.settings!r}")


def _loaded(name: str, source: str) -> Code:
    """A hub id loads anywhere. Where the operator keeps a folder is nobody else's business: the script has its name."""
    if not source:
        return Code("models.load_embedded()")
    if not Path(source).is_absolute():
        return Code(f"models.load({source!r})")
    return Code(f"models.load({name!r})  # put the folder of your own copy of this model here")
