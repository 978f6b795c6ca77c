"""MaxSim: equal to its definition, and indifferent to everything but query and document."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import reference
from colibri.errors import ShapeError
from colibri.scoring import maxsim, meaning
from colibri.vectors import TokenVectors

Rows = NDArray[np.float32]
TOKENS_AT_ONCE = meaning.SIMILARITIES_AT_ONCE // 3  # of a query of three tokens


def unit_rows(rng: np.random.Generator, length: int, dim: int) -> Rows:
    return reference.unit_rows(rng.normal(size=(length, dim))).astype(np.float32)


class Ragged:
    """A query and documents of random rows, from a seed."""

    def __init__(self, query_tokens: int, lengths: list[int], dim: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.query = unit_rows(rng, query_tokens, dim)
        self.documents = [unit_rows(rng, length, dim) for length in lengths]
        self.packed = TokenVectors.from_arrays(self.documents)
        self.weights = rng.uniform(0, 2, query_tokens).astype(np.float32)

    def __repr__(self) -> str:
        return f"Ragged({len(self.query)}, {list(map(len, self.documents))}, {self.packed.dim})"


lengths = st.lists(st.integers(1, 12), min_size=1, max_size=12)
ragged = st.builds(Ragged, st.integers(1, 9), lengths, st.integers(1, 17), st.integers(0, 999))


@given(case=ragged)
def test_equals_the_definition(case: Ragged) -> None:
    scores = maxsim(case.query, case.packed)
    assert scores.dtype == np.float32
    assert np.allclose(scores, reference.maxsim(case.query, case.documents), atol=1e-5)


@given(case=ragged)
def test_equals_the_definition_with_weights(case: Ragged) -> None:
    wanted = reference.maxsim(case.query, case.documents, case.weights.tolist())
    assert np.allclose(maxsim(case.query, case.packed, case.weights), wanted, atol=1e-5)


@given(case=ragged)
def test_weights_of_one_change_nothing(case: Ragged) -> None:
    ones = np.ones(len(case.query), np.float32)
    assert np.allclose(maxsim(case.query, case.packed, ones), maxsim(case.query, case.packed), atol=1e-6)


@given(case=ragged, seed=st.integers(0, 999))
def test_permuting_documents_permutes_scores(case: Ragged, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(case.documents))
    permuted = TokenVectors.from_arrays([case.documents[i] for i in order])
    assert np.allclose(maxsim(case.query, permuted), maxsim(case.query, case.packed)[order], atol=1e-6)


@given(case=ragged)
def test_splitting_the_documents_changes_nothing(case: Ragged) -> None:
    alone = [maxsim(case.query, TokenVectors.from_arrays([document]))[0] for document in case.documents]
    assert np.allclose(maxsim(case.query, case.packed), alone, atol=1e-6)


def test_a_hand_computed_example() -> None:
    # Query rows e1, e2. First document: best 0.6 for e1, 0.8 for e2. Second: 1 for e1, -1 for e2, whose weight is 2.
    query = np.eye(2, dtype=np.float32)
    documents = TokenVectors.from_arrays([np.array([[0.6, 0.8], [-1, 0]]), np.array([[1, -1]], np.float64)])
    assert np.allclose(maxsim(query, documents), [1.4, 0])
    assert np.allclose(maxsim(query, documents, np.array([1, 2], np.float32)), [2.2, -1])


def test_a_document_that_holds_the_query_scores_its_length() -> None:
    case = Ragged(7, [5, 9], 16)
    holding = TokenVectors.from_arrays([*case.documents, np.concatenate([case.documents[0], case.query])])
    scores = maxsim(case.query, holding)
    assert np.isclose(scores[2], 7, atol=1e-5)
    assert scores.argmax() == 2


def definition(case: Ragged) -> list[float]:
    """The same definition with numpy's dot products, for sizes that plain loops are too slow for."""
    return [float((case.query @ document.T).max(axis=1).sum()) for document in case.documents]


@pytest.mark.parametrize(
    "lengths",
    [
        [1],
        [1] * 100,
        [8192],
        [8192, 1, 8192],
        [TOKENS_AT_ONCE],
        [TOKENS_AT_ONCE - 1, 1, 1],
        [TOKENS_AT_ONCE + 1],
        [1, TOKENS_AT_ONCE + 1, 1],
        [TOKENS_AT_ONCE // 2] * 5,
        [1] * (TOKENS_AT_ONCE + 7),
        [300, 7, 1, 512] * 50,
    ],
    ids=lambda lengths: f"{len(lengths)} of {max(lengths)}",
)
def test_documents_of_any_length_and_number_are_scored(lengths: list[int]) -> None:
    case = Ragged(3, lengths, 4)
    assert np.allclose(maxsim(case.query, case.packed), definition(case), atol=1e-5)


def test_no_documents_have_no_scores() -> None:
    nothing = TokenVectors(np.zeros((0, 4), np.float32), np.zeros(1, np.int64))
    scores = maxsim(np.zeros((3, 4), np.float32), nothing)
    assert (scores.shape, str(scores.dtype)) == ((0,), "float32")


def test_a_query_without_rows_scores_nothing() -> None:
    case = Ragged(3, [2, 1], 4)
    assert maxsim(case.query[:0], case.packed).tolist() == [0, 0]


def test_float16_is_scored_as_the_numbers_it_holds() -> None:
    case = Ragged(3, [2, 5], 8)
    stored = [document.astype(np.float16) for document in case.documents]
    wanted = maxsim(case.query, TokenVectors.from_arrays([rows.astype(np.float32) for rows in stored]))
    assert np.array_equal(maxsim(case.query, TokenVectors.from_arrays(stored)), wanted)


MISFITS: dict[str, tuple[Any, list[Any], Any]] = {
    r"query is \(3, 5\), documents have dim 4": (np.zeros((3, 5)), [np.zeros((1, 4))], None),
    r"query is \(4,\), documents have dim 4": (np.zeros(4), [np.zeros((1, 4))], None),
    r"query is \(1, 3, 4\), documents have dim 4": (np.zeros((1, 3, 4)), [np.zeros((1, 4))], None),
    "document 1 has no rows": (np.zeros((3, 4)), [np.zeros((1, 4)), np.zeros((0, 4)), np.zeros((1, 4))], None),
    "document 0 has no rows": (np.zeros((3, 4)), [np.zeros((0, 4))], None),
    r"weights are \(2,\), the query has 3 tokens": (np.zeros((3, 4)), [np.zeros((1, 4))], np.zeros(2)),
    r"weights are \(3, 1\), the query has 3 tokens": (np.zeros((3, 4)), [np.zeros((1, 4))], np.zeros((3, 1))),
}


@pytest.mark.parametrize("message", MISFITS)
def test_what_does_not_fit_together_is_refused(message: str) -> None:
    query, documents, weights = MISFITS[message]
    with pytest.raises(ShapeError, match=message):
        maxsim(query.astype(np.float32), TokenVectors.from_arrays(documents), weights)


def test_neither_query_nor_documents_are_written_to() -> None:
    case = Ragged(3, [2, 1], 4)
    for array in (case.query, case.packed.rows, case.packed.starts, case.weights):
        array.flags.writeable = False
    maxsim(case.query, case.packed, case.weights)
