"""Rows as bare arrays: packing what others hand about, and MaxSim over it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from colibri.compat.bare_rows import encoded, matrix, packed, pairwise, separate
from colibri.compat.rows import Rows
from colibri.errors import InputError, InputTypeError, ShapeError
from colibri.model import Colibri
from reference import maxsim

RNG = np.random.default_rng(5)


def some(*lengths: int, dim: int = 4) -> list[NDArray[Any]]:
    return [RNG.normal(size=(length, dim)).astype(np.float32) for length in lengths]


@pytest.mark.parametrize(
    "form",
    [
        lambda parts: parts,
        tuple,
        lambda parts: [Rows(part) for part in parts],
        lambda parts: [part.tolist() for part in parts],
        lambda parts: [part[None] for part in parts],
        lambda parts: [part.astype(np.float64) for part in parts],
    ],
)
def test_every_form_of_several_texts_is_packed(form: Any) -> None:
    parts = some(3, 1, 2)
    vectors = packed(form(parts), "rows", drop_padding=True)
    assert [len(part) for part in vectors] == [3, 1, 2]
    for found, part in zip(vectors, parts, strict=True):
        assert np.array_equal(found, part)


@pytest.mark.parametrize("form", [lambda one: one, Rows, lambda one: one.tolist(), lambda one: [one]])
def test_a_matrix_is_one_text(form: Any) -> None:
    (one,) = some(3)
    assert len(packed(form(one), "rows", drop_padding=False)) == 1


def test_padding_leaves_documents_and_stays_in_queries() -> None:
    padded = np.zeros((2, 3, 4), np.float32)
    padded[0], padded[1, :1] = some(3)[0], some(1)[0]
    assert [len(part) for part in packed(padded, "rows", drop_padding=True)] == [3, 1]
    assert [len(part) for part in packed(padded, "rows", drop_padding=False)] == [3, 3]


@pytest.mark.parametrize(
    ("given_rows", "kind", "said"),
    [
        ("text", InputTypeError, "rows: found str, wanted rows"),
        (3, InputTypeError, "rows: found int"),
        ([], InputError, "rows: an empty list has no width"),
        ([np.zeros((2, 4), np.float32)], ShapeError, "rows 0: has no rows but zeros"),
        (np.zeros((2, 3, 4, 5), np.float32), ShapeError, r"rows: shape \(2, 3, 4, 5\)"),
        (np.zeros(3, np.float32), ShapeError, r"rows: shape \(3,\)"),
        ([np.ones((2, 4)), np.ones((2, 5))], ShapeError, r"rows 1: shape \(2, 5\), wanted \(tokens, 4\)"),
        ([["a"]], InputError, "no array of numbers"),
    ],
)
def test_what_is_no_rows_is_refused(given_rows: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        packed(given_rows, "rows", drop_padding=True)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_scores_are_those_of_the_definition(queries: list[int], documents: list[int]) -> None:
    ours, theirs = some(*queries), some(*documents)
    found = matrix(packed(ours, "q", drop_padding=False), packed(theirs, "d", drop_padding=True))
    wanted = [maxsim(query, theirs) for query in ours]
    assert found.shape == (len(queries), len(documents))
    assert np.allclose(found, wanted, atol=1e-5)
    count = min(len(queries), len(documents))
    pairs = pairwise(packed(ours[:count], "q", drop_padding=False), packed(theirs[:count], "d", drop_padding=True))
    assert np.allclose(pairs, [wanted[i][i] for i in range(count)], atol=1e-5)


def test_a_bad_match_is_not_lifted_by_padding() -> None:
    query = np.array([[1, 0]], np.float32)
    padded = np.array([[[-1, 0], [0, 0]]], np.float32)
    found = matrix(packed(query, "q", drop_padding=False), packed(padded, "d", drop_padding=True))
    assert found.tolist() == [[-1.0]]


def test_pairs_need_as_many_of_each() -> None:
    one, two = packed(some(1), "q", drop_padding=False), packed(some(1, 1), "d", drop_padding=True)
    with pytest.raises(ShapeError, match="found 1 queries and 2 documents"):
        pairwise(one, two)


def test_no_texts_are_no_rows(model: Colibri) -> None:
    assert encoded(model, [], "query") == encoded(model, [], "document") == []


def test_queries_carry_their_weights(mini: Colibri) -> None:
    texts = ["how many people live in Berlin?", "Berlin"]
    vectors = mini.encode_queries(texts)
    assert vectors.weights is not None
    for i, rows in enumerate(encoded(mini, texts, "query")):
        weights = vectors.weights[vectors.starts[i] : vectors.starts[i + 1]]
        assert np.allclose(rows, vectors[i] * weights[:, None])


def test_another_length_of_queries_is_also_that_of_their_expansion(model: Colibri) -> None:
    assert [len(rows) for rows in encoded(model, ["bird"], "query", max_tokens=9)] == [9]
    assert [len(rows) for rows in encoded(model, ["bird " * 30], "document", max_tokens=9)] == [9]


def test_separate_keeps_what_it_is_given() -> None:
    parts = some(1, 2)
    assert separate(parts, "rows")[1] is parts[1]
