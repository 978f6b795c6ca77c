"""Scores by sign bits: equal to their definition to the bit, and near the exact ones.

COLIBRI_KERNEL says who answers: NumPy here; test_kernels.py runs this file again for every kernel.
"""

import os
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from colibri.errors import InputError, InputTypeError, ShapeError
from colibri.scoring import Screen, Signs, bits, engine, lookup, maxsim, row_bytes, screened, sign_rows
from colibri.vectors import Kind, TokenVectors
from scoring_cases import Ragged, picked, ragged, stored

kinds = st.sampled_from(["int8", "int4"])


def signs_of(vectors: TokenVectors) -> list[tuple[list[bool], int]]:
    """Each row's signs (whether below 0) and factor, in plain loops, as `bits` defines."""
    wide = vectors.quantize("int8")
    scales = np.ones(len(wide.rows), np.float32) if wide.scales is None else wide.scales
    found = []
    for row, scale in zip(wide.rows.tolist(), scales.tolist(), strict=True):
        size, square = sum(abs(value) for value in row), sum(value * value for value in row)
        factor = min(255, int(np.rint(128 * np.sqrt(len(row)) * scale * square / max(size, 1))))
        found.append(([value < 0 for value in row], factor))
    return found


def scores_of(
    query: Sequence[Sequence[float]], vectors: TokenVectors, weights: Sequence[np.float32] | None
) -> list[np.float32]:
    """The score by bits to the bit, in plain loops, as `bits` defines."""
    signs, dim = signs_of(vectors), vectors.dim
    rows = [reference.quantised(row) for row in query]
    scores = []
    for begin, end in zip(vectors.starts[:-1], vectors.starts[1:], strict=True):
        parts = []
        for i, (integers, scale) in enumerate(rows):
            whole = sum(abs(value) for value in integers)
            costs = [min(255, (510 * abs(value) + whole // 2) // whole) if whole else 0 for value in integers]
            best = 0
            for negative, factor in signs[begin:end]:
                pairs = zip(costs, integers, negative, strict=True)
                loss = sum(cost for cost, value, below in pairs if below is not (value < 0))
                best = max(best, (255 - min(255, loss)) * factor)
            unit = np.float32(float(scale) * whole / (255 * 128 * np.sqrt(dim)))
            parts.append(np.float32(best) * (unit if weights is None else unit * np.float32(weights[i])))
        lines = [[*parts[i : i + 16], *[np.float32(0)] * 16][:16] for i in range(0, max(1, len(parts)), 16)]
        total = lines[0]
        for line in lines[1:]:
            total = [x + y for x, y in zip(total, line, strict=True)]
        while len(total) > 1:
            half = len(total) // 2
            total = [total[i] + total[half + i] for i in range(half)]
        scores.append(total[0])
    return scores


def test_who_answers_is_who_was_asked() -> None:
    case = Ragged(3, [2, 1], 4)
    screened(case.query, Signs.of(case.packed))
    kernel = engine.kernel("bits", 0)
    assert (kernel.kernel if kernel else "numpy") == os.environ["COLIBRI_KERNEL"].removeprefix("numba:")


@given(case=ragged, kind=kinds)
def test_a_row_of_bits_is_its_signs_and_its_factor(case: Ragged, kind: Kind) -> None:
    docs = stored(case.packed, kind)
    made = sign_rows(docs)
    assert made.dtype == np.uint8
    assert made.shape == (len(docs.rows), row_bytes(docs.dim))
    for row, (negative, factor) in zip(made.tolist(), signs_of(docs), strict=True):
        bits = [row[j // 8] >> j % 8 & 1 for j in range(8 * (len(row) - 1))]
        assert bits == negative + [0] * (len(bits) - len(negative))
        assert row[-1] == factor


@pytest.mark.parametrize("dim", [1_023, 1_024, 1_025, 3_000])
def test_factors_of_wide_rows_are_exact(dim: int) -> None:
    rng = np.random.default_rng(dim)
    rows = rng.integers(-128, 128, (6, dim)).astype(np.int8)
    rows[0], rows[1], rows[2] = -128, 127, 0
    scales = (rng.random(6) / np.sqrt(dim) / 64).astype(np.float32)
    docs = TokenVectors(rows, np.array([0, 6]), scales=scales)
    assert sign_rows(docs)[:, -1].tolist() == [factor for _, factor in signs_of(docs)]


@given(case=ragged, kind=kinds, weighted=st.booleans())
def test_scores_equal_their_definition_to_the_bit(case: Ragged, kind: Kind, weighted: bool) -> None:
    docs = stored(case.packed, kind)
    weights = case.weights if weighted else None
    found = screened(case.query, Signs.of(docs), weights)
    assert found.dtype == np.float32
    wanted = scores_of(case.query.tolist(), docs, None if weights is None else list(weights))
    assert found.tolist() == [float(score) for score in wanted]


@given(case=ragged, kind=kinds, cut=st.integers(0, 12))
def test_appending_documents_appends_rows(case: Ragged, kind: Kind, cut: int) -> None:
    docs = stored(case.packed, kind)
    parts = [part for part in np.split(np.arange(len(docs)), [min(cut, len(docs))]) if part.size]
    apart = [sign_rows(picked(docs, part)) for part in parts]
    assert np.concatenate(apart).tobytes() == sign_rows(docs).tobytes()


@given(case=ragged, data=st.data(), weighted=st.booleans())
def test_a_subset_is_scored_as_the_whole(case: Ragged, data: st.DataObject, weighted: bool) -> None:
    signs = Signs.of(case.packed)
    ids = data.draw(st.lists(st.integers(0, len(signs) - 1), max_size=15))
    weights = case.weights if weighted else None
    found = screened(case.query, signs, weights, ids)
    assert found.dtype == np.float32
    assert found.tolist() == screened(case.query, signs, weights)[ids].tolist()


@given(data=st.data(), dim=st.integers(4, 32).map(lambda n: 8 * n), tokens=st.integers(1, 70))
def test_equal_documents_score_equal_bits_wherever_they_lie(data: st.DataObject, dim: int, tokens: int) -> None:
    others = data.draw(st.lists(st.integers(1, 70), max_size=6))
    case = Ragged(tokens, [data.draw(st.integers(1, 12)), *others], dim, data.draw(st.integers(0, 1000)))
    docs = picked(case.packed, [0, *(i for other in range(len(others)) for i in (other + 1, 0))])
    found = screened(case.query, Signs.of(docs), case.weights)
    assert len(set(found[::2].tolist())) == 1


@pytest.mark.parametrize("dim", [1, 8, 32, 63, 64, 65, 96, 128, 136, 192, 256, 300])
@pytest.mark.parametrize("query_tokens", [1, 16, 17, 32, 33, 48, 49, 100])
def test_rows_of_any_width_and_queries_of_any_length_are_scored(query_tokens: int, dim: int) -> None:
    case = Ragged(query_tokens, [1, 2, 7, 40, 3], dim)
    signs = Signs.of(case.packed)
    wanted = bits.meant(bits.asked(case.query, case.weights), signs.rows, signs.starts)
    assert screened(case.query, signs, case.weights).tobytes() == wanted.tobytes()


@given(data=st.data(), dim=st.sampled_from([64, 96, 128]), tokens=st.integers(1, 14), some=st.booleans())
def test_few_query_tokens_are_scored_whatever_documents_end_where(
    data: st.DataObject, dim: int, tokens: int, some: bool
) -> None:
    """Rows are turned by chunks of 128 and wait for their documents' ends by 512."""
    long = st.sampled_from([15, 16, 17, 31, 127, 128, 129, 511, 512, 513, 1_100])
    lengths = data.draw(st.lists(st.one_of(st.integers(1, 70), long), min_size=1, max_size=20))
    case = Ragged(tokens, lengths * data.draw(st.sampled_from([1, 1, 1, 40])), dim, data.draw(st.integers(0, 1000)))
    signs = Signs.of(case.packed)
    wanted = bits.meant(bits.asked(case.query, case.weights), signs.rows, signs.starts)
    ids = np.array(data.draw(st.lists(st.integers(0, len(signs) - 1), max_size=400)), np.int64) if some else None
    found = screened(case.query, signs, case.weights, ids)
    assert found.tobytes() == (wanted if ids is None else wanted[ids]).tobytes()


@pytest.mark.parametrize("size", [4, 6])
@pytest.mark.parametrize("dim", [1, 6, 64, 96])
def test_a_turned_table_is_what_every_combination_of_signs_costs(dim: int, size: int) -> None:
    query = bits.asked(np.random.default_rng(dim).standard_normal((3, dim)).astype(np.float32) ** 3, None)
    table = lookup.turned_table(query.costs, query.negative, size)
    assert table.dtype == np.uint8
    assert table.shape == (3, -(-dim // size), 1 << size)
    for token, groups in enumerate(table.tolist()):
        for group, entries in enumerate(groups):
            for number, cost in enumerate(entries):
                loss = 0
                for bit in range(size):
                    j = group * size + bit
                    if j < dim and bool(number >> bit & 1) != bool(query.negative[token, j]):
                        loss += int(query.costs[token, j])
                assert cost == min(255, loss)


def test_rows_are_turned_for_few_query_tokens() -> None:
    kernel = engine.kernel("bits", 0)
    if kernel is None:
        assert os.environ["COLIBRI_KERNEL"] == "numpy"
        return
    most = {0: 0, 4: 10, 6: 12}[kernel.turned]
    assert (kernel.turned > 0) == (kernel.kernel in {"amx", "avx512-vnni", "avx-vnni", "avx2"})
    for dim, turning in ((64, True), (72, False), (96, True), (128, True)):
        for tokens in (1, 10, 12, 13, 17, 33, 42, 44, 45):
            query = bits.asked(np.ones((tokens, dim), np.float32), None)
            left = max(0, tokens - 32 * ((tokens + 15) // 32))
            wanted = left if turning and left <= most else 0
            packed = lookup.pack(kernel, query)
            assert (packed.turned, packed.narrows) == (wanted, int(left > wanted)), (dim, tokens)


def test_more_documents_than_are_scored_in_one_go() -> None:
    case = Ragged(40, [1, 2, 3] * 300, 64)
    signs = Signs.of(case.packed)
    wanted = bits.meant(bits.asked(case.query, None), signs.rows, signs.starts)
    for threads in (1, 2, 7, None):
        assert screened(case.query, signs, threads=threads).tobytes() == wanted.tobytes()


def test_threads_never_matter() -> None:
    case = Ragged(33, [1, 400, 7, 90] * 150, 64)  # 1.6 million look-ups: worth three pieces
    signs, some = Signs.of(case.packed), np.arange(600)[::-1]
    alone = screened(case.query, signs, threads=1)
    for threads in (2, 3, 7, None):
        assert screened(case.query, signs, threads=threads).tobytes() == alone.tobytes()
        assert screened(case.query, signs, ids=some, threads=threads).tobytes() == alone[some].tobytes()


@given(data=st.data(), dim=st.sampled_from([1, 9, 64, 100, 128]), tokens=st.integers(1, 40))
def test_costs_that_are_full_stop_at_the_end(data: st.DataObject, dim: int, tokens: int) -> None:
    """Query rows of one large value, of equal ones and of none; rows of bits of any kind, with any factor."""
    seed = data.draw(st.integers(0, 999))
    rng = np.random.default_rng(seed)
    query = rng.standard_normal((tokens, dim)).astype(np.float32)
    query[::3] = rng.integers(-1, 2, query[::3].shape)
    query[::4, 0] *= 1000
    query[::5] = 0
    rows = rng.integers(0, 256, (50, row_bytes(dim))).astype(np.uint8)
    rows[:, -2] &= (1 << ((dim - 1) % 8 + 1)) - 1
    signs = Signs(rows, np.array([0, 1, 30, 50]), dim)
    wanted = bits.meant(bits.asked(query, None), signs.rows, signs.starts)
    assert screened(query, signs).tobytes() == wanted.tobytes()


def test_scores_are_about_the_exact_ones() -> None:
    """A document that holds the query itself is the best, and its score within a fifth of the exact one."""
    case = Ragged(12, [30] * 200, 64)
    case.packed.rows[300:312] = case.query
    exact, found = maxsim(case.query, case.packed), screened(case.query, Signs.of(case.packed))
    assert found.argmax() == exact.argmax() == 10
    assert abs(found[10] / exact[10] - 1) < 0.4
    assert np.corrcoef(exact, found)[0, 1] > 0.7


def test_a_factor_is_that_of_a_row_as_long_as_the_row() -> None:
    """128 for a unit row of equal values, more for others, as much as a byte holds for a single one; 0 for zeros."""
    rows = np.full((4, 16), 100, np.int8)
    rows[1, :8], rows[2, 1:] = 0, 0
    docs = TokenVectors(rows, np.array([0, 4]), scales=np.array([1 / 400, 1 / 283, 1 / 100, 0], np.float32))
    assert sign_rows(docs)[:, -1].tolist() == [128, 181, 255, 0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -1])
def test_scales_that_are_no_lengths_are_refused(value: float) -> None:
    docs = Ragged(1, [2, 3], 8).packed.quantize()
    assert docs.scales is not None
    docs.scales[3] = value
    with pytest.raises(InputError, match=r"scales: token 3 has .*, wanted a finite number from 0"):
        sign_rows(docs)


def test_rows_that_are_not_finite_are_refused() -> None:
    docs = Ragged(1, [2, 3], 8).packed
    docs.rows[4, 0] = np.nan
    with pytest.raises(InputError, match="token 4 is not finite"):
        sign_rows(docs)


def test_bits_that_do_not_fit_together_are_refused() -> None:
    rows, starts = np.zeros((3, 9), np.uint8), np.array([0, 1, 3])
    for dim in (64, 57):
        assert len(Signs(rows, starts, dim)) == 2
    with pytest.raises(ShapeError, match=r"rows are \(3, 9\), wanted \(tokens, 10\)"):
        Signs(rows, starts, 72)
    with pytest.raises(ShapeError, match="starts go from 0 to 3"):
        Signs(rows, np.array([0, 2]), 64)
    with pytest.raises(ShapeError, match="document 1 has no rows"):
        Signs(rows, np.array([0, 1, 1, 3]), 64)
    with pytest.raises(InputTypeError, match="int8 rows, int64 starts"):
        Signs(rows.view(np.int8), starts, 64)


def test_what_is_asked_is_checked_as_for_exact_scores() -> None:
    case = Ragged(3, [2, 5, 1], 8)
    signs = Signs.of(case.packed)
    with pytest.raises(ShapeError, match=r"query is \(3, 7\), documents have dim 8"):
        screened(case.query[:, :7], signs)
    with pytest.raises(InputError, match="query token 1 is not finite"):
        screened(np.where(np.arange(3)[:, None] == 1, np.inf, case.query), signs)
    with pytest.raises(ShapeError, match=r"weights are \(2,\), the query has 3 tokens"):
        screened(case.query, signs, np.ones(2))
    with pytest.raises(InputError, match="found 3, there are documents 0 to 2"):
        screened(case.query, signs, ids=[3])
    with pytest.raises(InputError, match="threads: found 0"):
        screened(case.query, signs, threads=0)


def test_a_query_is_made_ready_once_for_many_collections() -> None:
    case = Ragged(5, [3, 40, 1], 64)
    collections = [Signs.of(Ragged(seed, [2, 9, 30], 64).packed) for seed in range(3)] + [Signs.of(case.packed)]
    screen = Screen(case.query, 64, case.weights)
    tables = []
    for signs in collections:
        assert screen.scores(signs).tobytes() == screened(case.query, signs, case.weights).tobytes()
        tables.append(screen._tables)
    assert all(one is tables[0] for one in tables)
    assert (tables[0] is None) == (os.environ["COLIBRI_KERNEL"] == "numpy")
    with pytest.raises(ShapeError, match="bits of 8 dims, the query has 64"):
        screen.scores(Signs.of(Ragged(3, [2], 8).packed))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_several_collections_score_what_each_does_alone(threads: int) -> None:
    lengths = [[40] * 600, [7], [1, 80, 33] * 300, [40] * 700]  # enough for pieces of several of them at once
    collections = [Signs.of(Ragged(seed, own, 64).packed) for seed, own in enumerate(lengths)]
    ids = [None, np.array([0, 0]), np.array([899, 3, 2]), np.arange(10, 690)]
    case = Ragged(9, [1], 64)
    screen = Screen(case.query, 64, case.weights)
    found = screen.all_scores(list(zip(collections, ids, strict=True)), threads=threads)
    for own, signs, some in zip(found, collections, ids, strict=True):
        assert own.tobytes() == screened(case.query, signs, case.weights, some, threads=1).tobytes()
    assert screen.all_scores([], threads=threads) == []
    with pytest.raises(ShapeError, match="bits of 8 dims"):
        screen.all_scores([(collections[0], None), (Signs.of(Ragged(3, [2], 8).packed), None)], threads=threads)
    with pytest.raises(InputError, match="found 7, there are documents 0 to 0"):
        screen.all_scores([(collections[0], None), (collections[1], [7])], threads=threads)


def test_nothing_gives_nothing() -> None:
    case = Ragged(3, [2, 5, 1], 8)
    nothing = TokenVectors(np.zeros((0, 8), np.float32), np.zeros(1, np.int64))
    assert sign_rows(nothing).shape == (0, 2)
    assert screened(case.query, Signs.of(nothing)).shape == (0,)
    assert screened(case.query, Signs.of(case.packed), ids=[]).shape == (0,)
    assert screened(case.query[:0], Signs.of(case.packed)).tolist() == [0, 0, 0]
