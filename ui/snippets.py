"""A study as a Python script that prints the same numbers. Pure."""

from ui.session import OWN, SCRATCH, TAUGHT, Study, catalogue


def snippet(study: Study, layer: int, head: int, query: int) -> str:
    """A script that rebuilds the study and prints the shapes of one head and the weights of one query."""
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

from attention_core.models import {imports(study)}

{rebuilt(study)}
text = {study.text!a}
run = model.run(model.tokenize(text), {study.settings!r})

layer = run.layers[{layer}]
trace = layer.head({head})
for name in ("q", "k", "v", "scores", "weights", "context"):
    print(name, tuple(getattr(trace, name).shape))

torch.set_printoptions(precision=6, sci_mode=False, linewidth=120)
print(layer.queries[{query}], "attends to", list(layer.keys))
print(trace.weights[{query}])
"""


def imports(study: Study) -> str:
    """What the script imports from attention_core.models."""
    if study.model.startswith(OWN):
        return "Settings"
    if study.model == TAUGHT:
        return "Settings, load_pronoun"
    if study.model != SCRATCH:
        return "Settings, load" if catalogue()[study.model] else "Settings, load_embedded"
    return "FromScratch, Settings, Sizes" + (", load_embedded" if study.sizes.source == "embeddings" else "")


def rebuilt(study: Study) -> str:
    """The lines that make the model."""
    if study.model.startswith(OWN):
        return """from pathlib import Path

from attention_core.models.trained import from_bytes

model = from_bytes(Path("weights.safetensors").read_bytes())  # the file that the page of the training saves"""
    if study.model == TAUGHT:
        return "model = load_pronoun()"
    if study.model != SCRATCH:
        return _loaded(study.model, catalogue()[study.model])
    vectors = ", load_embedded()" if study.sizes.source == "embeddings" else ""
    return f"model = FromScratch({study.sizes!r}{vectors})"


def _loaded(name: str, source: str) -> str:
    """A hub id loads anywhere. Where the operator keeps a folder is nobody else's business: the script has its name."""
    if not source:
        return "model = load_embedded()"
    own = "" if source == name else "  # put the folder of your own copy of this model here"
    return f"model = load({name!r}){own}"
