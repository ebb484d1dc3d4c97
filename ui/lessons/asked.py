"""What a step asks: the question in numbers, read from the link of its view, and in words."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from attention_core.lessons import Answer, Kind, Question, answer
from attention_core.saturation import D_K_STOPS, INPUT_SCALES, SWEPT_RULES
from attention_core.text import clean
from ui import session, stops
from ui.carrying import carried
from ui.controls import MAX_CHARS
from ui.controls.table import SIZES, TEXT
from ui.focus import DEFAULT_KEY, DEFAULT_QUERY, HEAD, LAYER, TOKENS
from ui.lessons.lesson import Step
from ui.numbers import nearest_ratio, significant
from ui.session import embedded
from ui.state import one_of
from ui.text import Words
from ui.training.recorded import accuracies

RACE = "scaling_race"
ROW: tuple[Kind, ...] = ("strongest", "weight", "change")
KINDS: dict[str, tuple[Kind, ...]] = {
    "start": ("alive",),
    "pipeline": ROW,
    "heads": ROW,
    "vanishing": ("alive",),
    "scaling_race": ("race",),
}
# What a view may say so that its answer is computed: whatever else it says may change the numbers.
UNDERSTOOD = {
    "start": {"text", "focus", "shown", "soft_dk", "soft_scale"},
    "pipeline": {"text", "layer", "head", "focus"},
    "heads": {"text", "layer", "head", "focus"},
    "vanishing": {"text", "seed", "dk", "scale", "rule", "probe_head", "focus"},
    "scaling_race": {"text", "focus", "seed"},
}
RULE = one_of("rule", SWEPT_RULES)


def kinds(step: Step) -> tuple[Kind, ...]:
    """What can be asked about this view: an answer is computed only where all its settings are understood."""
    understood = step.link().keys() <= UNDERSTOOD.get(step.page, set())
    return (*KINDS.get(step.page, ()), "open") if understood else ("open",)


def question(step: Step) -> Question:
    """The question in numbers; one's own words where nothing can be computed."""
    if step.kind == "open" or step.kind not in kinds(step):
        return Question(kind="open")
    return QUESTIONS[step.kind](step)


def _text(link: Mapping[str, str]) -> str:
    """The sentence as its page reads it."""
    return clean(TEXT.read(link), MAX_CHARS).text


def _of_row(step: Step) -> Question:
    link = step.link()
    words = _words(_text(link))
    carry = (carried(spot, words) for spot in (DEFAULT_QUERY, DEFAULT_KEY))
    query, key = TOKENS.read(link) if TOKENS.key in link else carry
    if query is None or key is None:  # the page chooses by its weights
        return Question(kind="open")
    layer, head = LAYER.read(link), HEAD.read(link)
    return Question(kind=step.kind, text=_text(link), layer=layer, head=head, query=query, key=key)


def _alive(step: Step) -> Question:
    """At the stops nearest to what the link says, as its page stands there."""
    link = step.link()
    d_k, scale = (stops.START_D_K, stops.START_SCALE) if step.page == "start" else (stops.D_K, stops.SCALE)
    return Question(
        kind="alive",
        text=_text(link),
        seed=SIZES["seed"].read(link),
        head=stops.PROBE_HEAD.read(link) - 1,
        d_k=D_K_STOPS[nearest_ratio(D_K_STOPS, d_k.read(link))],
        input_scale=INPUT_SCALES[nearest_ratio(INPUT_SCALES, scale.read(link))],
        rule=RULE.read(link),
    )


QUESTIONS: dict[Kind, Callable[[Step], Question]] = {
    **dict.fromkeys(ROW, _of_row),
    "alive": _alive,
    "race": lambda step: Question(kind="race"),
}


def computed(step: Step, page: Words) -> Answer | None:
    """The answer, known or computed now; the rules of a race in words. Raises ValueError where there is none."""
    asked = question(step)
    race = {rule: values[-1] for rule, (_, values) in accuracies(RACE).items()} if asked.kind == "race" else {}
    own = session.answer(("lesson", asked, tuple(race.items())), lambda: answer(asked, embedded(), race))
    return replace(own, choices=tuple(page[f"rules.{rule}"] for rule in own.choices)) if race and own else own


def sentence(step: Step, page: Words) -> str:
    """The question in words: the teacher's own, then what is asked about the view."""
    space = "" if page.language == "zh" else " "
    return space.join(filter(None, (step.words, _standard(question(step), page))))


def _standard(asked: Question, page: Words) -> str:
    """Plain text; nothing where the teacher's words are the question."""
    if asked.kind == "open":
        return ""
    words = _words(asked.text) if asked.kind in ROW else ()
    return page.data(
        f"ask.{asked.kind}",
        layer=asked.layer + 1,
        head=asked.head + 1,
        query=_word(words, asked.query),
        read=_word(words, asked.key),
        d_k=asked.d_k,
        alpha=significant(asked.input_scale),
        rule=page[f"rules.{asked.rule}"],
    )


def _words(text: str) -> tuple[str, ...]:
    return session.answer(("words of a lesson", text), lambda: embedded().tokenize(text).strings)


def _word(words: tuple[str, ...], place: int) -> str:
    return words[place] if 0 <= place < len(words) else ""
