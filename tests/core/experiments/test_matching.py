"""With attention a matcher learns in a hundred steps what it does not learn without; and what the page ships."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from attention_core.experiments.base import Experiment, stream
from attention_core.experiments.english import English, embedded, examine, unknown_words, unmet_pairs
from attention_core.experiments.matching import Matching
from attention_core.experiments.paraphrases import PAIR_KINDS, UNMET, Author, lexicon, plural_of, split
from attention_core.matching import VARIANTS, Matcher, shipped, word_vectors
from attention_core.models import load_embedded

SMALL = Matching(length=5, concepts=11, synonyms=3, replaced=2, d_in=7, d=6, hidden=13, batch=17, evaluated=19, steps=2)


# --- made-up words ---


def test_a_paraphrase_has_the_same_meanings_and_a_negative_differs_in_as_many_as_it_says() -> None:
    vectors = SMALL.vectors()
    pairs = SMALL.draw(vectors, stream(0, "test"), 211)
    assert 0.35 < float(pairs.same.float().mean()) < 0.65
    for a, b, same in zip(pairs.meaning_a.tolist(), pairs.meaning_b.tolist(), pairs.same.tolist(), strict=True):
        assert len(set(a)) == len(set(b)) == 5
        assert len(set(a) & set(b)) == (5 if same else 3)
    apart = (pairs.x_a[:, :, None, None] - vectors).norm(dim=-1).amin(dim=-1)  # of the nearest synonym of each meaning
    assert_close(apart.argmin(dim=-1), pairs.meaning_a)


def test_synonyms_lie_closer_than_strangers() -> None:
    x = torch.nn.functional.normalize(Matching().vectors(), dim=-1)
    cosines = torch.einsum("csd,ktd->ckst", x, x)
    own = cosines.diagonal(dim1=0, dim2=1)[[0, 0, 1], [1, 2, 2]]
    others = cosines[~torch.eye(100, dtype=torch.bool)]
    assert_close(own.mean(), torch.tensor(0.8), rtol=0, atol=0.02)  # 1 / (1 + noise²)
    assert_close(others.mean(), torch.tensor(0.0), rtol=0, atol=0.02)


@pytest.mark.parametrize("config", [SMALL, *(replace(SMALL, variant=variant) for variant in VARIANTS)])
def test_the_same_configuration_gives_the_same_records(config: Matching) -> None:
    assert isinstance(config, Experiment)
    state = torch.random.get_rng_state()
    once, twice = (list(config.records()) for _ in range(2))
    assert_close(torch.random.get_rng_state(), state)  # torch's own generator is not used
    assert [record.step for record in once] == [0, 2]
    for a, b in zip(once, twice, strict=True):
        assert (a.loss, a.accuracy, a.measures) == (b.loss, b.accuracy, b.measures)
    for name in once[-1].state:
        assert_close(once[-1].state[name], twice[-1].state[name], rtol=0, atol=0)
    assert ("alignment" in once[0].measures) == (config.variant in ("attention", "both"))


def test_alignment_counts_the_words_whose_best_match_is_their_synonym() -> None:
    *_, last = replace(SMALL, variant="attention", steps=1).records()
    model = replace(SMALL, variant="attention").build()
    held_out = SMALL.draw(SMALL.vectors(), stream(0, "held out"), 19)
    model.load_state_dict(dict(last.state))
    with torch.no_grad():
        e = (held_out.x_a @ model.map.weight.T) @ (held_out.x_b @ model.map.weight.T).mT
    hits = [
        float(held_out.meaning_b[p, int(e[p, i].argmax())] == meaning)
        for p in range(19)
        for i, meaning in enumerate(held_out.meaning_a[p])
        if meaning in held_out.meaning_b[p]
    ]
    assert_close(last.measures["alignment"], sum(hits) / len(hits))


@pytest.mark.slow
def test_with_attention_a_hundred_steps_are_enough_and_without_they_are_not() -> None:
    reached = {}
    for variant in VARIANTS:
        *_, last = Matching(variant=variant, every=100).records()
        reached[variant] = last
    accuracy = {variant: last.accuracy for variant, last in reached.items()}
    assert max(accuracy["bag"], accuracy["bilstm"]) < 0.87, accuracy
    assert min(accuracy["attention"], accuracy["both"]) > 0.96, accuracy
    assert reached["attention"].measures["alignment"] > 0.97
    assert reached["both"].measures["alignment"] > 0.95


# --- English ---


def test_the_lexicon_has_a_hundred_meanings_of_three_words_none_of_them_twice() -> None:
    meanings = [meaning for rows in lexicon().values() for meaning in rows]
    flat = [word for meaning in meanings for word in meaning.words]
    assert len(meanings) == 100 and all(len(meaning.words) == 3 for meaning in meanings)
    assert len(set(flat)) == len(flat)


def test_held_out_meanings_never_occur_in_training_and_held_out_synonyms_never_meet() -> None:
    trained, kept = (split(lexicon(), held_out=side) for side in (False, True))
    assert sum(map(len, kept.values())) == 25
    unknown = {word for rows in kept.values() for meaning in rows for word in meaning.words}
    meanings = [meaning.words for rows in trained.values() for meaning in rows]
    author = Author(trained, stream(5, "test"), embedded().fillers(), English().fillers)
    for _ in range(700):
        first, second, _ = author.pair()
        a, b = (set(one.replace(" the ", " ").split()) for one in (first, second))
        assert not (a | b) & unknown
        for _, one, other in meanings:
            assert not ((one in a and other in b) or (other in a and one in b)), (first, second)


def test_no_filler_is_a_word_of_the_lexicon_so_that_what_is_held_out_stays_out() -> None:
    """Fillers are rows of the word embeddings, "#4711", so they are compared as the tokens they are."""
    tokenize = load_embedded().tokenize
    lines = embedded().fillers()
    rows = {int(word.removeprefix("#")) for line in lines for word in line}
    for kind, meanings in lexicon().items():
        words = {word for meaning in meanings for word in meaning.words}
        words |= {plural_of(word) for word in words if kind == "person"}  # you are students
        assert not {word for word in words if rows & set(tokenize(word, special=False).ids)}
    assert len(lines) > 8000 and English().fillers > 0


def test_the_kinds_of_pairs_are_what_they_are_called() -> None:
    author = Author(split(lexicon(), held_out=False), stream(7, "test"))
    content = {word: (kind, i) for kind, rows in lexicon().items() for i, m in enumerate(rows) for word in m.words}

    def meanings(text: str) -> list[tuple[str, int]]:
        return sorted(content[word] for word in text.split() if word in content)

    for _ in range(150):
        first, second, kind = author.pair("order", UNMET)
        assert kind == "order" and first != second and meanings(first) == meanings(second)
        first, second, _ = author.pair("word", ((0,), (0,)))
        if not {"you", "they", "we"} & {*first.split(), *second.split()}:  # plurals stand in no list
            assert meanings(first) != meanings(second), (first, second)
            assert len(meanings(first)) == len(meanings(second))
    assert {author.pair()[2] for _ in range(200)} == set(PAIR_KINDS)


def test_embeddings_of_synonyms_multiply_to_more_than_those_of_strangers() -> None:
    """D2, on the word vectors of the trained model alone."""
    model = load_embedded()
    near, far = [], []
    for rows in lexicon().values():
        x = [[word_vectors(model, model.tokenize(w, special=False)).mean(dim=0) for w in m.words] for m in rows]
        near += [float(words[0] @ words[1]) for words in x]
        far += [float(x[i][0] @ x[j][1]) for i in range(len(x)) for j in range(len(x)) if i != j]
    wins = (torch.tensor(near)[:, None] > torch.tensor(far)).float().mean()
    assert sum(near) / len(near) > 2 * sum(far) / len(far)
    assert float(wins) > 0.9


@pytest.mark.parametrize("variant", ["attention", "both"])
def test_the_shipped_matcher_is_worth_what_its_file_says(variant: str) -> None:
    exact, recipe = shipped(variant)
    matcher = Matcher(variant, **exact.sizes)  # the one on the page is float64, and shared
    matcher.load_state_dict(exact.state_dict())
    for name, pairs in {"unmet": unmet_pairs(11, 500), "unknown": unknown_words(11, 500)}.items():
        accuracies = examine(matcher, pairs)
        for kind in PAIR_KINDS:
            assert_close(accuracies[kind], recipe[name][kind], rtol=0, atol=0.15, msg=f"{name} {kind} {accuracies}")


def test_only_the_bilstm_knows_who_helped_whom() -> None:
    """To word vectors alone a sentence and its words from back to front are the same sentence."""
    pairs = [pair for pair in unmet_pairs(13, 1000) if pair[2] == "order"]
    matchers = {variant: shipped(variant)[0] for variant in ("attention", "both")}
    rejected, moved = dict.fromkeys(matchers, 0), dict.fromkeys(matchers, 0.0)
    for first, second, _ in pairs:
        x, y = (embedded().batch([(one, one, "same")]).x_a.double() for one in (first, second))
        for variant, matcher in matchers.items():
            logit = float(matcher(x, y).logit)
            rejected[variant] += logit < 0
            moved[variant] = max(moved[variant], abs(float(matcher(x, y.flip(1)).logit) - logit))
    assert moved["attention"] < 1e-9 < 1 < moved["both"]
    assert rejected["both"] / len(pairs) >= 0.95


def test_the_recipe_in_the_file_is_the_recipe_in_the_code() -> None:
    for variant in ("attention", "both"):
        assert shipped(variant)[1]["config"] == {
            name: getattr(English(variant=variant), name) for name in English.__dataclass_fields__
        }
