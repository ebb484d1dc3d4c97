"""The colours of the models, in both sections of the page."""

from attention_core.experiments.gradient_reach import ATTENTION

HUES = {
    ATTENTION: "q",
    "rnn": "k",
    "lstm": "v",
    "lstm_forget": "v",
    "bilstm": "focus",
    "gru": "ink",
    "bigru": "ink",
}
DASHED = ("lstm_forget", "bigru")
