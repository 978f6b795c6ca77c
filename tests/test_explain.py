"""Matches add up to the score, and highlights are whole words of the text."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri.errors import InputError, InputTypeError
from colibri.explain import Match, Span, answering_words, highlights, matches, whole_word
from colibri.scoring import maxsim
from reference import ARTEFACTS


def test_matches_are_the_score(mini: colibri.Colibri) -> None:
    text = "The weather was fine. Berlin has 3.7 million inhabitants."
    question = "How many people live in Berlin?"
    queries, docs = mini.encode_queries([question]), mini.encode_documents([text])
    assert docs.spans is not None
    found = matches(queries, docs, 0, docs.spans)
    assert len(found) == len(queries.rows)
    assert sum(match.weight for match in found) == pytest.approx(
        float(maxsim(queries[0], docs, queries.weights)[0]), rel=1e-5
    )
    shown = {text[slice(*match.document)] for match in found}
    assert "Berlin" in shown
    assert {question[slice(*match.query)] for match in found} >= {"Berlin", "many"}
    assert "Berlin" in {text[slice(*span)] for span in highlights(found, text)}


def test_weights_scale_what_a_token_adds() -> None:
    rows = np.eye(3, dtype=np.float32)
    starts = np.array([0, 3], np.int64)
    query = colibri.TokenVectors(rows, starts, weights=np.array([1, 0.5, 0], np.float32))
    found = matches(query, colibri.TokenVectors(rows, starts), 0, None)
    assert [match.similarity for match in found] == [1, 1, 1]
    assert [match.weight for match in found] == [1, 0.5, 0]
    assert {match.document for match in found} == {(0, 0)}


def match(start: int, end: int, weight: float) -> Match:
    return Match(Span(0, 1), Span(start, end), weight, weight)


def test_highlights_are_whole_words_of_most_weight() -> None:
    text = "The unbelievable bird sang."
    assert highlights([match(6, 9, 0.9), match(17, 21, 0.8), match(0, 3, 0.1)], text) == [(4, 16), (17, 21)]
    assert highlights([match(4, 6, 0.3), match(6, 9, 0.3), match(17, 21, 0.5)], text) == [(4, 16), (17, 21)]
    assert highlights([match(0, 3, -0.5)], text) == []
    assert highlights([Match(Span(0, 0), Span(0, 3), 1, 1)], text) == []  # a marker of the query
    assert highlights([], text) == []


def test_words_of_pooled_tokens_share_what_they_add() -> None:
    text = "red birds and blue birds sing"
    birds = Match(Span(0, 1), Span(4, 9), 0.8, 0.8, (Span(19, 24),))
    assert birds.answers == (Span(4, 9), Span(19, 24))
    assert highlights([birds, match(25, 29, 0.4)], text) == [(4, 9), (19, 24), (25, 29)]
    assert highlights([birds, match(25, 29, 0.9)], text, 0.5) == [(25, 29)]
    follow = Match(Span(0, 1), Span(0, 9), 0.9, 0.9, (Span(16, 18),))  # tokens that follow each other are one span
    assert highlights([follow], text) == [(0, 3), (4, 9), (14, 18)]
    assert answering_words(text, follow) == [(0, 3), (4, 9), (14, 18)]
    assert answering_words(text, Match(Span(0, 1), Span(0, 0), 1, 1)) == []
    twice = Match(Span(0, 1), Span(4, 6), 0.5, 0.5, (Span(6, 9),))
    assert answering_words(text, twice) == [(4, 9)]
    with pytest.raises(InputError, match=r"matches\[0\]: characters 19 to 99"):
        highlights([replace(birds, also=(Span(19, 99),))], text)


def test_matches_of_pooled_rows_name_every_place(mini: colibri.Colibri) -> None:
    text = "Berlin is large. The river Spree flows through Berlin. Berlin has lakes, and the lakes have birds."
    query, docs = mini.encode_queries(["lakes of Berlin"]), mini.encode_documents([text]).pooled(3)
    found = matches(query, docs, 0, docs.spans, docs.more_spans)
    assert sum(match.weight for match in found) == pytest.approx(
        float(maxsim(query[0], docs, query.weights)[0]), rel=1e-5
    )
    assert any(match.also for match in found)
    said = {text[slice(*answer)] for match in found for answer in match.answers}
    assert "Berlin" in said
    assert {"Berlin", "lakes"} & {text[slice(*span)] for span in highlights(found, text)}


@pytest.mark.parametrize(("letters", "whole"), [(256, True), (257, False), (1_000_000, False)])
def test_a_run_of_letters_that_is_no_word_keeps_its_tokens(letters: int, whole: bool) -> None:
    text = "key " + "x" * letters + " end"
    for at in (4, 4 + letters // 2, letters):
        wanted = Span(4, 4 + letters) if whole else Span(at, at + 3)
        assert whole_word(text, Span(at, at + 3)) == wanted
    assert whole_word(text, Span(0, 2)) == Span(0, 3)


def test_scripts_without_spaces_keep_their_tokens() -> None:
    assert highlights([match(2, 4, 1)], "東京都庁舎は高い") == [(2, 4)]


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.floats(-1, 1)), max_size=8))
def test_highlights_lie_in_the_text_and_apart(text: str, given_matches: list[tuple[int, int, float]]) -> None:
    inside = [match(s, e, w) for s, e, w in given_matches if s < e <= len(text)]
    found = highlights(inside, text)
    assert found == sorted(found)
    for one, other in pairwise(found):
        assert one.end <= other.start
    assert all(0 <= span.start < span.end <= len(text) for span in found)


TEXT = "The unbelievable bird sang."


@pytest.mark.parametrize(
    ("found", "text", "share", "error", "said"),
    [
        ("match", TEXT, 0.3, InputTypeError, "matches: found str"),
        (None, TEXT, 0.3, InputTypeError, "matches: found NoneType"),
        (match(0, 3, 1), TEXT, 0.3, InputTypeError, "matches: found Match"),
        ((one for one in [match(0, 3, 1)]), TEXT, 0.3, InputTypeError, "matches: found generator"),
        ([match(0, 3, 1), (0, 3)], TEXT, 0.3, InputTypeError, r"matches\[1\]: found tuple"),
        ([None], TEXT, 0.3, InputTypeError, r"matches\[0\]: found NoneType"),
        ([], None, 0.3, InputTypeError, "text: found NoneType"),
        ([], b"The", 0.3, InputTypeError, "text: found bytes"),
        ([match(0, 28, 1)], TEXT, 0.3, InputError, "characters 0 to 28 of a text of 27"),
        ([match(0, 3, 1), match(22, 26, 1)], TEXT[:20], 0.3, InputError, r"matches\[1\]: characters 22 to 26"),
        ([match(5, 3, 1)], TEXT, 0.3, InputError, "characters 5 to 3"),
        ([match(-3, 3, 1)], TEXT, 0.3, InputError, "characters -3 to 3"),
        ([match(0, 3, 1)], TEXT, "0.3", InputTypeError, "share: found str"),
        ([match(0, 3, 1)], TEXT, True, InputTypeError, "share: found bool"),
        ([match(0, 3, 1)], TEXT, None, InputTypeError, "share: found NoneType"),
        ([match(0, 3, 1)], TEXT, float("nan"), InputError, "share: found nan"),
        ([match(0, 3, 1)], TEXT, 30, InputError, "share: found 30"),
        ([], TEXT, -0.1, InputError, "share: found -0.1"),
    ],
)
def test_what_is_no_match_no_text_or_no_share_is_refused(
    found: Any, text: Any, share: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        highlights(found, text, share)


def test_a_share_of_all_keeps_the_best_word_and_none_keeps_every_word() -> None:
    found = (match(4, 9, 0.9), match(17, 21, 0.5), match(22, 26, 0.1))
    assert highlights(found, TEXT, 1) == [(4, 16)]
    assert highlights(found, TEXT, 0) == [(4, 16), (17, 21), (22, 26)]
    half: Any = np.float32(0.5)
    assert highlights(found, TEXT, half) == [(4, 16), (17, 21)]


def answered(text: str, word: str, weight: float) -> Match:
    """One token of a query, answered by a word."""
    at = text.index(word)
    return Match(Span(0, 1), Span(at, at + len(word)), weight, weight)


def test_words_that_mean_little_are_left_out_while_others_answer() -> None:
    text = "in Berlin, the city"
    found = [answered(text, "in", 0.9), answered(text, "Berlin", 0.8), answered(text, "the", 0.9)]
    meaning = {"in": 0.2, "the": 0.1, "Berlin": 0.9}.__getitem__
    assert [text[s:e] for s, e in highlights(found, text)] == ["in", "Berlin", "the"]
    assert [text[s:e] for s, e in highlights(found, text, meaning=meaning)] == ["Berlin"]
    assert [text[s:e] for s, e in highlights(found[:1], text, meaning=meaning)] == ["in"]


def test_punctuation_is_shown_only_where_nothing_else_answers() -> None:
    text = "€ 5, or so"
    assert [text[s:e] for s, e in highlights([answered(text, "5", 0.5), answered(text, ",", 0.9)], text)] == ["5"]
    assert [text[s:e] for s, e in highlights([answered(text, "€", 0.5)], text)] == ["€"]


def test_a_word_has_its_marks() -> None:
    text = "यह हिन्दी है"
    assert [text[s:e] for s, e in highlights([answered(text, "हि", 0.5)], text)] == ["हिन्दी"]


def test_a_words_weight_is_of_its_own_tokens() -> None:
    mini = colibri.load()
    assert mini.word_weight("") == 0
    light, heavy = (
        [mini.word_weight(word) for word in words] for words in (("the", "of", "и", "de"), ("Berlin", "море"))
    )
    assert max(light) < 0.5 < min(heavy)
    assert colibri.load(ARTEFACTS / "tiny-random-bert").word_weight("the") == 1
