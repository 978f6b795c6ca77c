"""Pooled rows: fewer, of those that are most alike, and answering for the same characters."""

from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from colibri.errors import InputError, ShapeError
from colibri.pooling import clusters, merged_rows, merged_spans
from colibri.vectors import TokenVectors

Floats = NDArray[np.float32]


def documents(lengths: list[int], dim: int = 8, seed: int = 0) -> TokenVectors:
    """Unit rows about a few directions; a text of at least three begins and ends with a marker."""
    rng = np.random.default_rng([seed, dim, *lengths])
    rows, spans = [], []
    for length in lengths:
        about = rng.normal(size=(1 + length // 3, dim))
        own = about[rng.integers(len(about), size=length)] + 0.3 * rng.normal(size=(length, dim))
        rows.append(own / np.linalg.norm(own, axis=1, keepdims=True))
        text = np.array([[4 * i, 4 * i + 3] for i in range(length)], np.int32).reshape(length, 2)
        text[[0, -1] if length > 2 else []] = 0
        spans.append(text)
    starts = np.cumsum([0, *lengths], dtype=np.int64)
    packed = np.concatenate([*rows, np.empty((0, dim))]).astype(np.float32)
    return TokenVectors(packed, starts, np.concatenate([*spans, np.empty((0, 2), np.int32)]), space_id="x")


def plain_clusters(rows: Floats, free: list[bool], pool: int) -> list[list[int]]:
    """The definition for one text: every two clusters priced anew at each step, by what they are off their means."""
    found = [[i] for i in range(len(rows))]
    wanted = -(-sum(free) // pool) + len(free) - sum(free)

    def spread(cluster: list[int]) -> float:
        own = rows[cluster].astype(np.float64)
        return float(((own - own.mean(axis=0)) ** 2).sum())

    while len(found) > wanted:
        pairs = [(a, b) for a, b in combinations(found, 2) if all(free[i] for i in a + b)]
        one, other = min(pairs, key=lambda pair: spread(pair[0] + pair[1]) - spread(pair[0]) - spread(pair[1]))
        found = [cluster for cluster in found if cluster not in (one, other)] + [one + other]
    return sorted(sorted(cluster) for cluster in found)


@given(lengths=st.lists(st.integers(0, 12), min_size=1, max_size=3), pool=st.integers(1, 5), seed=st.integers(0, 10**6))
def test_clusters_are_those_of_the_definition(lengths: list[int], pool: int, seed: int) -> None:
    docs = documents(lengths, seed=seed)
    free = np.random.default_rng(seed).random(len(docs.rows)) < 0.8
    wanted = np.empty(len(docs.rows), np.int64)
    for first, last in pairwise(docs.starts.tolist()):
        for cluster in plain_clusters(docs.rows[first:last], free[first:last].tolist(), pool):
            wanted[[first + i for i in cluster]] = first + cluster[0]
    assert clusters(docs.rows, free, docs.starts, pool).tolist() == wanted.tolist()


@given(labels=st.lists(st.integers(0, 5), max_size=20), dim=st.integers(1, 5))
def test_a_merged_row_is_the_mean_of_its_cluster(labels: list[int], dim: int) -> None:
    firsts = np.array([labels.index(label) for label in labels], np.int64)
    rows = np.random.default_rng(len(labels)).normal(size=(len(labels), dim)).astype(np.float32)
    found = merged_rows(rows, firsts)
    for row, first in zip(found, sorted(set(firsts.tolist())), strict=True):
        own = rows[firsts == first].astype(np.float64)
        mean, length = own.mean(axis=0), np.linalg.norm(own, axis=1).mean()
        assert np.allclose(row, mean / np.linalg.norm(mean) * length, rtol=1e-5, atol=1e-6)
        assert len(own) > 1 or np.array_equal(row, own[0])


@given(lengths=st.lists(st.integers(0, 30), min_size=1, max_size=5), pool=st.integers(2, 4))
def test_a_pool_leaves_its_share_of_rows_of_unit_length(lengths: list[int], pool: int) -> None:
    docs = documents(lengths)
    found = docs.pooled(pool)
    assert docs.spans is not None
    for i, length in enumerate(lengths):
        text = int((docs.spans[docs.starts[i] : docs.starts[i + 1], 1] > 0).sum())
        assert len(found[i]) == length - text + -(-text // pool)
    assert np.allclose(np.linalg.norm(found.rows, axis=1), 1, atol=1e-6)
    assert (found.space_id, len(found)) == ("x", len(docs))


@given(lengths=st.lists(st.integers(1, 16), min_size=1, max_size=3), pool=st.integers(2, 4), seed=st.integers(0, 99))
def test_every_token_has_its_characters_at_its_row(lengths: list[int], pool: int, seed: int) -> None:
    docs = documents(lengths, seed=seed)
    found = docs.pooled(pool)
    assert docs.spans is not None
    assert found.spans is not None
    assert found.more_spans is not None
    firsts = clusters(docs.rows, docs.spans[:, 1] > 0, docs.starts, pool)
    characters: list[set[int]] = [set(range(*span)) for span in found.spans.tolist()]
    for row, start, end in found.more_spans.tolist():
        assert start > found.spans[row, 0]
        characters[row] |= set(range(start, end))
    for row, first in enumerate(np.unique(firsts).tolist()):
        own = [set(range(*docs.spans[i].tolist())) for i in np.flatnonzero(firsts == first)]
        assert characters[row] >= set.union(*own)
        text = int(np.searchsorted(docs.starts, first, side="right")) - 1
        beside = [i for i in range(docs.starts[text], docs.starts[text + 1]) if firsts[i] != first]
        assert not any(characters[row] & set(range(*docs.spans[i].tolist())) for i in beside)


def test_rows_that_stand_for_no_text_stay_as_they_are() -> None:
    docs = documents([9])
    found = docs.pooled(8)
    assert len(found.rows) == 3
    assert np.array_equal(found.rows[[0, 2]], docs.rows[[0, 8]])
    assert found.spans is not None
    assert found.spans.tolist() == [[0, 0], [4, 31], [0, 0]]


def test_tokens_that_follow_each_other_are_one_span_and_others_are_told_beside() -> None:
    rows = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [0, 1], [0, 1]], np.float32)
    spans = np.array([[0, 2], [3, 5], [6, 8], [9, 11], [12, 14], [14, 16]], np.int32)
    found = TokenVectors(rows, np.array([0, 6], np.int64), spans).pooled(3)
    assert found.rows.tolist() == [[1, 0], [0, 1]]
    assert found.spans is not None
    assert found.spans.tolist() == [[0, 5], [6, 8]]
    assert found.more_spans is not None
    assert found.more_spans.tolist() == [[0, 9, 11], [1, 12, 16]]


@given(labels=st.lists(st.integers(0, 2), min_size=1, max_size=10), pool=st.integers(1, 4), far=st.integers(1, 1_000))
def test_rows_that_are_the_same_go_first(labels: list[int], pool: int, far: int) -> None:
    rows = np.array([[far * label, 1] for label in labels], np.float32)
    found = clusters(rows, np.ones(len(rows), np.bool_), np.array([0, len(rows)], np.int64), pool)
    wanted = -(-len(rows) // pool)
    assert len(set(found.tolist())) == wanted
    if wanted >= len(set(labels)):
        assert all(labels[i] == labels[first] for i, first in enumerate(found.tolist()))


def test_many_rows_that_are_the_same_take_no_rounds() -> None:
    rows = np.ones((1_024, 64), np.float32)
    found = clusters(rows, np.ones(1_024, np.bool_), np.array([0, 1_024], np.int64), 2)
    assert len(set(found.tolist())) == 512


def test_a_very_long_text_is_pooled_in_parts() -> None:
    docs = documents([1_100], dim=4)
    assert docs.spans is not None
    firsts = clusters(docs.rows, docs.spans[:, 1] > 0, docs.starts, 2)
    assert len(np.unique(firsts)) == 2 + 512 + 37
    assert set(np.flatnonzero(firsts <= 1_024).tolist()) == set(range(1_025))
    first = clusters(docs.rows[1:1_025], np.ones(1_024, np.bool_), np.array([0, 1_024], np.int64), 2)
    assert firsts[1:1_025].tolist() == (first + 1).tolist()


def test_without_spans_the_first_row_stays() -> None:
    docs = replace(documents([5, 0, 1]), spans=None)
    found = docs.pooled(4)
    assert found.starts.tolist() == [0, 2, 2, 3]
    assert np.array_equal(found.rows[[0, 2]], docs.rows[[0, 5]])


def test_those_that_are_most_alike_go_first() -> None:
    rows = np.array([[1, 0], [0, 1], [-1, 0], [0.1, 0.995]], np.float32)
    everything = np.ones(4, np.bool_)
    # 1 and 3 at .005; then these two with 0 at 1.3, with 2 at 1.4, and 0 with 2 at 2.
    assert clusters(rows, everything, np.array([0, 4], np.int64), 2).tolist() == [0, 0, 2, 0]
    assert clusters(rows, everything, np.array([0, 2, 4], np.int64), 2).tolist() == [0, 0, 2, 2]


def test_a_batch_changes_nothing() -> None:
    docs = documents([7, 12, 3])
    whole = docs.pooled(2)
    for i in range(3):
        assert np.array_equal(documents_alone(docs, i).pooled(2).rows, whole[i])


def documents_alone(docs: TokenVectors, i: int) -> TokenVectors:
    own = slice(docs.starts[i], docs.starts[i + 1])
    assert docs.spans is not None
    return TokenVectors(docs.rows[own], np.array([0, own.stop - own.start], np.int64), docs.spans[own])


def test_one_row_a_token_is_the_same_object() -> None:
    docs = documents([4])
    assert docs.pooled(1) is docs
    empty = documents([0, 0])
    assert empty.pooled(2) is empty


@pytest.mark.parametrize("kind", ["int8", "int4", "float16"])
def test_rows_stay_of_their_kind(kind: Any) -> None:
    docs = documents([10, 6])
    given = replace(docs, rows=docs.rows.astype(np.float16)) if kind == "float16" else docs.quantize(kind)
    found = given.pooled(2)
    assert found.kind == kind
    assert len(found.rows) == 2 * len(docs) + 4 + 2
    if kind == "float16":
        assert np.array_equal(found.rows, given.dequantize().pooled(2).rows.astype(np.float16))
    else:
        assert np.array_equal(found.rows, given.dequantize().pooled(2).quantize(kind).rows)


def test_rows_that_cancel_each_other_out_give_the_first() -> None:
    rows = np.array([[1, 0], [-1, 0]], np.float32)
    assert merged_rows(rows, np.array([0, 0], np.int64)).tolist() == [[1, 0]]


def test_rows_that_are_not_of_unit_length_keep_theirs_on_average() -> None:
    rows = np.array([[3, 0], [0, 1], [0, 0], [0, 0]], np.float32)
    found = merged_rows(rows, np.array([0, 0, 2, 2], np.int64))
    assert np.linalg.norm(found[0]) == pytest.approx(2)
    assert found[1].tolist() == [0, 0]


def test_nothing_is_merged_of_nothing() -> None:
    none = np.empty(0, np.int64)
    assert merged_rows(np.empty((0, 3), np.float32), none).shape == (0, 3)
    spans, more = merged_spans(np.empty((0, 2), np.int32), none)
    assert (spans.shape, more.shape) == ((0, 2), (0, 3))


@pytest.mark.parametrize("pool", [0, -1, True, 1.5, "2", None])
def test_a_pool_is_a_whole_number(pool: Any) -> None:
    with pytest.raises(InputError, match="wanted a whole number from 1"):
        documents([3]).pooled(pool)


def test_what_was_pooled_is_not_pooled_again() -> None:
    found = documents([9]).pooled(2)
    assert found.pooled(1) is found
    with pytest.raises(InputError, match="pooled already"):
        found.pooled(2)


def test_further_spans_are_saved(tmp_path: Path) -> None:
    found = documents([20, 9]).pooled(3)
    found.save(tmp_path / "pooled.safetensors")
    for mmap in (False, True):
        again = TokenVectors.load(tmp_path / "pooled.safetensors", mmap=mmap)
        assert found.more_spans is not None
        assert again.more_spans is not None
        assert len(found.more_spans)
        assert again.more_spans.tolist() == found.more_spans.tolist()


@pytest.mark.parametrize("more", [[[2, 0, 1]], [[-1, 0, 1]], [[1, 0, 1], [0, 0, 1]], [[0, 1]]])
def test_further_spans_belong_to_rows_in_order(more: list[list[int]]) -> None:
    docs = documents([2])
    with pytest.raises(ShapeError, match="more_spans"):
        replace(docs, more_spans=np.array(more, np.int32))
    with pytest.raises(ShapeError, match="more_spans: wanted spans"):
        replace(docs, spans=None, more_spans=np.empty((0, 3), np.int32))


def test_a_query_is_not_pooled() -> None:
    query = replace(documents([3]), weights=np.ones(3, np.float32))
    with pytest.raises(InputError, match="rows with weights are a query's"):
        query.pooled(2)


def test_rows_that_are_not_finite_are_refused_by_name() -> None:
    docs = documents([3])
    docs.rows[1, 2] = np.nan
    with pytest.raises(InputError, match="token 1 is not finite"):
        docs.pooled(2)
