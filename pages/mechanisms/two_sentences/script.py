# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Two sentences against each other: the verdict of a matcher, their scores, both softmaxes, what rebuilding loses."""

from dataclasses import replace

import torch

from attention_core.matching import align, contextual, shipped, word_vectors
from attention_core.models import load_embedded

# --- yours ---
first = "I am a student"
second = "You and me are students"
variant = "both"
temperature = 1.0
# ---

model = load_embedded()
texts = (first, second)
words = [model.tokenize(text, special=False) for text in texts]
words = [replace(tokens, strings=tokens.strings[:64], ids=tokens.ids[:64]) for tokens in words]

if variant is None:  # the vectors of the trained transformer, on which nothing else was trained
    a, b = (contextual(model.run(model.tokenize(text, plain=True)).output[1:-1][:64].double()) for text in texts)
else:  # "both": a matcher with BiLSTM and attention; "attention": one without the BiLSTM
    matcher, _ = shipped(variant)
    a, b = (matcher.encode(word_vectors(model, tokens).double()) for tokens in words)
    judged = matcher.judge(a, b, temperature=temperature)
    print("probability", float(judged.logit.sigmoid()))
    print("logit", float(judged.logit), "= bias", float(judged.bias), "+ words")
    for tokens, evidence in zip(words, judged.evidence, strict=True):
        assert evidence is not None  # a matcher with attention weighs every word
        print(*(f"{token} {number:.6f}" for token, number in zip(tokens.strings, evidence.tolist(), strict=True)))

alignment = align(a, b, temperature=temperature)
torch.set_printoptions(precision=6, sci_mode=False, linewidth=160)
print("similarity", alignment.similarity, sep="\n")
print("weights_a", alignment.first.weights, sep="\n")
print("weights_b", alignment.second.weights, sep="\n")
for name, apart in zip("ab", alignment.differences, strict=True):
    print("apart", name, *(f"{number:.6f}" for number in apart.norm(dim=-1).tolist()))
