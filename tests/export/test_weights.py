"""Weight files that onnx reads back, and the two roundings with their bounds."""

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from colibri_export.checkpoint import open_checkpoint
from colibri_export.graph.blocks import GraphBuilder
from colibri_export.heads import Head, read_matrix
from colibri_export.weight_file import WeightFile
from colibri_export.weights import (
    dequantize_blocks,
    quantize_blocks,
    quantize_columns,
    write_float,
    write_heads,
    write_int8,
)

weights = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)
scale_bits = st.integers(0x0001, 0x7BFF) | st.integers(0x8001, 0xFBFF)  # all finite float16 but the zeros


@st.composite
def tables(draw: st.DrawFn) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Nibbles (rows, blocks, 32), a 0 among those of every block as Q4_0 makes them, and scales (rows, blocks)."""
    shape = draw(array_shapes(min_dims=2, max_dims=2, max_side=4))
    nibbles = draw(arrays(np.uint8, (*shape, 32), elements=st.integers(0, 15)))
    zeros = draw(arrays(np.int64, (*shape, 1), elements=st.integers(0, 31)))
    np.put_along_axis(nibbles, zeros, 0, axis=2)
    return nibbles, draw(arrays(np.uint16, shape, elements=scale_bits)).view(np.float16)


def packed(nibbles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Byte j of a block holds weight j low and weight j + 16 high."""
    high: NDArray[np.uint8] = np.left_shift(nibbles[..., 16:], np.uint8(4))
    return (nibbles[..., :16] | high).reshape(len(nibbles), -1)


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=weights))
def test_int8_columns_are_off_by_half_a_step_at_most(matrix: NDArray[np.float32]) -> None:
    integers, scale = quantize_columns(matrix)
    assert (integers.dtype.name, scale.dtype.name, scale.shape) == ("int8", "float32", matrix.shape[1:])
    assert np.abs(integers.astype(int)).max() <= 127
    error = np.abs(matrix.astype(np.float64) - integers * scale.astype(np.float64))
    assert (error <= scale * (0.5 + 1e-4)).all()


def test_the_largest_weight_of_a_column_is_127_and_a_zero_column_has_scale_1() -> None:
    integers, scale = quantize_columns(np.array([[0, -2.54, 1], [0, 1.27, 0.5]], np.float32))
    np.testing.assert_array_equal(integers, [[0, -127, 127], [0, 64, 64]])
    np.testing.assert_allclose(scale, [1, 0.02, 1 / 127], rtol=1e-6)


def test_a_column_too_small_for_a_scale_becomes_zero() -> None:
    integers, scale = quantize_columns(np.full((3, 1), 1e-45, np.float32))
    assert (integers.tolist(), scale.tolist()) == ([[0], [0], [0]], [1.0])


@given(tables())
def test_a_table_that_came_from_4_bits_returns_to_them_bit_for_bit(
    table: tuple[NDArray[np.uint8], NDArray[np.float16]],
) -> None:
    nibbles, scale = packed(table[0]), table[1]
    again, scale_again = quantize_blocks(dequantize_blocks(nibbles, scale))
    np.testing.assert_array_equal(again, nibbles)
    np.testing.assert_array_equal(scale_again.view(np.uint16), scale.view(np.uint16))


def test_a_block_holds_its_first_half_low_and_its_second_half_high() -> None:
    nibbles = np.arange(32, dtype=np.uint8)[None, None] % 16
    row = dequantize_blocks(packed(nibbles), np.array([[0.5]], np.float16))
    np.testing.assert_array_equal(row[0], (np.arange(32) % 16 - 8) / 2)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 0.05, 1.0, 100.0]))
def test_4_bit_weights_are_off_by_half_a_step_or_a_step_where_they_are_cut(seed: int, size: float) -> None:
    """The weight of largest magnitude is nibble 0, so its mirror image would be 16 and is cut to 15."""
    table = np.random.default_rng(seed).normal(0, size, (5, 64)).astype(np.float32)
    nibbles, scale = quantize_blocks(table)
    step = np.abs(scale.astype(np.float32)).repeat(32, axis=1)
    slack = 8 * 2.0**-11  # a scale is rounded to float16, and is multiplied by up to 8
    steps_off = np.abs(table - dequantize_blocks(nibbles, scale)) / step
    assert steps_off.max() <= 1 + slack
    top = (dequantize_blocks(nibbles, scale) / scale.astype(np.float32).repeat(32, axis=1)) == 7
    assert steps_off[~top].max() <= 0.5 + slack


def test_zero_blocks_stay_zero_and_tables_longer_than_one_turn_are_whole() -> None:
    table = np.zeros((16_385, 32), np.float32)
    table[-1] = np.linspace(-8, 7, 32)
    nibbles, scale = quantize_blocks(table)
    assert not dequantize_blocks(nibbles, scale)[:-1].any()
    np.testing.assert_allclose(dequantize_blocks(nibbles, scale)[-1], table[-1], atol=0.51)


def test_tensors_lie_aligned_one_after_the_other(tmp_path: Path) -> None:
    with WeightFile(tmp_path / "w.bin") as file:
        first = file.add("a", np.arange(5, dtype=np.int8))
        second = file.add("b", np.ones((3, 7), np.float32))
        third = file.add("c", np.array([[1, 2], [3, 4]], np.float16).T)
    assert [(s.offset, s.length, s.shape) for s in (first, second, third)] == [
        (0, 5, (5,)),
        (64, 84, (3, 7)),
        (192, 8, (2, 2)),
    ]
    raw = (tmp_path / "w.bin").read_bytes()
    assert len(raw) == 200
    assert not any(raw[5:64])
    np.testing.assert_array_equal(np.frombuffer(raw, "<f2", 4, 192), [1, 3, 2, 4])


def test_a_weight_file_never_overwrites_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        WeightFile(tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == b"kept"


def test_onnx_reads_what_was_written_also_as_another_type_of_the_same_width(tmp_path: Path) -> None:
    signed = np.array([[-128, -1], [0, 127]], np.int8)
    arrays_by_name: dict[str, NDArray[np.generic]] = {
        "f": np.linspace(0, 1, 7, dtype=np.float32),
        "h": np.ones((2, 3), np.float16),
        "s": signed,
    }
    g = GraphBuilder("standard", masked=False)
    with WeightFile(tmp_path / "w.bin") as file:
        for name, array in arrays_by_name.items():
            g.weight(file.add(name, array))
        g.weight(file.add("u", signed), ir.DataType.UINT8)
    rows = g.op("Cast", g.op("Unsqueeze", g.ids, g.constant([-1])), to=ir.DataType.FLOAT.value)
    ir.save(g.finish({"rows": (rows, 1)}, "test"), tmp_path / "g.onnx")
    found = initializers(tmp_path / "g.onnx")
    for name, array in arrays_by_name.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    np.testing.assert_array_equal(found["u"], signed.view(np.uint8), strict=True)


def test_float_weights_are_the_checkpoints(tiny: Path, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(tiny)
    stored = write_float(checkpoint, tmp_path / "w.bin")
    assert list(stored) == list(checkpoint.tensor_names())
    raw = (tmp_path / "w.bin").read_bytes()
    for name, s in stored.items():
        found = np.frombuffer(raw, "<f4", s.length // 4, s.offset).reshape(s.shape)
        np.testing.assert_array_equal(found, checkpoint.read(name))


def test_int8_weights_are_4_bit_words_int8_matrices_and_float_for_the_rest(tiny: Path, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(tiny)
    stored = write_int8(checkpoint, tmp_path / "w.bin")
    kinds = {name: s.dtype.name for name, s in stored.items()}
    assert (kinds.pop("word.nibbles"), kinds.pop("word.scales")) == ("UINT8", "FLOAT16")
    matrices = {name for name, kind in kinds.items() if kind == "INT8"}
    parts = ("qkv", "attention_out", "ffn_in", "ffn_out")
    assert matrices == {f"layers.{layer}.{part}.weight" for layer in range(3) for part in parts}
    assert all(stored[f"{name}.scale"].shape == stored[name].shape[1:] for name in matrices)
    assert {kind for name, kind in kinds.items() if name not in matrices} == {"FLOAT"}


def test_heads_are_written_as_the_graph_multiplies_them(bert: Path, tmp_path: Path) -> None:
    head = read_matrix(bert / "head-32.safetensors", 32, 64)
    stored = write_heads({32: Head.linear(head)}, tmp_path / "h.bin")
    (layer,) = stored[32]
    assert (layer.weight.shape, layer.bias, layer.activation, layer.residual) == ((64, 32), None, "Identity", None)
    np.testing.assert_array_equal(np.fromfile(tmp_path / "h.bin", "<f4").reshape(64, 32), head.T)


def initializers(graph: Path) -> dict[str, NDArray[np.generic]]:
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(graph).graph.initializer}
