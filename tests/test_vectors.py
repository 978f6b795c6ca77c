"""TokenVectors: rows packed end to end, and taken apart again."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import reference
from colibri.errors import InputError, ShapeError
from colibri.vectors import TokenVectors

DTYPES = ("float32", "float16", "int8")


def random_arrays(lengths: list[int], dim: int, dtype: str) -> list[NDArray[Any]]:
    rng = np.random.default_rng([*lengths, dim])
    return [(rng.uniform(-1, 1, (length, dim)) * (127 if dtype == "int8" else 1)).astype(dtype) for length in lengths]


def filled(dtype: str = "float32") -> TokenVectors:
    """Three texts of 2, 0 and 3 rows with every optional part; an odd number of bytes where rows are int8."""
    packed = TokenVectors.from_arrays(random_arrays([2, 0, 3], 7, dtype))
    spans = np.arange(10, dtype=np.int32).reshape(5, 2)
    return TokenVectors(packed.rows, packed.starts, spans, np.linspace(0, 1, 5, dtype=np.float32), "some-space")


ragged = st.tuples(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(1, 9), st.sampled_from(DTYPES))


@given(case=ragged)
def test_what_is_packed_can_be_taken_apart(case: tuple[list[int], int, str]) -> None:
    arrays = random_arrays(*case)
    vectors = TokenVectors.from_arrays(arrays)
    assert len(vectors) == len(arrays)
    assert vectors.dim == case[1]
    assert vectors.rows.dtype == case[2]
    assert vectors.starts.tolist() == np.cumsum([0, *case[0]]).tolist()
    for i, (found, wanted) in enumerate(zip(vectors, arrays, strict=True)):
        assert np.array_equal(found, wanted)
        assert np.array_equal(vectors[i], wanted)
        assert np.array_equal(vectors[i - len(arrays)], wanted)
        assert np.array_equal(vectors[int(np.int64(i))], wanted)


def test_rows_of_a_text_are_a_view() -> None:
    vectors = filled()
    assert np.shares_memory(vectors[2], vectors.rows)


@pytest.mark.parametrize("index", [3, -4, 10**9])
def test_a_text_that_is_not_there_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match=f"text {index} of 3"):
        filled()[index]


def test_lists_of_numbers_are_arrays_too() -> None:
    vectors = TokenVectors.from_arrays([[[0.5, 1.0]], np.zeros((2, 2))], space_id="x")
    assert vectors.rows.dtype == np.float32
    assert vectors.rows.tolist() == [[0.5, 1.0], [0, 0], [0, 0]]
    assert vectors.space_id == "x"


UNPACKABLE: dict[str, list[Any]] = {
    "nothing": [],
    "a row instead of rows": [np.zeros(3, np.float32)],
    "a number": [np.float32(3)],
    "a text of other dim": [np.zeros((1, 3), np.float32), np.zeros((1, 4), np.float32)],
    "a text of other dtype": [np.zeros((1, 3), np.float32), np.zeros((1, 3), np.int8)],
    "too many axes": [np.zeros((1, 2, 3), np.float32)],
    "integers": [[[1, 2]]],
    "strings": [[["a"]]],
}


@pytest.mark.parametrize("arrays", UNPACKABLE.values(), ids=UNPACKABLE.keys())
def test_arrays_that_do_not_fit_together_are_refused(arrays: list[Any]) -> None:
    with pytest.raises(ShapeError):
        TokenVectors.from_arrays(arrays)


ROWS = np.zeros((5, 2), np.float32)
STARTS = np.array([0, 2, 5])
MISFITS: dict[str, dict[str, Any]] = {
    "rows: ": {"rows": np.zeros(5, np.float32)},
    "rows: float64": {"rows": np.zeros((5, 2))},
    "rows: int32": {"rows": np.zeros((5, 2), np.int32)},
    "starts: wanted": {"starts": np.array([0, 2, 4])},
    "starts: wanted int64": {"starts": np.array([0, 2, 5], np.int32)},
    "starts: wanted int64 from 0": {"starts": np.array([1, 2, 5])},
    "starts: wanted int64 from 0 to 5": {"starts": np.zeros(0, np.int64)},
    "starts: wanted int64 from 0 to 5,": {"starts": np.array([[0, 5]])},
    "starts: must not decrease": {"starts": np.array([0, 3, 2, 5])},
    "spans: ": {"spans": np.zeros((4, 2), np.int32)},
    "spans: int32 (5, 3)": {"spans": np.zeros((5, 3), np.int32)},
    "spans: float32": {"spans": np.zeros((5, 2), np.float32)},
    "weights: ": {"weights": np.zeros(4, np.float32)},
    "weights: float32 (5, 1)": {"weights": np.zeros((5, 1), np.float32)},
    "weights: complex128": {"weights": np.zeros(5, np.complex128)},
}


@pytest.mark.parametrize(("message", "part"), MISFITS.items(), ids=MISFITS.keys())
def test_parts_that_do_not_fit_together_are_refused(message: str, part: dict[str, Any]) -> None:
    with pytest.raises(ShapeError) as caught:
        TokenVectors(**({"rows": ROWS, "starts": STARTS} | part))
    assert str(caught.value).startswith(message)


def test_vectors_say_what_they_are() -> None:
    assert repr(filled("int8")) == "TokenVectors(3 texts, 5 tokens, dim 7, int8)"


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
rows_of_any_size = st.integers(1, 9).flatmap(
    lambda dim: st.lists(st.lists(finite, min_size=dim, max_size=dim), min_size=1, max_size=6)
)


@given(values=rows_of_any_size)
def test_quantised_rows_are_the_definitions_and_off_by_half_a_step_at_most(values: list[list[float]]) -> None:
    rows = np.array(values, np.float32)
    small = TokenVectors(rows, np.array([0, len(rows)]), space_id="x").quantize()
    assert small.scales is not None
    assert (str(small.rows.dtype), small.space_id) == ("int8", "x")
    for row, integers, scale in zip(rows, small.rows, small.scales, strict=True):
        assert (integers.tolist(), scale) == reference.quantised(row)
        assert np.abs(integers.astype(int)).max() in ({0} if scale == 0 else {127}), "all of int8 is used, -128 never"
    off = np.abs(rows.astype(np.float64) - small.rows * small.scales[:, None].astype(np.float64)).max(axis=1)
    assert (off <= 0.50001 * small.scales + 1e-30).all()


@given(values=rows_of_any_size)
def test_a_second_round_trip_changes_no_integer(values: list[list[float]]) -> None:
    once = TokenVectors(np.array(values, np.float32), np.array([0, len(values)])).quantize()
    with np.errstate(over="ignore"):
        wide = once.dequantize()
    if np.isfinite(wide.rows).all():  # 127 x the scale of the largest float32 may not be one
        assert wide.quantize().rows.tolist() == once.rows.tolist()
        assert once.quantize() is once
        assert wide.dequantize() is wide


even_rows = st.integers(1, 5).flatmap(
    lambda half: st.lists(st.lists(finite, min_size=2 * half, max_size=2 * half), min_size=1, max_size=6)
)


@given(values=even_rows)
def test_int4_rows_are_the_definitions_two_values_a_byte(values: list[list[float]]) -> None:
    rows = np.array(values, np.float32)
    small = TokenVectors(rows, np.array([0, len(rows)]), space_id="x").quantize("int4")
    assert small.scales is not None
    half = rows.shape[1] // 2
    assert (str(small.rows.dtype), small.rows.shape, small.dim) == ("uint8", (len(rows), half), 2 * half)
    assert (small.kind, small.space_id) == ("int4", "x")
    for row, packed, scale in zip(rows, small.rows.tolist(), small.scales, strict=True):
        integers = [byte % 16 - 8 for byte in packed] + [byte // 16 - 8 for byte in packed]
        wanted, plain = reference.quantised(row, 7)
        assert integers == wanted
        squares = sum(n * n for n in wanted)
        along = math.fsum(float(x) * n for x, n in zip(row, wanted, strict=True))
        assert scale == (np.float32(along / squares) if squares else 0)
        assert abs(scale - plain) <= plain / 7, "near the one of the largest value"
    assert small.quantize("int4") is small
    wide = small.quantize()
    assert wide.kind == "int8"
    assert wide.scales is small.scales
    with np.errstate(over="ignore"):
        assert wide.dequantize().rows.tolist() == small.dequantize().rows.tolist(), "widening is exact"


def test_int8_rows_become_int4_as_the_numbers_they_hold() -> None:
    once = TokenVectors(np.array([[1, -0.4, 0.08, 0]], np.float32), np.array([0, 1])).quantize()
    assert once.quantize("int4").rows.tolist() == once.dequantize().quantize("int4").rows.tolist()
    weighed = replace(once.quantize("int4"), weights=np.array([2], np.float32))
    assert weighed.weighted().dequantize().rows.tolist() == (2 * weighed.dequantize().rows).tolist()
    assert weighed.padded()[0].tolist() == [(2 * weighed.dequantize().rows).tolist()]


def test_int4_of_an_odd_dim_or_of_another_kind_is_refused() -> None:
    with pytest.raises(ShapeError, match="wanted an even dim, found 3"):
        TokenVectors(np.zeros((1, 3), np.float32), np.array([0, 1])).quantize("int4")
    with pytest.raises(InputError, match="found 'int2', there are int8 and int4"):
        TokenVectors(np.zeros((1, 2), np.float32), np.array([0, 1])).quantize("int2")  # type: ignore[arg-type]


def test_float16_rows_are_quantised_as_the_numbers_they_hold() -> None:
    half = TokenVectors(np.array([[0.5, -0.25], [65504, 1]], np.float16), np.array([0, 1, 2]))
    small = half.quantize()
    assert small.rows.tolist() == [[127, -64], [127, 0]]
    assert half.dequantize().rows.dtype == np.float32


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_not_quantised(value: float) -> None:
    rows = np.ones((20_000, 2), np.float32)
    rows[19_999, 1] = value
    with pytest.raises(InputError, match="token 19999 is not finite"):
        TokenVectors(rows, np.array([0, 20_000])).quantize()


def test_scales_belong_to_integer_rows_and_are_one_a_token(tmp_path: Path) -> None:
    starts, ones = np.array([0, 2]), np.ones(2, np.float32)
    with pytest.raises(ShapeError, match="belong to int8 and int4 rows"):
        TokenVectors(np.zeros((2, 3), np.float32), starts, scales=ones)
    with pytest.raises(ShapeError, match="scales: "):
        TokenVectors(np.zeros((2, 3), np.int8), starts, scales=ones[:1])
    TokenVectors(np.eye(3, dtype=np.int8)[:2], starts, scales=ones / np.float32(3)).save(tmp_path / "x.safetensors")
    for mmap in (False, True):
        found = TokenVectors.load(tmp_path / "x.safetensors", mmap=mmap)
        assert found.scales is not None
        assert found.scales.tolist() == (ones / np.float32(3)).tolist()
        assert found.rows.tolist() == [[1, 0, 0], [0, 1, 0]]


@given(case=ragged)
def test_padded_rows_are_those_of_each_text_and_zeros_behind(case: tuple[list[int], int, str]) -> None:
    vectors = TokenVectors.from_arrays(random_arrays(*case))
    rows, mask = vectors.padded()
    longest = max(case[0])
    assert rows.shape == (len(case[0]), longest, case[1])
    assert mask.shape == (len(case[0]), longest)
    assert rows.dtype == ("float16" if case[2] == "float16" else "float32")
    assert mask.dtype == bool
    for i, length in enumerate(case[0]):
        for t in range(longest):
            assert bool(mask[i, t]) == (t < length)
            assert rows[i, t].tolist() == (vectors[i][t].tolist() if t < length else [0] * case[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_are_folded_into_rows(dtype: str) -> None:
    vectors = filled(dtype)
    assert vectors.weights is not None
    folded = vectors.weighted()
    assert folded.weights is None
    assert folded.weighted() is folded
    assert (folded.space_id, folded.spans is vectors.spans) == (vectors.space_id, True)
    assert folded.rows.dtype == ("int8" if dtype == "int8" else "float32")
    rows, mask = vectors.padded()
    for t, weight in enumerate(vectors.weights):
        for d in range(vectors.dim):
            wanted = float(vectors.rows[t, d]) * float(weight)
            assert abs(float(folded.dequantize().rows[t, d]) - wanted) <= 1e-6 * abs(wanted)
            assert rows[mask][t, d] == folded.dequantize().rows[t, d]


def test_scores_of_folded_rows_are_scores_with_weights() -> None:
    (query,), (document,) = random_arrays([5], 8, "float32"), random_arrays([9], 8, "float32")
    weights = np.linspace(0, 2, 5, dtype=np.float32)
    folded = TokenVectors(query, np.array([0, 5], np.int64), weights=weights).weighted()
    (wanted,) = reference.maxsim(query.tolist(), [document.tolist()], weights.tolist())
    assert (folded[0] @ document.T).max(1).sum() == pytest.approx(wanted, rel=1e-6)
    again = TokenVectors(query, np.array([0, 5], np.int64), weights=weights).quantize()
    assert again.scales is not None
    assert np.array_equal(again.weighted().dequantize().rows, again.rows * (again.scales * weights)[:, None])


def test_no_texts_pad_to_nothing() -> None:
    rows, mask = TokenVectors(np.zeros((0, 4), np.float32), np.zeros(1, np.int64)).padded()
    assert rows.shape == (0, 0, 4)
    assert mask.shape == (0, 0)
