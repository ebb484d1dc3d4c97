"""its → Law: a small trained layer reads sentences in its vocabulary, and the training that taught it, live."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from attention_core.experiments.base import Experiment
from attention_core.experiments.pronoun import EXAMPLE, Pronoun
from attention_core.models import ModelError, Tokens, Trained, UnknownWords
from attention_core.models.trained import CHECKPOINT, CHECKPOINT_SHA256
from attention_core.text import clean
from pages.training.pronoun import pictures as pronoun
from pages.training.pronoun.pictures import (
    D_K,
    EXAMPLES,
    HEADS,
    MOST_STEPS,
    PRONOUNS,
    RATES,
    RULES,
    SURVEYED,
    VIEWS,
    VOCABULARY,
    Answers,
    Reading,
    alone,
    answer,
    arrays,
    distance,
    extended,
    films,
    finished,
    focus,
    heads,
    known,
    label,
    name_of,
    plots,
    read,
    reading_arrays,
    reading_snippet,
    sentence_films,
    sentence_plots,
    shortened,
    sliders,
    snippet,
    survey,
    untrained,
)
from ui import session
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.compute.catalogue import taught
from ui.compute.runs import MOST_BYTES, Run
from ui.controls import MAX_CHARS, untaught, whole_number
from ui.errors import fragment
from ui.layout import agreement, page_header, take_away, trust_line
from ui.link import publish, recall, remember, seed
from ui.text import Words, words
from ui.training import panel
from ui.training.fingerprints import fingerprints, once
from ui.training.history import history
from ui.training.scrubber import left, standing
from ui.training.style import progress_style
from ui.training.untouched import untouched

KEY = "pr"
TEXT, ROW, LAYER, AWAITED = "pr_text", "pr_row", "pr_layer", "pr_awaited"
STYLE = """<style>
[class*="st-key-pr_example_"] button { justify-content: start; text-align: start; }
[class*="st-key-pr_group_"] { row-gap: 0.2rem; }
@media (max-width: 640px) { :is(.st-key-pr_bar, [class*="st-key-pr_group_"]) > :first-child { flex: 1 1 100%; } }
</style>"""


# --- a sentence ---


def shipped(page: Words) -> Trained | None:
    """The layer that comes with the product; one sentence where its file is damaged."""
    try:
        return taught()
    except ModelError:
        st.warning(page["damaged"], icon=":material/warning:")
        return None


def sentence(layer: Trained | None, page: Words) -> tuple[str, Trained]:
    """The bar: the sentence, examples, and which layer reads it."""
    run = panel.current(KEY)
    own = finished(run)

    def named(which: str) -> str:
        return page[f"reads.{which}"] if which in offered else page.data("reads.own", variant=label(which, page))

    offered = ("shipped", "untouched") if layer else ("untouched",)
    with st.container(horizontal=True, vertical_alignment="bottom", key="pr_bar"):
        seed(TEXT, EXAMPLE, str)
        st.text_input(page["sentence"], key=TEXT, live=True, placeholder=page["placeholder"], width="stretch")
        with st.popover(page["examples"], icon=":material/format_quote:", width="content"):
            for key, text in EXAMPLES.items():
                with st.container(key=f"pr_example_{key}", gap=None):
                    st.button(text, key=f"pr_use_{key}", type="tertiary", on_click=partial(use, text), width="stretch")
                    st.caption(page[f"example.{key}"])
        options = (*offered, *own)
        wanted = awaited(options, run)
        seed(LAYER, options[0], str, options)
        which = st.selectbox(page["reader"], options, format_func=named, key=LAYER, help=page["reader_help"], width=210)
        if which != options[0]:  # somebody has chosen another in the meantime
            wanted = st.session_state[AWAITED] = ""
        publish(LAYER, wanted or which, options[0])
    if which == "shipped" and layer:
        return which, layer
    return which, own[which] if which in own else untrained(Pronoun())


def awaited(options: Sequence[str], run: Run | None) -> str:
    """The layer that was asked for and does not exist before its run has ended; until then the link keeps it.

    When it exists, it is the one that reads; a run that ends without it ends the waiting.
    """
    asked = st.session_state.get(LAYER) or st.session_state.get(f"kept_{LAYER}") or st.query_params.get(LAYER, "")
    over = run is not None and run.state == "ended"
    if asked in RULES and asked not in options and not over:
        st.session_state[AWAITED] = asked
    wanted = st.session_state.get(AWAITED, "")
    if wanted in options:
        st.session_state[LAYER] = wanted
    if wanted in options or over:
        wanted = st.session_state[AWAITED] = ""
    return wanted


def use(text: str) -> None:
    """Put this sentence into the box."""
    st.session_state[TEXT] = text
    remember(ROW, "")


def tokens_of(model: Trained, page: Words) -> Tokens:
    """The sentence as the layer reads it; what was typed last, and one sentence, where it cannot."""
    kept = st.session_state.get("pr_last", EXAMPLE)
    cleaned = clean(st.session_state[TEXT], MAX_CHARS)
    try:
        tokens = model.tokenize(cleaned.text)
    except UnknownWords as error:
        untaught(error, words("controls"), page["keeps"])
        return model.tokenize(kept)
    if not len(tokens):
        st.warning(f"{page['nothing_typed']} {page['keeps']}", icon=":material/edit:")
        return model.tokenize(kept)
    if st.session_state.get("pr_last", cleaned.text) != cleaned.text:
        remember(ROW, "")  # the place in focus belonged to another sentence
    st.session_state["pr_last"] = cleaned.text
    publish(TEXT, cleaned.text, EXAMPLE)
    if tokens.dropped:
        told = page.format("too_long", most=model.max_tokens, dropped=tokens.dropped)
        st.info(told, icon=":material/content_cut:")
    if not any(word in PRONOUNS for word in tokens.strings):
        st.info(page["no_pronoun"], icon=":material/edit:")
    return tokens


@fragment
def laboratory(reading: Reading, alone: Sequence[Answers], which: str, model: Trained, page: Words) -> None:
    """Both maps, and the row of the word in focus: a click on a row puts it there."""
    row = focus(recall(ROW, ""), reading)

    def picked(pick: Pick) -> None:
        if pick.panel.startswith("map_"):
            remember(ROW, str(pick.row + 1))

    title, note = answer(reading, row, page)
    st.markdown(f"**{title}** {note}")
    lab(
        sentence_plots(reading, row, page),
        key="pr_reading",
        sliders=[],
        films=sentence_films(reading),
        words=words("canvas"),
        summary=page["summary_sentence"],
        on_pick=picked,
    )
    if told := heads(reading, alone, row, page):
        st.markdown(told)
    config = model.config
    assert isinstance(config, Pronoun)
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=reading.rows,
            residual=reading.residual,
            oracle="torch SDPA",
            model=CHECKPOINT.name if which == "shipped" else None,
            seed=config.seed,
            dtype="float32",
            device="cpu",
        )
        take_away(
            "its_law",
            arrays=lambda: reading_arrays(reading),
            snippet=reading_snippet(" ".join(reading.words), row, which, config),
        )


def vocabulary(page: Words) -> None:
    """Every word the layer knows, by what it is: a click writes it at the end of the sentence."""

    def chosen(key: str) -> None:
        word = st.session_state[key]
        st.session_state[key] = None
        if word:
            st.session_state[TEXT] = extended(st.session_state[TEXT], word)

    def shorter() -> None:
        st.session_state[TEXT] = shortened(st.session_state[TEXT])

    def empty() -> None:
        st.session_state[TEXT] = ""

    st.header(page["words.title"], anchor="words")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(page.format("words.text", count=sum(map(len, VOCABULARY.values()))), width="stretch")
        st.button(page["words.shorter"], icon=":material/backspace:", on_click=shorter, key="pr_shorter")
        st.button(page["words.empty"], icon=":material/delete:", on_click=empty, key="pr_empty")
    for kind, listed in VOCABULARY.items():
        key = f"pr_words_{kind}"
        with st.container(horizontal=True, vertical_alignment="center", key=f"pr_group_{kind}"):
            st.text(page[f"words.{kind}"], width=150)
            st.pills(
                page[f"words.{kind}"], listed, key=key, on_change=partial(chosen, key), label_visibility="collapsed",
                wrap=True,
            )  # fmt: skip


# --- the training ---


def settings(page: Words) -> dict[str, Experiment]:
    """Which rules race, and at what size; what is chosen at first is the recipe of the shipped layer."""
    made = Pronoun()
    with st.container(horizontal=True, vertical_alignment="bottom", key="pr_settings"):
        rules = panel.several("pr_rules", RULES, (made.rule,), page["variants"], lambda rule: page[f"rule.{rule}"])
        d_k = panel.pick("pr_dk", D_K, made.d_k, page["d_k"], 90, page["d_k_help"])
        lr = panel.pick("pr_lr", RATES, made.lr, page["lr"], 110)
        steps = whole_number("pr_steps", 10, MOST_STEPS, made.steps, page["steps"], 120)
        drawn = whole_number("pr_seed", 0, 9999, made.seed, page["seed"], 110)
    return pronoun.race(rules, d_k=d_k, lr=lr, steps=steps, drawn=drawn)


def race(run: Run | None, wanted: dict[str, Experiment], layer: Trained | None, page: Words) -> None:
    """The panel: buttons, progress, curves and maps, and what can be taken away."""

    def named(name: str) -> str:
        return label(name, page)

    panel.bar(KEY, run, wanted, named, empty=page["empty"], check=known, name_of=name_of)
    if run is None or not any(run.records(name) for name in run.experiments):
        scrubber(untouched(wanted), page)
        return
    scrubber(run, page)
    config = next(iter(run.experiments.values()))
    assert isinstance(config, Pronoun)
    told = page.format("trained", d_k=config.d_k, lr=config.lr, steps=config.steps, batch=config.batch)
    if run.state == "ended":
        kept, apart = fingerprints(KEY, run), once("pr_apart", run, lambda: distance(run, layer) if layer else None)
        if apart is not None:
            told += f" {page.data('same_recipe', residual=agreement(apart))}"
        told += f" {page['identical']} " + " · ".join(f"{named(name)} `{digest}`" for name, digest in kept.items())
    st.caption(f"{told} {page.format('bounded', most=MOST_BYTES // panel.MEGABYTE)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(seed=config.seed, dtype="float32", device="cpu")
        take_away("its_law_training", arrays=lambda: arrays(run), snippet=snippet(run))


def scrubber(run: Run, page: Words) -> None:
    """The laboratory: while it trains the newest step, then every step under the finger."""
    made = history(run)
    sent = films(made, all_steps=not run.running)
    view, head = recall("pr_view", VIEWS[0]), recall("pr_head", "1")
    heads = [str(number + 1) for number in range(HEADS)]

    def moved(at: Positions) -> None:
        remember("pr_view", VIEWS[at["view"]])
        remember("pr_head", heads[at["head"]])
        left(KEY, made, run, at["step"])

    lab(
        plots(made, sent, page),
        key="pr_lab",
        sliders=sliders(
            made,
            standing(KEY, made, run),
            VIEWS.index(view) if view in VIEWS else 0,
            heads.index(head) if head in heads else 0,
            page,
        ),
        films=sent,
        words=words("canvas"),
        summary=page["summary"],
        on_move=moved,
    )


def origin(layer: Trained, page: Words) -> None:
    """Where the shipped layer comes from, and how good it is."""
    st.header(page["origin.title"], anchor="origin")
    right, weight = session.answer(("survey", CHECKPOINT_SHA256), lambda: survey(layer))
    st.markdown(page.format("origin.worth", right=right, all=SURVEYED))
    columns = {page.data("head", number=head + 1): weight[:, head].tolist() for head in range(HEADS)}
    number = st.column_config.NumberColumn(format="%.4g")
    st.dataframe(
        {page["origin.pronoun"]: list(PRONOUNS), **columns}, hide_index=True, width=420,
        column_config=dict.fromkeys(columns, number),
    )  # fmt: skip
    config = layer.config
    st.markdown(page.format("origin.text", seed=config.seed, steps=config.steps, file=CHECKPOINT.name))
    st.code(
        f"PYTHONPATH=. .venv/bin/python -m {Pronoun.__module__} {CHECKPOINT.name}", language="bash", wrap_lines=True
    )
    st.caption(page.format("origin.recipe", config=repr(config), digest=CHECKPOINT_SHA256))


page = words("pronoun")
st.html(STYLE)
progress_style(KEY)
panel.style()
page_header(page)
layer = shipped(page)
which, model = sentence(layer, page)
tokens = tokens_of(model, page)
laboratory(read(model, tokens), alone(model, tokens), which, model, page)
vocabulary(page)
st.header(page["training.title"], anchor="training")
st.markdown(page.format("training.text", batch=Pronoun().batch))
wanted = settings(page)
panel.arrive(KEY, lambda: wanted)
panel.live(KEY, lambda run: race(run, wanted, layer, page))
if layer:
    origin(layer, page)
