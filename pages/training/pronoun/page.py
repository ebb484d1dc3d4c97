"""its → Law: a small trained layer reads sentences in its vocabulary, and the training that taught it, live."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from attention_core.experiments import shipped as recipes
from attention_core.experiments.pronoun import PRONOUNS, Pronoun
from attention_core.models import ModelError, Trained
from attention_core.models.trained import CHECKPOINT, CHECKPOINT_SHA256
from pages.training.pronoun import reading, sentence
from pages.training.pronoun.bar import sentence as sentence_bar
from pages.training.pronoun.bar import tokens_of, vocabulary
from pages.training.pronoun.guide import GUIDE, prediction
from pages.training.pronoun.numbers import Learners, arrays, distance, known, script, variant
from pages.training.pronoun.pictures import films, label, plots, sliders
from pages.training.pronoun.reading import HEADS, SHIPPED, SURVEYED, Answers, Reading
from pages.training.pronoun.settings import HEAD, KEY, ROW, VIEW, chosen
from ui import session
from ui.components.canvas import Pick
from ui.components.lab import lab
from ui.compute.catalogue import taught
from ui.errors import fragment
from ui.guide import predict
from ui.layout import agreement, page_header, style, take_away, trust_line
from ui.text import Words, words
from ui.training import progress
from ui.training.files import Kind
from ui.training.history import history
from ui.training.live import Training, evidence, take_home, train
from ui.training.recorded import recorded_run
from ui.training.scrubber import scrub


def shipped(page: Words) -> Trained | None:
    """The layer that comes with the product; one sentence where its file is damaged."""
    try:
        return taught()
    except ModelError:
        st.warning(page["damaged"], icon=":material/warning:")
        return None


@fragment
def read(what: Reading, alone: Sequence[Answers], which: str, config: Pronoun, page: Words) -> None:
    """Both maps, and the row of the word in focus: a click on a row puts it there."""
    row = reading.focus(ROW.value(), what)

    def picked(pick: Pick) -> None:
        if pick.panel in sentence.MAPS:
            ROW.put(str(pick.row + 1))

    title, note = sentence.answer(what, row, page)
    st.markdown(f"**{title}** {note}")
    lab(
        sentence.plots(what, row, page),
        key="pr_reading",
        sliders=[],
        films=sentence.films(what),
        words=words("canvas"),
        summary=page["summary_sentence"],
        on_pick=picked,
    )
    if looks := sentence.heads(what, alone, row, page):
        st.markdown(looks)
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=what.rows,
            residual=what.residual,
            oracle="torch SDPA",
            model=CHECKPOINT.name if which == SHIPPED else None,
            seed=config.seed,
            dtype="float32",
            device="cpu",
        )
        script = reading.script(" ".join(what.words), row, which, config)
        take_away("its_law", arrays=lambda: reading.arrays(what), snippet=script)


def laboratory(run: Learners) -> None:
    """The curves and maps, and the scrubber that moves them."""
    scrub(KEY, run, history(run), page, films, plots, sliders, view=VIEW, head=HEAD)


def below(run: Learners) -> None:
    """What was trained, how far it is from the shipped layer, and what can be taken away."""
    config = next(iter(run.experiments.values()))
    size = {"d_k": config.d_k, "lr": config.lr, "steps": config.steps, "batch": config.batch}
    trained = [page.format("trained", **size)]
    if run.state == "ended" and layer:
        apart = session.kept("pr_apart", run, partial(distance, run, layer))
        if apart is not None:
            trained.append(page.data("same_recipe", residual=agreement(apart)))
    evidence(training, run, page, trained)
    take_home(run, "its_law_training", lambda: arrays(run), script(run))


def origin(layer: Trained, page: Words) -> None:
    """Where the shipped layer comes from, and how good it is."""
    st.header(page["origin.title"], anchor="origin")
    right, weight = session.answer(("survey", CHECKPOINT_SHA256), lambda: reading.survey(layer))
    st.markdown(page.format("origin.worth", right=right, all=SURVEYED))
    columns = {page.data("head", number=head + 1): weight[:, head].tolist() for head in range(HEADS)}
    formats = dict.fromkeys(columns, st.column_config.NumberColumn(format="%.4g"))
    rows = {page["origin.pronoun"]: list(PRONOUNS), **columns}
    st.dataframe(rows, hide_index=True, width=420, column_config=formats)
    config = layer.config
    st.markdown(page.format("origin.text", seed=config.seed, steps=config.steps, file=CHECKPOINT.name))
    command = f"PYTHONPATH=. .venv/bin/python -m {recipes.__name__} pronoun {CHECKPOINT.name}"
    st.code(command, language="bash", wrap_lines=True)
    st.caption(page.format("origin.recipe", config=repr(config), digest=CHECKPOINT_SHA256))


page = words("pronoun")
style(Path(__file__).with_name("style.css"))
progress.style(KEY)
place = page_header(page, GUIDE)
layer = shipped(page)
if layer:
    predict(place, prediction(layer), page)
which, model = sentence_bar(layer, page)
tokens = tokens_of(model, page)
assert isinstance(model.config, Pronoun)
read(reading.read(model, tokens), reading.alone(model, tokens), which, model.config, page)
vocabulary(page)
st.header(page["training.title"], anchor="training")
st.markdown(page.format("training.text", batch=Pronoun().batch))
kind = Kind(known=known, variant=variant, label=lambda name: label(name, page))
training = Training(
    key=KEY, kind=kind, wanted=chosen(page), empty=page["empty"], recording=recorded_run("pronoun", variant)
)
train(training, laboratory, below)
if layer:
    origin(layer, page)
