"""A page with every kind of canvas, for the browser tests: the numbers follow from the query parameters."""

import numpy as np
import streamlit as st

from attention_core.models import FromScratch, Sizes
from pages.explore.heads.lines import lines
from ui.components.assets import library, reader
from ui.components.canvas import _CANVAS, Live, Panel, Shown, canvas, overview_codes
from ui.components.frame import encode
from ui.text import words

SENTENCE = "The law <b>saw</b> the king & 山 مرحبا 👨‍👩‍👧 , but its city should be just ."
SCALE = float(st.query_params.get("scale", "1"))
STOPS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)

st.set_page_config(layout="wide")
reader()  # before the pictures: they sum themselves up in its words
count = int(st.query_params.get("n", "11"))
seed = st.number_input("seed", 0, 99, 0, key="seed")
picks = st.session_state.setdefault("picks", [])
model = FromScratch(Sizes(n_head=12, d_model=29, d_k=7, d_v=5, seed=int(seed), source="digest"))
pieces = (SENTENCE.split() * 60)[:count]
tokens = model.tokenize(SENTENCE.replace("<b>", "<b >"))
tokens = type(tokens)(strings=tuple(pieces))
trace = model.run(tokens).layers[0].attention
future = np.triu(np.ones((count, count), bool), 1)
masked = np.where(future, np.nan, trace.scaled_scores.numpy() * np.float32(SCALE)).astype(np.float32)
common = {"queries": pieces, "keys": pieces, "words": words("canvas")}
temperature = st.session_state.get("temperature", 1.0)


def picked(pick) -> None:
    picks.append((pick.panel, pick.row, pick.col))


def released(value: float) -> None:
    st.session_state["temperature"] = value


canvas([], key="strip", strip=True, focus=(2, 1), on_pick=picked, **common)
canvas(
    [
        [
            Panel(
                name="q", values=trace.q[0].numpy(), rows="query", cols="d_k", scale="q", title="Q", note=f"{count} × 7"
            ),
            Panel(name="kt", values=trace.k[0].T.numpy(), rows="d_k", cols="key", scale="k", title="Kᵀ", operator="·"),
            Panel(name="scores", values=masked[0], rows="query", cols="key", title="QKᵀ", operator="=", labels=False),
        ]
    ],
    key="product",
    on_pick=picked,
    **common,
)
canvas(
    [[Panel(name=f"h{h}", values=masked[h], rows="query", cols="key", scale="weights", title=f"{h + 1}", live=True)
      for h in range(3)]],
    key="live",
    live=Live(temperature, STOPS, "Temperature"),
    on_pick=picked,
    on_temperature=released,
    **common,
)  # fmt: skip
codes = overview_codes(trace.weights.numpy(), 128)
canvas(
    [[Panel(name=f"{layer}.{h}", values=codes[h], rows="query", cols="key", scale="weights", title=f"{layer}.{h + 1}",
            head=(layer, h))
      for h in range(12)] for layer in range(6)],
    key="grid",
    layout="grid",
    row_titles=[f"Layer {i + 1}" for i in range(6)],
    col_titles=[str(h + 1) for h in range(12)],
    shown=Shown("", (1, 3)),
    on_pick=picked,
    **common,
)  # fmt: skip
lines(trace.weights[0].numpy(), key="lines", on_pick=picked, **common)
damage = st.number_input("damage", 0, 12, 0, key="damage")
good = encode(
    {
        "panels": [[{"name": "only", "array": "0", "shape": [2, 3], "rows": "query", "cols": "key", "scale": "weights",
                     "limit": 1.0, "title": "", "note": "", "operator": "", "labels": False, "live": False}]],
        "queries": ["a", "b"], "keys": ["c", "d", "e"], "words": dict(words("canvas")), "focus": None, "group": "b",
        "strip": False, "live": None, "layout": "equation", "row_titles": [], "selected": None, "summary": "",
    },
    {"0": np.full((2, 3), 0.5, np.float32)},
)  # fmt: skip
DAMAGED = (
    good,
    b"HDLX" + good[4:],
    good[:4] + b"\x02" + good[5:],
    good[:9],
    good[:200],
    good[:-4],
    good[:12] + b"}" + good[13:],
    good.replace(b'"f4"', b'"f8"'),
    good.replace(b'"offset":0', b'"offset":8'),
    good.replace(b'"shape":[2,3],"offset"', b'"shape":[2,9],"offset"'),
    good.replace(b'"shape":[2,3],"offset"', b'"shape":[-2,3],"offset"'),
    good.replace(b'"bytes":', b'"bites":'),
    good.replace(b'{"meta"', b'{"mate"'),
)
_CANVAS(key="broken", data=DAMAGED[int(damage)], on_pick_change=lambda: None)
st.text(f"picks {picks}")
st.text(f"temperature {temperature}")
library()
