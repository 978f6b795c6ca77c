"""What scoring refuses before any work, and what it takes that one might doubt."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from colibri.errors import InputError, InputTypeError, ShapeError
from colibri.scoring import best_tokens, maxsim, maxsim_batch, maxsim_subset, top_k
from colibri.vectors import Kind, TokenVectors
from scoring_cases import KINDS, Ragged, stored

CASE = Ragged(3, [2, 5, 1], 4)

MISFITS: dict[str, tuple[Any, list[Any], Any]] = {
    r"query is \(3, 5\), documents have dim 4": (np.zeros((3, 5)), [np.zeros((1, 4))], None),
    r"query is \(4,\), documents have dim 4": (np.zeros(4), [np.zeros((1, 4))], None),
    r"query is \(1, 3, 4\), documents have dim 4": (np.zeros((1, 3, 4)), [np.zeros((1, 4))], None),
    "document 1 has no rows": (np.zeros((3, 4)), [np.zeros((1, 4)), np.zeros((0, 4)), np.zeros((1, 4))], None),
    "document 0 has no rows": (np.zeros((3, 4)), [np.zeros((0, 4))], None),
    r"weights are \(2,\), the query has 3 tokens": (np.zeros((3, 4)), [np.zeros((1, 4))], np.zeros(2)),
    r"weights are \(3, 1\), the query has 3 tokens": (np.zeros((3, 4)), [np.zeros((1, 4))], np.zeros((3, 1))),
}

FUNCTIONS: dict[str, Callable[[Any, TokenVectors, Any], object]] = {
    "maxsim": maxsim,
    "top_k": lambda query, docs, weights: top_k(query, docs, 1, weights),
    "maxsim_subset": lambda query, docs, weights: maxsim_subset(query, docs, [0], weights),
    "best_tokens": lambda query, docs, weights: best_tokens(query, docs, [0], weights),
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("message", MISFITS)
def test_what_does_not_fit_together_is_refused(message: str, function: str) -> None:
    query, documents, weights = MISFITS[message]
    with pytest.raises(ShapeError, match=message):
        FUNCTIONS[function](query.astype(np.float32), TokenVectors.from_arrays(documents), weights)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_values_that_are_not_finite_are_refused_and_named(function: str, value: float) -> None:
    score = FUNCTIONS[function]
    query = CASE.query.copy()
    query[1, 2] = value
    with pytest.raises(InputError, match="query token 1 is not finite"):
        score(query, CASE.packed, None)
    with pytest.raises(InputError, match="weights are not finite"):
        score(CASE.query, CASE.packed, np.array([0, value, 1], np.float32))
    for kind in ("float32", "float16"):
        rows = CASE.packed.rows.astype(kind)
        rows[4, 0] = value
        with pytest.raises(InputError, match=r"rows of document 1 are not finite \(token 2\)"):
            score(CASE.query, TokenVectors(rows, CASE.packed.starts), None)
    stored = CASE.packed.quantize()
    scales = np.ones(8, np.float32)
    scales[7] = value
    with pytest.raises(InputError, match=r"scales of document 2 are not finite \(token 0\)"):
        score(CASE.query, TokenVectors(stored.rows, stored.starts, scales=scales), None)


def test_rows_whose_sum_overflows_are_finite_all_the_same() -> None:
    docs = TokenVectors(np.full((2, 4), 3e38, np.float32), np.array([0, 1, 2]))
    assert maxsim(np.eye(4, dtype=np.float32)[:1], docs).tolist() == [float(np.float32(3e38))] * 2


@pytest.mark.parametrize(
    "query", [np.zeros((3, 4), int), np.zeros((3, 4), complex), [["a"] * 4], np.zeros((3, 4), "?")]
)
def test_a_query_that_is_no_floats_is_refused(query: Any) -> None:
    with pytest.raises(InputTypeError, match="wanted float32 rows"):
        maxsim(query, CASE.packed)


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([3], InputError, "found 3, there are documents 0 to 2"),
        ([0, -1], InputError, "found -1"),
        ([0.0], InputTypeError, "wanted whole numbers"),
        ([True], InputTypeError, "wanted whole numbers"),
        ([[0]], ShapeError, "wanted one dimension"),
    ],
)
def test_documents_there_are_not_are_refused(ids: Any, error: type[Exception], message: str) -> None:
    for function in (maxsim_subset, best_tokens):
        with pytest.raises(error, match=message):
            function(CASE.query, CASE.packed, ids)


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "2", None])
def test_counts_that_are_none_are_refused(count: Any) -> None:
    with pytest.raises(InputError, match=r"k: found .*, wanted a whole number from 1"):
        top_k(CASE.query, CASE.packed, count)
    if count is not None:
        with pytest.raises(InputError, match=r"threads: found .*, wanted a whole number from 1"):
            maxsim(CASE.query, CASE.packed, threads=count)


def test_queries_of_another_model_are_refused() -> None:
    queries, docs = (TokenVectors(CASE.packed.rows, CASE.packed.starts, space_id=name) for name in "ab")
    with pytest.raises(ShapeError, match="different models"):
        maxsim_batch(queries, docs)
    with pytest.raises(ShapeError, match="documents have dim 5"):
        maxsim_batch(queries, Ragged(1, [1], 5).packed)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_gives_nothing(kind: Kind) -> None:
    nothing = stored(TokenVectors(np.zeros((0, 4), np.float32), np.zeros(1, np.int64)), kind)
    docs = stored(CASE.packed, kind)
    assert maxsim(CASE.query, nothing).shape == (0,)
    assert [part.size for part in top_k(CASE.query, nothing, 5)] == [0, 0]
    assert maxsim_subset(CASE.query, nothing, []).shape == (0,)
    assert [part.shape for part in best_tokens(CASE.query, docs, [])] == [(0, 3), (0, 3)]
    assert maxsim_batch(CASE.packed, nothing).shape == (3, 0)
    assert maxsim_batch(TokenVectors(np.zeros((0, 4), np.float32), np.zeros(1, np.int64)), docs).shape == (0, 3)
    assert maxsim(CASE.query[:0], docs).tolist() == [0, 0, 0]
    assert top_k(CASE.query[:0], docs, 2).ids.tolist() == [0, 1]


def test_half_and_double_queries_are_converted() -> None:
    half = CASE.query.astype(np.float16)
    wanted = maxsim(half.astype(np.float32), CASE.packed).tolist()
    assert maxsim(half, CASE.packed).tolist() == maxsim(half.astype(np.float64), CASE.packed).tolist() == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_how_rows_lie_in_memory_does_not_matter(kind: Kind) -> None:
    """Foreign byte order, columns first, every second row of something, and an address no float begins at."""
    docs = stored(CASE.packed, kind)
    wanted = maxsim(CASE.query, docs).tolist()
    room = np.zeros(docs.rows.nbytes + 1, np.uint8)
    unaligned = room[1:].view(docs.rows.dtype).reshape(docs.rows.shape)
    unaligned[:] = docs.rows
    forms = [docs.rows.astype(docs.rows.dtype.newbyteorder(">")), np.asfortranarray(docs.rows), unaligned]
    forms.append(np.repeat(docs.rows, 2, axis=0)[::2])
    for rows in forms:
        assert maxsim(CASE.query, TokenVectors(rows, docs.starts, scales=docs.scales)).tolist() == wanted


def test_neither_query_nor_documents_are_written_to() -> None:
    case = Ragged(3, [2, 1], 4)
    for array in (case.query, case.packed.rows, case.packed.starts, case.weights):
        array.flags.writeable = False
    maxsim(case.query, case.packed, case.weights)
    maxsim(case.query, case.packed.quantize(), case.weights)
