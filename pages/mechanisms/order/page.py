"""Self-attention does not know order: shuffle, place, mask, lengthen, count and cache the reader's own sentence."""

import numpy as np
import streamlit as st

from attention_core.hearing import MASK_KINDS
from attention_core.models.from_scratch import Source
from attention_core.shuffling import SCHEMES
from pages.mechanisms.order import costs, lengths, masks, sharing, shuffle
from pages.mechanisms.order.reading import MAX_TOKENS, N_HEAD, OTHER_WORD, Reading, other_word, read, released, standing
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import SOURCES, choose, focus, sentence_bar, set_focus, whole_number
from ui.errors import fragment
from ui.layout import page_header, take_away, trust_line
from ui.link import publish, seed
from ui.text import Words, words

STYLE = """<style>
.st-key-table_costs [data-testid="stMarkdownContainer"] { overflow-x: auto; }
.st-key-table_costs table { font-variant-numeric: tabular-nums; }
</style>"""


def choose_layer(page: Words) -> tuple[Source, int, int, int]:
    """Where x comes from, the seed of the matrices, the head, the seed of the swaps."""
    common = words("controls", page.language)
    source = choose(
        "source", SOURCES, common["source"], lambda rule: common[f"sources.{rule}"], common["source_help"], 190
    )
    drawn = whole_number("seed", 0, 9999, 0, common["size.seed"], 110)
    head = whole_number("order_head", 1, N_HEAD, 1, common["head"], 100) - 1
    return source, drawn, head, whole_number("order_shuffle", 0, 9999, 0, page["shuffle"], 130)


@fragment
def shuffled(reading: Reading, head: int, drawn: int, page: Words) -> None:
    """The sentence, its shuffled twin, and positions; then what a place is worth."""
    n = len(reading.tokens)
    query, key = focus(n, n)
    here = shuffle.Place(
        scheme=standing("order_positions", SCHEMES, "none"),
        swaps=standing("order_swaps", shuffle.STOPS, "3"),
        head=head,
        seed=drawn,
        query=query,
        key=key,
        place=standing("order_place", tuple(map(str, shuffle.PLACES)), "0"),
        offset=standing("order_offset", tuple(map(str, shuffle.OFFSETS)), "5"),
    )
    found = shuffle.results(reading, drawn)

    def moved(at: Positions) -> None:
        released("order_positions", SCHEMES, at["scheme"])
        released("order_swaps", shuffle.STOPS, at["swaps"])

    def picked(pick: Pick) -> None:
        if pick.panel in ("own", "back", "change"):
            set_focus(pick.row, pick.col)

    lab(
        shuffle.plots(reading.tokens, here, page),
        key="order_shuffled",
        sliders=shuffle.sliders(here, page),
        films=shuffle.films(found, here),
        words=words("canvas"),
        summary=page["summary"],
        on_move=moved,
        on_pick=picked,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=shuffle.row_sums(found),
            residual=shuffle.sdpa_residual(reading),
            oracle="torch SDPA",
            seed=reading.sizes.seed,
            dtype="float64",
            device="cpu",
        )
        take_away(
            "order",
            arrays=lambda: {"tokens": np.array(reading.tokens), **shuffle.arrays(found, n, drawn)},
            snippet=shuffle.snippet(reading, drawn),
        )
    st.markdown(page["shuffle_note"])
    st.header(page["offsets.title"], anchor="positions")
    st.markdown(page["offsets.text"])
    films = shuffle.offset_films(reading, here)

    def offset_moved(at: Positions) -> None:
        released("order_place", tuple(map(str, shuffle.PLACES)), at["place"])
        released("order_offset", tuple(map(str, shuffle.OFFSETS)), at["offset"])

    lab(
        shuffle.offset_plots(films[0].values, reading.tokens, here, page),
        key="order_offsets",
        sliders=shuffle.offset_sliders(here, page),
        films=films,
        words=words("canvas"),
        summary=page["offsets.title"],
        on_move=offset_moved,
    )


@fragment
def masked(reading: Reading, head: int, page: Words) -> None:
    """Causal and window masks."""
    n = len(reading.tokens)
    wide, alone = (tuple(map(str, stops)) for stops in (masks.radii(n), masks.prefixes(n)))
    layers = tuple(map(str, range(1, masks.LAYERS + 1)))
    here = masks.Place(
        mask=standing("order_mask", MASK_KINDS, "causal"),
        radius=standing("order_radius", wide, "2"),
        layers=standing("order_layers", layers, "2"),
        prefix=standing("order_prefix", alone, alone[len(alone) // 2]),
        head=head,
    )
    kind, radius, length = MASK_KINDS[here.mask], masks.radii(n)[here.radius], masks.prefixes(n)[here.prefix]

    def moved(at: Positions) -> None:
        released("order_mask", MASK_KINDS, at["mask"])
        released("order_radius", wide, at["radius"])
        released("order_layers", layers, at["layers"])
        released("order_prefix", alone, at["prefix"])

    lab(
        masks.plots(reading.tokens, page),
        key="order_masks",
        sliders=masks.sliders(n, here, page),
        films=masks.films(reading, head),
        words=words("canvas"),
        summary=page["mask_title"],
        on_move=moved,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            residual=masks.sdpa_residual(reading, kind, radius), oracle="torch SDPA", dtype="float64", device="cpu"
        )
        take_away(
            "order_masks",
            arrays=lambda: masks.arrays(reading, kind, radius),
            snippet=masks.snippet(reading, kind, radius, length),
        )


@fragment
def any_length(reading: Reading, head: int, page: Words) -> None:
    """A fully connected layer beside attention."""
    n = len(reading.tokens)
    built = lengths.built_for(n)
    seed("order_fed", n, int, range(1, n + 1))
    fed = st.slider(page["fed"], 1, n, key="order_fed", help=page["fed_help"])
    publish("order_fed", str(fed), str(n))
    shape, error, attention = lengths.tried(reading, fed)
    linear, attends = st.columns(2)
    width = reading.x.shape[1]
    with linear:
        st.markdown(page.format("linear_title", built=built))
        st.code(f"layer = nn.Linear({built} * {width}, {built} * {width})\nlayer(x.reshape(1, {fed} * {width})).shape")
        if error:
            st.code(f"RuntimeError: {error}", language=None, wrap_lines=True)
            st.caption(page["linear_fails"])
        else:
            st.code(f"torch.Size({list(shape)})", language=None)
            st.caption(page["linear_runs"])
    with attends:
        st.markdown(page["attention_title"])
        st.code(f"x.shape  # ({fed}, {width})\nattention(x).shape")
        st.code(f"torch.Size({list(attention)})", language=None)
        st.caption(page["attention_runs"])
    st.markdown(page.format("word_text", other=OTHER_WORD))
    stops = tuple(str(i + 1) for i in range(min(n, lengths.MAX_WORDS)))
    other = other_word(reading)
    films = lengths.films(reading, other, head)
    lab(
        lengths.plots(lengths.named(films, "blocks"), reading.tokens, page),
        key="order_words",
        sliders=lengths.sliders(reading.tokens, standing("order_word", stops, "2"), page),
        films=films,
        words=words("canvas"),
        summary=page["length_title"],
        on_move=lambda at: released("order_word", stops, at["word"]),
    )
    take_away(
        "order_lengths",
        arrays=lambda: lengths.arrays(reading, other, head),
        snippet=lengths.snippet(reading, fed),
    )


@fragment
def counted(page: Words) -> None:
    """Parameters, multiplications, depth and path of seven kinds of layer."""
    stops = {
        name: tuple(map(str, values))
        for name, values in (("d", costs.WIDTHS), ("kernel", costs.KERNELS), ("length", costs.LENGTHS))
    }
    here = costs.Place(
        **{
            name: standing(f"cost_{name}", stops[name], default)
            for name, default in (("d", "64"), ("kernel", "3"), ("length", "10"))
        }
    )

    def moved(at: Positions) -> None:
        for name, values in stops.items():
            released(f"cost_{name}", values, at[name])

    lab(
        costs.plots(page),
        key="order_costs",
        sliders=costs.sliders(here, page),
        films=costs.films(),
        words=words("canvas"),
        summary=page["cost_title"],
        on_move=moved,
    )
    st.markdown(costs.claim(here, page))
    with st.container(key="table_costs"):
        st.markdown(costs.table(here, page))
    st.caption(page["cost_note"])
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(residual=costs.torch_residual(*here.sizes()), oracle="torch.nn")
        take_away("order_costs", arrays=costs.arrays, snippet=costs.snippet(here))


@fragment
def shared(reading: Reading, head: int, page: Words) -> None:
    """Heads that share keys and values, and the cache."""
    n = len(reading.tokens)
    key_heads, steps, published = (
        tuple(map(str, stops)) for stops in (sharing.KEY_HEADS, range(1, n + 1), sharing.PUBLISHED_HEADS)
    )
    here = sharing.Place(
        key_heads=standing("order_key_heads", key_heads, "2"),
        step=standing("order_step", steps, str((n + 1) // 2)),
        published=standing("order_published", published, "8"),
        head=head,
    )

    def moved(at: Positions) -> None:
        released("order_key_heads", key_heads, at["key_heads"])
        released("order_step", steps, at["step"])
        released("order_published", published, at["published"])

    lab(
        sharing.plots(reading.tokens, page),
        key="order_sharing",
        sliders=sharing.sliders(reading.tokens, here, page),
        films=sharing.films(reading, head),
        words=words("canvas"),
        summary=page["share_title"],
        on_move=moved,
    )
    chosen = sharing.KEY_HEADS[here.key_heads]
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(residual=sharing.sdpa_residual(reading), oracle="torch SDPA", dtype="float64", device="cpu")
        take_away(
            "order_sharing",
            arrays=lambda: sharing.arrays(reading, chosen),
            snippet=sharing.snippet(reading, chosen),
        )


page = words("order")
st.html(STYLE)
page_header(page)
text, _, (source, drawn, head, reshuffled) = sentence_bar(lambda: choose_layer(page), least=2)
reading = read(text, source, drawn)
if source == "digest":
    st.caption(page.format("digest", count=reading.count))
if reading.count > MAX_TOKENS:
    st.caption(page.format("shortened", shown=MAX_TOKENS, all=reading.count))
shuffled(reading, head, reshuffled, page)
st.header(page["mask_title"], anchor="masks")
st.markdown(page["mask_text"])
masked(reading, head, page)
st.header(page["length_title"], anchor="length")
st.markdown(page["length_text"])
any_length(reading, head, page)
st.header(page["cost_title"], anchor="costs")
st.markdown(page["cost_text"])
counted(page)
st.header(page["share_title"], anchor="cache")
st.markdown(page["share_text"])
shared(reading, head, page)
