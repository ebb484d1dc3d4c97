"""A model as large as SmolLM2-135M: how long does its strain take, and what does a server keep of long sentences?

    python -m benchmarks.deep_model

Its weights are random, for what they are costs nothing. First the strain of the page Vanishing: every rule and input
scale, forward and backward through 30 layers, on one core. Then one visitor reads four sentences of about 490 tokens in
it on Heads and on Pipeline, and in the model that comes with Headlight.
"""

import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import uvloop
from transformers import LlamaConfig, LlamaModel

from attention_core.models import EMBEDDED, Pretrained, Settings, load
from attention_core.models.pretrained import embedded_folder
from benchmarks.report import report
from pages.saturation.vanishing.trained.numbers import stops, strains
from tests.harness.client import visit
from tests.harness.serving import SERVER, Server, serve
from tests.harness.visitors import address
from ui.compute.room import KEPT_BYTES

SMOL = LlamaConfig(
    vocab_size=49152,
    hidden_size=576,
    intermediate_size=1536,
    num_hidden_layers=30,
    num_attention_heads=9,
    num_key_value_heads=3,
    max_position_embeddings=2048,
)
SENTENCE = "the law saw the king but its city should be"  # 12 tokens with [CLS] and [SEP]
WORDS = ("the", "law", "saw", "king", "city", "should", "be", "just", "and", "old", "red", "house", "river", "sea")
LONG, SENTENCES = 488, 4  # words, each one token
PAGES = ("heads", "pipeline")
TARGET_S = 12.0
PATIENCE = 600.0  # seconds: it is memory that is measured
WORKS = 200.0  # MB that the largest pass leaves for a while, on top of what is kept


def saved(folder: Path) -> Path:
    """The model with the tokenizer of the one that comes with Headlight."""
    torch.manual_seed(0)
    LlamaModel(SMOL).bfloat16().save_pretrained(folder)
    for file in embedded_folder().glob("*token*"):
        shutil.copy(file, folder)
    shutil.copy(embedded_folder() / "vocab.txt", folder)
    return folder


def strained(model: Pretrained) -> tuple[float, float]:
    """Seconds for all stops, and for the slowest one: after so long Stop is heard at the latest."""
    tokens, settings = model.tokenize(SENTENCE), stops(Settings(), None)
    began = last = time.perf_counter()
    slowest = 0.0
    for _ in strains(model, tokens, settings, None):
        now = time.perf_counter()
        slowest, last = max(slowest, now - last), now
    return last - began, slowest


async def read(server: Server, model: str) -> list[dict[str, object]]:
    """One visitor: every page opened once, then each long sentence on it; megabytes after each."""
    rows, draw = [], random.Random(model)
    for page in PAGES:
        async with visit(server.url, address(page), f"model={model}&lang=en") as session:
            session.patience = PATIENCE
            await session.rerun()
            await session.settle(PATIENCE)
            before = server.megabytes()
            rows.append({"model": model, "page": page, "sentence": "short", "RSS MB": before})
            for text in _sentences(draw):
                await session.change("text", text)
                await session.settle(PATIENCE)
                rows.append({"model": model, "page": page, "sentence": "long", "RSS MB": server.megabytes()})
    return rows


def _sentences(draw: random.Random) -> Iterator[str]:
    for _ in range(SENTENCES):
        yield " ".join(draw.choices(WORDS, k=LONG))


def main() -> None:
    """Seconds first, then megabytes."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="headlight-") as place:
        folder = saved(Path(place) / "smol")
        seconds, slowest = strained(load(str(folder), "smol"))
        with serve(SERVER, env={"HEADLIGHT_MODELS": str(folder)}) as server:
            rows = [row for model in (EMBEDDED, "smol") for row in uvloop.run(read(server, model))]
    grown = {
        model: max(row["RSS MB"] for row in rows if row["model"] == model)  # type: ignore[type-var]
        - next(row["RSS MB"] for row in rows if row["model"] == model)  # type: ignore[operator]
        for model in (EMBEDDED, "smol")
    }
    report(
        f"A model of 30 layers: {seconds:.1f} s for its strain, {slowest:.2f} s until Stop is heard",
        rows,
        seconds=seconds,
        target_s=TARGET_S,
        stop_s=slowest,
        grown_megabytes=grown,
        target_megabytes=KEPT_BYTES / 2**20 + WORKS,
    )


if __name__ == "__main__":
    main()
