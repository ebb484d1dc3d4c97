"""Why a model cannot be used."""


class ModelError(Exception):
    """A model that cannot be used, and why: `kind` names the reason, `what` the thing, str() is one clear sentence.

    `what` is an identifier or a quotation, never a path: a page may show it.
    """

    SENTENCES = {  # noqa: RUF012 a constant
        "unknown": "There is no model {name}: it is neither a folder with a config.json nor a model the hub knows.",
        "network": "The model {name} is not on this machine and the hub cannot be reached.",
        "no_attention": "The model {name} does not expose its attention: no layer calls the attention interface.",
        "no_text": "The model {name} does not read text: it has no tokenizer.",
        "not_text": "The model {name} does not read text alone: it asks for {what}.",
        "no_output": "The model {name} hands on {what} and no last hidden state, which is what is shown here.",
        "corrupt": "The files of the model {name} are damaged or incomplete, so it was not loaded.",
        "config": "The config.json of the model {name} cannot be used, because of {what}.",
        "architecture": "The model {name} is of the kind {what}, which this version of transformers does not know.",
        "quantized": "The weights of the model {name} are quantized ({what}); only plain weights are read here.",
        "package": "The model {name} needs the Python package {what}, which is not installed here.",
        "tokenizer": "The tokenizer of the model {name} cannot be read by this version of transformers ({what}).",
        "not_loaded": "The model {name} was not loaded: transformers stopped with {what}.",
        "not_run": "The model {name} does not run on a sentence: it stopped with {what}.",
        "not_finite": "The model {name} makes no numbers of a sentence, but NaN or ∞: its weights are damaged.",
        "mismatch": "The weights of the model {name} have other sizes than its config.json says, so it was not loaded.",
        "no_room": "The model {name} reads at most {what} tokens, which leaves no room for a sentence.",
        "pickle": "The model {name} has only pickled weights, no safetensors; they could run code and were not loaded.",
        "remote_code": "The model {name} needs code from its checkpoint, which is never run here.",
        "incomplete": "The weights of {name} are incomplete: some of the model's tensors are missing from its files.",
        "missing": "The model {name} is incomplete: {what} is missing.",
        "pointer": "The model {name} is incomplete: {what} is only a pointer of Git LFS; fetch it with git lfs pull.",
        "damaged": "The model {name} was not loaded: its file {what} is damaged.",
        "adapter": "The model {name} is an adapter, which changes another model: merge it into that model first.",
        "no_tokenizer": "The model {name} has no tokenizer: its files have no vocabulary, such as tokenizer.json.",
        "other_tokenizer": "The tokenizer of {name} is not its own: the embedding has no row for its token {what}.",
        "hash": "The weights of {name} are not the published ones (their SHA-256 differs), so they were not loaded.",
        "sinks": "The model {name} adds attention sinks inside its softmax, which is not supported.",
        "keyword": "The model {name} gives its attention {what}, which is not understood here, so it is not shown.",
        "differs": "The model {name} computes something else ({what}) with the attention that is recorded here than "
        "with its own, so it is not shown.",
    }

    def __init__(self, kind: str, name: str, what: str = "") -> None:
        super().__init__(self.SENTENCES[kind].format(name=name, what=what))
        self.kind, self.name, self.what = kind, name, what

    def again(self) -> "ModelError":
        """The same, to raise: one that is kept and raised keeps all that stood wherever it was raised."""
        return ModelError(self.kind, self.name, self.what)
