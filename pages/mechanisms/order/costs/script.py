# Needs torch; then python this_file.py
"""The parameters of torch's own layers of width d: attention, recurrent, convolutional, fully connected."""

import torch
from torch import nn

# --- yours ---
d = 64
k = 3
n = 10
# ---

with torch.device("meta"):  # counted, not allocated
    layers = {
        "attention": nn.MultiheadAttention(d, 1),
        "rnn": nn.RNN(d, d),
        "gru": nn.GRU(d, d),
        "lstm": nn.LSTM(d, d),
        "bilstm": nn.LSTM(d, d, bidirectional=True),
        "conv": nn.Conv1d(d, d, k),
        "linear": nn.Linear(n * d, n * d),
    }
for name, layer in layers.items():
    print(name, sum(p.numel() for p in layer.parameters()))
