"""MaxSim: equal to its definition, and indifferent to everything but query and document.

COLIBRI_KERNEL says who answers: NumPy here; test_kernels.py runs this file again for every kernel.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from colibri.errors import InputError, ShapeError
from colibri.scoring import (
    best_tokens,
    best_tokens_picked,
    engine,
    maxsim,
    maxsim_batch,
    maxsim_picked,
    maxsim_subset,
    meaning,
    top_k,
)
from colibri.scoring.collection import collection
from colibri.scoring.names import INTEGERS
from colibri.vectors import Kind, TokenVectors
from scoring_cases import KINDS, Ragged, Rows, kinds, lengths, picked, ragged, stored

TOKENS_AT_ONCE = meaning.SIMILARITIES_AT_ONCE // 3  # of a query of three tokens


@pytest.mark.parametrize("kind", KINDS)
def test_who_answers_is_who_was_asked(kind: Kind) -> None:
    case = Ragged(3, [2, 1], 4)
    maxsim(case.query, stored(case.packed, kind))
    kernel = engine.kernel(kind, 0)
    assert (kernel.kernel if kernel else "numpy") == os.environ["COLIBRI_KERNEL"].removeprefix("numba:")


@given(case=ragged, weighted=st.booleans(), half=st.booleans())
def test_equals_the_definition(case: Ragged, weighted: bool, half: bool) -> None:
    docs = stored(case.packed, "float16") if half else case.packed
    scores = maxsim(case.query, docs, case.weights if weighted else None)
    assert scores.dtype == np.float32
    wanted = reference.maxsim(case.query, docs, case.weights.tolist() if weighted else None)
    np.testing.assert_allclose(scores, wanted, rtol=0, atol=case.tolerance())


@given(case=ragged, weighted=st.booleans(), kind=st.sampled_from(INTEGERS))
def test_integers_equal_their_definition_to_the_bit(case: Ragged, weighted: bool, kind: Kind) -> None:
    docs = stored(case.packed, kind)
    wide = docs.quantize("int8")  # of int4 the same integers and scales, which tests/test_vectors.py holds to their own
    scales = np.split(np.asarray(wide.scales), wide.starts[1:-1])
    documents = [
        [([int(n) for n in row], scale) for row, scale in zip(rows, own, strict=True)]
        for rows, own in zip(wide, scales, strict=True)
    ]
    weights = list(case.weights) if weighted else None
    scores = maxsim(case.query, docs, case.weights if weighted else None)
    assert scores.tolist() == [float(score) for score in reference.int8_maxsim(case.query, documents, weights)]


def test_int8_rows_without_scales_are_the_numbers_they_hold() -> None:
    case = Ragged(3, [4, 2], 8)
    bare = TokenVectors(case.packed.quantize().rows, case.packed.starts)
    documents = [[(row.tolist(), np.float32(1)) for row in document] for document in bare]
    assert maxsim(case.query, bare).tolist() == [float(s) for s in reference.int8_maxsim(case.query, documents)]


@given(case=ragged, kind=kinds, seed=st.integers(0, 999))
def test_permuting_documents_permutes_scores(case: Ragged, kind: Kind, seed: int) -> None:
    docs = stored(case.packed, kind)
    order = np.random.default_rng(seed).permutation(len(docs))
    np.testing.assert_array_equal(maxsim(case.query, picked(docs, order)), maxsim(case.query, docs)[order])


@given(case=ragged, kind=kinds, cut=st.integers(0, 12))
def test_splitting_the_documents_changes_no_bit(case: Ragged, kind: Kind, cut: int) -> None:
    docs = stored(case.packed, kind)
    parts = [part for part in np.split(np.arange(len(docs)), [min(cut, len(docs))]) if part.size]
    apart = np.concatenate([maxsim(case.query, picked(docs, part)) for part in parts])
    np.testing.assert_array_equal(apart, maxsim(case.query, docs))


@given(data=st.data(), dim=st.sampled_from([16, 48, 64, 96, 128]), tokens=st.integers(1, 40), kind=kinds)
def test_equal_documents_score_equal_bits_wherever_they_lie(
    data: st.DataObject, dim: int, tokens: int, kind: Kind
) -> None:
    others = data.draw(st.lists(st.integers(1, 70), max_size=8))
    case = Ragged(tokens, [data.draw(st.integers(1, 12)), *others], dim, data.draw(st.integers(0, 1000)))
    docs = picked(stored(case.packed, kind), [0, *(i for other in range(len(others)) for i in (other + 1, 0))])
    for found in (maxsim(case.query, docs, weights) for weights in (None, case.weights)):
        assert len(set(found[::2].tolist())) == 1


@given(case=ragged, kind=kinds, k=st.integers(1, 15), weighted=st.booleans())
def test_top_k_is_the_start_of_a_stable_sort(case: Ragged, kind: Kind, k: int, weighted: bool) -> None:
    docs = picked(stored(case.packed, kind), [*range(len(case.packed))] * 3)  # so that there are ties
    weights = case.weights if weighted else None
    scores = maxsim(case.query, docs, weights)
    wanted = np.argsort(-scores, kind="stable")[:k]
    found = top_k(case.query, docs, k, weights)
    assert found.ids.tolist() == wanted.tolist()
    assert found.scores.tolist() == scores[wanted].tolist()
    assert [str(found.ids.dtype), str(found.scores.dtype)] == ["int64", "float32"]


UNUSUAL: dict[str, Callable[[Rows], Rows | None]] = {
    "below zero": lambda scales: np.where(np.arange(len(scales)) % 3, scales, -scales),
    "zero": lambda scales: scales * 0,
    "near underflow": lambda scales: scales * np.float32(2.0**-130),
    "near overflow": lambda scales: scales * np.float32(2.0**90),
    "none": lambda _: None,
    "usual": lambda scales: scales,
}


@pytest.mark.parametrize("dim", [2, 62, 64, 66, 128, 130, 192])
@pytest.mark.parametrize("nibble", [0, 15])
def test_int4_rows_of_the_largest_values_do_not_overflow(nibble: int, dim: int) -> None:
    """Sums of 16 bits are full at 64 dims of -8 x 127; the query's signs take all turns at their places."""
    signs = np.where(np.random.default_rng(dim).random((40, dim)) < 0.5, -1, 1).astype(np.float32)
    signs[:3] = [[1], [-1], [0]]
    rows = np.full((9, dim // 2), nibble * 17, np.uint8)
    rows[4:] = np.random.default_rng(nibble).integers(0, 256, (5, dim // 2))
    docs = TokenVectors(rows, np.array([0, 1, 4, 9]))
    assert [len(set(row.tolist())) for row in docs.dequantize().rows[:4]] == [1] * 4
    documents = [[(row.astype(int).tolist(), np.float32(1)) for row in document] for document in docs.dequantize()]
    assert maxsim(signs, docs).tolist() == [float(score) for score in reference.int8_maxsim(signs, documents)]


@pytest.mark.parametrize("scales", UNUSUAL)
@pytest.mark.parametrize("dim", [5, 64, 65, 128, 200, 513])
@pytest.mark.parametrize("kind", INTEGERS)
def test_scores_of_integers_are_the_same_bits_whatever_the_scales(kind: Kind, dim: int, scales: str) -> None:
    """Kernels treat ordinary scales and dims differently, and sums below zero; every similarity of some is there."""
    case = Ragged(40, [1, 2, 1, 30, 7, 16, 17, 1, 33], dim)
    case.packed.rows[:] = -np.abs(case.packed.rows)
    query = np.abs(case.query) * np.where(np.arange(40) % 4, 1, -1).astype(np.float32)[:, None]
    docs = stored(case.packed, kind)
    assert docs.scales is not None
    docs = TokenVectors(docs.rows, docs.starts, scales=UNUSUAL[scales](docs.scales))
    found = collection(docs)
    wanted = meaning.scores(meaning.prepare(query, None, integer=True), found.rows, found.scales, found.starts)
    np.testing.assert_array_equal(maxsim(query, docs), wanted)


@given(cases=st.lists(st.tuples(lengths, kinds), max_size=4), k=st.integers(1, 30), seed=st.integers(0, 99))
def test_top_k_of_several_collections_is_that_of_all_their_documents(
    cases: list[tuple[list[int], Kind]], k: int, seed: int
) -> None:
    query = Ragged(3, [1], 7, seed).query
    several = [stored(Ragged(1, counts, 7, seed + i).packed, kind) for i, (counts, kind) in enumerate(cases)]
    every = np.concatenate([np.zeros(0, np.float32), *(maxsim(query, docs) for docs in several)])
    found = top_k(query, several, k, threads=2)
    order = np.argsort(-every, kind="stable")[:k]
    np.testing.assert_array_equal(found.ids, order)
    np.testing.assert_array_equal(found.scores, every[order])


def test_collections_that_share_a_top_k_have_one_dim() -> None:
    several = [Ragged(1, [2], dim).packed for dim in (4, 5)]
    with pytest.raises(ShapeError, match="documents have dim 5"):
        top_k(Ragged(1, [1], 4).query, several, 1)


@given(case=ragged, kind=kinds, data=st.data(), weighted=st.booleans())
def test_a_subset_is_scored_as_the_whole(case: Ragged, kind: Kind, data: st.DataObject, weighted: bool) -> None:
    docs = stored(case.packed, kind)
    ids = data.draw(st.lists(st.integers(0, len(docs) - 1), max_size=15))
    weights = case.weights if weighted else None
    found = maxsim_subset(case.query, docs, ids, weights)
    assert found.dtype == np.float32
    assert found.tolist() == maxsim(case.query, docs, weights)[ids].tolist()


@given(case=ragged, data=st.data(), weighted=st.booleans(), cut=st.integers(1, 5), threads=st.sampled_from([1, 3]))
def test_some_of_several_collections_are_scored_as_each_alone(
    case: Ragged, data: st.DataObject, weighted: bool, cut: int, threads: int
) -> None:
    weights = case.weights if weighted else None
    some, wanted, best = [], [], []
    for kind in [*INTEGERS, INTEGERS[0]]:
        docs = stored(case.packed, kind)
        ids = data.draw(st.lists(st.integers(0, len(docs) - 1), max_size=15))[::cut]
        some.append((docs, np.array(ids, np.int64)))
        alike = TokenVectors(docs.rows, docs.starts, scales=docs.scales)  # nobody has looked at it
        wanted.append(maxsim_subset(case.query, alike, ids, weights).tolist())
        best += [best_tokens(case.query, alike, [place]) for place in ids]
    found = maxsim_picked(case.query, some, weights, threads=threads)
    assert [own.dtype == np.float32 for own in found] == [True] * len(some)
    assert [own.tolist() for own in found] == wanted
    single = [(docs, int(place)) for docs, places in some for place in places]
    if single:
        tokens, similarities = best_tokens_picked(case.query, single)
        assert tokens.tolist() == [one.tokens[0].tolist() for one in best]
        assert similarities.tolist() == [one.similarities[0].tolist() for one in best]


def test_documents_that_are_not_picked_are_not_looked_at() -> None:
    docs = stored(Ragged(3, [2, 1, 4], 8).packed, "int8")
    scales = np.array(docs.scales)
    scales[:2] = np.nan
    damaged = TokenVectors(docs.rows, docs.starts, scales=scales)
    query = Ragged(3, [1], 8).query
    (found,) = maxsim_picked(query, [(damaged, np.array([1, 2]))])
    assert found.tolist() == maxsim(query, docs)[1:].tolist()
    (whole,) = maxsim_picked(query, [(damaged, np.array([0]))])
    assert not np.isfinite(whole).any()
    with pytest.raises(InputError, match="scales of document 0"):
        maxsim_subset(query, damaged, [1])


@given(case=ragged, kind=kinds, more=st.lists(st.integers(0, 20), max_size=4), weighted=st.booleans())
def test_a_batch_scores_each_query_as_alone(case: Ragged, kind: Kind, more: list[int], weighted: bool) -> None:
    docs = stored(case.packed, kind)
    queries = Ragged(1, more, docs.dim, seed=1).packed
    if weighted:
        weights = np.linspace(0, 2, len(queries.rows), dtype=np.float32)
        queries = TokenVectors(queries.rows, queries.starts, weights=weights)
    found = maxsim_batch(queries, docs)
    assert (found.shape, str(found.dtype)) == ((len(more), len(docs)), "float32")
    for i, row in enumerate(found):
        own = slice(queries.starts[i], queries.starts[i + 1])
        alone = maxsim(queries[i], docs, None if queries.weights is None else queries.weights[own])
        assert row.tolist() == alone.tolist()


@given(case=ragged, kind=kinds, weighted=st.booleans())
def test_best_tokens_sum_to_the_score(case: Ragged, kind: Kind, weighted: bool) -> None:
    docs = stored(case.packed, kind)
    weights = case.weights if weighted else np.ones_like(case.weights)
    ids = [*range(len(docs))][::-1]
    tokens, similarities = best_tokens(case.query, docs, ids, weights)
    scores = maxsim(case.query, docs, weights)[ids]
    np.testing.assert_allclose(similarities @ weights, scores, rtol=0, atol=case.tolerance())
    for row, document in enumerate(ids):
        pairs = case.query @ docs.dequantize()[document].T
        named = pairs[np.arange(len(case.query)), tokens[row]]
        # Of integers half a step of the query and of the document, each way.
        slack = {"int8": 2 / 127, "int4": 1 / 127 + 1 / 7}.get(docs.kind, 1e-6)
        assert (named >= pairs.max(axis=1) - slack * np.sqrt(docs.dim)).all()
        np.testing.assert_allclose(similarities[row], named, rtol=0, atol=slack * np.sqrt(docs.dim))


@given(case=ragged, kind=st.sampled_from(INTEGERS))
def test_best_tokens_of_integers_sum_to_the_score_to_the_bit(case: Ragged, kind: Kind) -> None:
    docs = stored(case.packed, kind)
    found = best_tokens(case.query, docs, range(len(docs)))
    assert meaning.sum_in_order(found.similarities.T).tolist() == maxsim(case.query, docs).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_threads_never_matter(kind: Kind) -> None:
    case = Ragged(48, [1, 400, 7, 90] * 100, 96)  # 230 million multiply-adds: worth seven threads
    docs = stored(case.packed, kind)
    alone, best = maxsim(case.query, docs, threads=1), top_k(case.query, docs, 50, threads=1)
    pairs = TokenVectors(case.query, np.array([0, 16, 48]))
    for threads in (2, 3, 7, None):
        np.testing.assert_array_equal(maxsim(case.query, docs, threads=threads), alone)
        np.testing.assert_array_equal(top_k(case.query, docs, 50, threads=threads).ids, best.ids)
        subset = maxsim_subset(case.query, docs, np.arange(len(docs))[::-1], threads=threads)
        np.testing.assert_array_equal(subset[::-1], alone)
        if kind in INTEGERS:
            picked_ones = maxsim_picked(case.query, [(docs, np.arange(len(docs)))] * 2, threads=threads)
            np.testing.assert_array_equal(picked_ones, [alone, alone])
        np.testing.assert_array_equal(maxsim_batch(pairs, docs, threads=threads), maxsim_batch(pairs, docs, threads=1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("query_tokens", [1, 2, 15, 16, 17, 31, 32, 33, 48, 64, 100, 511, 512])
def test_queries_of_any_length_are_scored(query_tokens: int, kind: Kind) -> None:
    _compare(Ragged(query_tokens, [1, 2, 7, 8, 9, 130, 3], 64), kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [1, 2, 3, 5, 63, 64, 65, 96, 128, 130, 768, 1040, 1041, 2048])
def test_rows_of_any_width_are_scored(dim: int, kind: Kind) -> None:
    _compare(Ragged(18, [1, 2, 7, 8, 9, 130, 3], dim), kind)


def _compare(case: Ragged, kind: Kind) -> None:
    """Against the definition in float64, for sizes that plain loops are too slow for; integers against NumPy's bits."""
    docs = stored(case.packed, kind)
    found = maxsim(case.query, docs, case.weights)
    if docs.kind in INTEGERS:
        c = docs.rows, docs.scales, docs.starts
        assert found.tolist() == meaning.scores(meaning.prepare(case.query, case.weights, integer=True), *c).tolist()  # type: ignore[arg-type]
    else:
        pairs = case.query.astype(np.float64) @ docs.rows.T.astype(np.float64)
        wanted = case.weights @ np.maximum.reduceat(pairs, docs.starts[:-1], axis=1)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=case.tolerance())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "lengths",
    [
        [1],
        [1] * 100,
        [8192],
        [8192, 1, 8192],
        [TOKENS_AT_ONCE],
        [TOKENS_AT_ONCE - 1, 1, 1],
        [1, TOKENS_AT_ONCE + 1, 1],
        [TOKENS_AT_ONCE // 2] * 5,
        [1] * (TOKENS_AT_ONCE + 7),
        [300, 7, 1, 512] * 50,
    ],
    ids=lambda lengths: f"{len(lengths)} of {max(lengths)}",
)
def test_documents_of_any_length_and_number_are_scored(lengths: list[int], kind: Kind) -> None:
    _compare(Ragged(3, lengths, 4), kind)


def test_a_hand_computed_example() -> None:
    # Query rows e1, e2. First document: best 0.6 for e1, 0.8 for e2. Second: 1 for e1, -1 for e2, whose weight is 2.
    query = np.eye(2, dtype=np.float32)
    documents = TokenVectors.from_arrays([np.array([[0.6, 0.8], [-1, 0]]), np.array([[1, -1]], np.float64)])
    assert np.allclose(maxsim(query, documents), [1.4, 0])
    assert np.allclose(maxsim(query, documents, np.array([1, 2], np.float32)), [2.2, -1])
    assert best_tokens(query, documents, [0, 1]).tokens.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_mapped_file_scores_as_memory_does(kind: Kind, tmp_path: Path) -> None:
    case = Ragged(20, [5, 1, 60, 33], 64)
    docs = stored(case.packed, kind)
    docs.save(tmp_path / "docs.safetensors")
    mapped = TokenVectors.load(tmp_path / "docs.safetensors", mmap=True)
    assert not mapped.rows.flags.writeable
    assert maxsim(case.query, mapped).tolist() == maxsim(case.query, docs).tolist()
    assert maxsim_subset(case.query, mapped, [2, 0]).tolist() == maxsim(case.query, docs)[[2, 0]].tolist()


def test_rows_beyond_2_31_values_are_found(tmp_path: Path) -> None:
    """The file has a hole of 2 GB where the first document is, which nobody reads."""
    case = Ragged(20, [40, 9], 128)
    last = case.packed.quantize()
    hole = 2**31 // 128 + 5
    with (tmp_path / "rows").open("wb") as file:
        file.truncate(hole * 128)
        file.seek(hole * 128)
        file.write(last.rows.tobytes())
    rows = np.memmap(tmp_path / "rows", np.int8, "r", shape=(hole + 49, 128))
    docs = TokenVectors(rows, np.array([0, hole, hole + 40, hole + 49]))
    bare = TokenVectors(last.rows, last.starts)
    assert maxsim_subset(case.query, docs, [1, 2]).tolist() == maxsim(case.query, bare).tolist()
