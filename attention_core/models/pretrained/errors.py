"""Why a model cannot be used."""


class ModelError(Exception):
    """A model that cannot be used, and why: `kind` names the reason, str() is one clear sentence.

    Kinds: unknown, network, no_attention, no_text, corrupt, incomplete, pickle, remote_code, hash, sinks.
    """

    SENTENCES = {  # noqa: RUF012 a constant
        "unknown": "There is no model {name}: it is neither a folder with a config.json nor a model the hub knows.",
        "network": "The model {name} is not on this machine and the hub cannot be reached.",
        "no_attention": "The model {name} does not expose its attention: no layer calls the attention interface.",
        "no_text": "The model {name} does not read text: it has no tokenizer.",
        "corrupt": "The files of the model {name} are damaged or incomplete, so it was not loaded.",
        "pickle": "The model {name} has only pickled weights, no safetensors; they could run code and were not loaded.",
        "remote_code": "The model {name} needs code from its checkpoint, which is never run here.",
        "incomplete": "The weights of {name} are incomplete: some of the model's tensors are missing from its files.",
        "hash": "The weights of {name} are not the published ones (their SHA-256 differs), so they were not loaded.",
        "sinks": "The model {name} adds attention sinks inside its softmax, which is not supported.",
    }

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(self.SENTENCES[kind].format(name=name))
        self.kind, self.name = kind, name
