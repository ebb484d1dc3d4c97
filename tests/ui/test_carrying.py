"""The word in focus stays in focus: in other sentences, and in other tokens of the same one."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from ui.carrying import PRONOUNS, Spot, carried, settled

LETTERS = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=1, max_size=13)
WORDS = ("[CLS]", "the", "fox", "saw", "the", "hen", "and", "it", "ran", "[SEP]")
ABSENT = Spot(("zebra",), 0)


def never() -> torch.Tensor:
    raise AssertionError("the words are there: no weight has to be known")


def drawn(queries: int, keys: int, seed: int) -> torch.Tensor:
    scores = torch.randn(3, 2, queries, keys, generator=torch.Generator().manual_seed(seed))
    return scores.softmax(dim=-1)


def sharpened(pairs: list[tuple[int, int]]) -> torch.Tensor:
    weights = drawn(len(WORDS), len(WORDS), seed=0)
    for query, key in pairs:
        weights[2, 1, query] = torch.nn.functional.one_hot(torch.tensor(key), len(WORDS)).float()
    return weights


@given(words=LETTERS, data=st.data())
def test_a_frame_put_around_a_sentence_and_taken_away_moves_no_word(words: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(words) - 1))
    framed = ("[CLS]", *words, "[SEP]")
    assert carried(Spot(tuple(words), place), framed) == place + 1
    assert carried(Spot(framed, place + 1), words) == place


@given(words=LETTERS, other=LETTERS, data=st.data())
def test_it_is_the_same_word_and_no_occurrence_is_nearer_where_their_number_differs(
    words: list[str], other: list[str], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(words) - 1))
    there = carried(Spot(tuple(words), place), [word.upper() for word in other])
    if there is None:
        assert words[place] not in other
        return
    assert other[there] == words[place]
    if words.count(words[place]) == other.count(words[place]):
        assert words[:place].count(words[place]) == other[:there].count(words[place])
    else:
        distances = [abs(at - place) for at, word in enumerate(other) if word == words[place]]
        assert abs(there - place) == min(distances)


@given(words=LETTERS, data=st.data())
def test_what_is_still_there_stays_whatever_the_weights(words: list[str], data: st.DataObject) -> None:
    places = st.integers(0, len(words) - 1)
    query, key = data.draw(places), data.draw(places)
    spots = [Spot(tuple(words), place) for place in (query, key)]
    assert settled(spots[0], spots[1], words, words, never) == (query, key)


@given(words=LETTERS, beyond=st.integers(13, 10**6))
def test_a_place_beyond_the_sentence_is_its_middle(words: list[str], beyond: int) -> None:
    assert carried(Spot(tuple(words), beyond), words) == len(words) // 2


@given(seed=st.integers(0, 10**6), words=LETTERS, pronoun=st.sampled_from(sorted(PRONOUNS)), data=st.data())
def test_else_the_first_pronoun_asks_and_its_key_is_the_one_it_reads_most_outside_the_frame(
    seed: int, words: list[str], pronoun: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(words) - 1))
    sentence = ("[CLS]", *words[:at], pronoun.capitalize(), *words[at:], "it", "[SEP]")
    weights = drawn(len(sentence), len(sentence), seed)
    query, key = settled(ABSENT, ABSENT, sentence, sentence, lambda: weights)
    assert query == at + 1
    reads = {place: float(weights[:, :, query, place].max()) for place in range(1, len(sentence) - 1)}
    assert key == max(reads, key=reads.__getitem__)


@given(seed=st.integers(0, 10**6), words=st.lists(st.sampled_from("abcde"), min_size=2, max_size=13))
def test_else_the_largest_weight_between_two_words(seed: int, words: list[str]) -> None:
    sentence = ("[CLS]", *words, "[SEP]")
    weights = drawn(len(sentence), len(sentence), seed)
    inner = range(1, len(sentence) - 1)
    pairs = {(i, j): float(weights[:, :, i, j].max()) for i in inner for j in inner if i != j}
    assert settled(ABSENT, ABSENT, sentence, sentence, lambda: weights) == max(pairs, key=pairs.__getitem__)


def test_a_key_that_is_still_there_stays_beside_a_pronoun_and_a_pair_is_taken_whole() -> None:
    hen = Spot(("hen",), 0)
    assert settled(ABSENT, hen, WORDS, WORDS, never) == (7, 5)
    words = tuple("cat" if word == "it" else word for word in WORDS)
    assert settled(ABSENT, hen, words, words, lambda: sharpened([(8, 2), (3, 0), (9, 1)])) == (8, 2)


def test_one_word_alone_asks_itself() -> None:
    assert settled(ABSENT, ABSENT, ("[CLS]", "fox", "[SEP]"), ("[CLS]", "fox", "[SEP]"), lambda: drawn(3, 3, 0)) == (
        1,
        1,
    )
    assert settled(ABSENT, ABSENT, ("fox",), ("fox",), lambda: torch.ones(1, 1)) == (0, 0)


def test_of_two_sentences_each_has_its_own_words() -> None:
    queries, keys = ("the", "hen", "ran"), ("[CLS]", "a", "fox", "saw", "the", "hen", "[SEP]")
    spot = Spot(WORDS, 5)
    assert settled(spot, spot, queries, keys, never) == (1, 5)
