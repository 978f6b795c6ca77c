"""Weight files: raw tensors end to end, written as a stream, referred to by graphs as ONNX external data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from colibri.errors import ExportError
from colibri_export.checkpoint import Checkpoint, Floats

_ALIGNMENT = 64  # bytes; a cache line, and what onnxruntime's kernels want of a mapped weight
BLOCK = 32  # weights that share one scale in the 4-bit vocabulary table
_LARGEST_HALF = 65504.0  # of float16
_LARGEST_IN_BLOCK = 8 * _LARGEST_HALF


@dataclass(frozen=True)
class Stored:
    """Where one tensor lies."""

    path: Path
    name: str
    offset: int
    length: int
    dtype: ir.DataType
    shape: tuple[int, ...]

    def value(self, dtype: ir.DataType | None = None) -> ir.Value:
        """An initializer over these bytes, optionally read as another dtype of the same width."""
        tensor = ir.ExternalTensor(
            self.path.name,
            self.offset,
            self.length,
            dtype or self.dtype,
            shape=ir.Shape(self.shape),
            name=self.name,
            base_dir=self.path.parent,
        )
        return ir.Value(name=self.name, type=ir.TensorType(tensor.dtype), shape=tensor.shape, const_value=tensor)


class WeightFile:
    """An append-only weight file; `add` writes at once, so no more than one tensor is ever in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb")

    def add(self, name: str, array: NDArray[np.generic]) -> Stored:
        """Append one tensor (any shape, C order, little endian) at the next aligned offset."""
        self._file.write(b"\0" * (-self._file.tell() % _ALIGNMENT))
        offset = self._file.tell()
        contiguous = np.ascontiguousarray(array)
        self._file.write(contiguous.data)
        dtype = ir.DataType.from_numpy(contiguous.dtype)
        return Stored(self.path, name, offset, contiguous.nbytes, dtype, contiguous.shape)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def write_float(checkpoint: Checkpoint, path: Path) -> dict[str, Stored]:
    """The backbone in float32, as named by `Checkpoint.tensor_names`."""
    with WeightFile(path) as file:
        return {name: file.add(name, checkpoint.read(name)) for name in checkpoint.tensor_names()}


def write_half(checkpoint: Checkpoint, path: Path) -> dict[str, Stored]:
    """The backbone in float16, but what belongs to a norm in float32: LayerNorm is computed in float32 everywhere.

    Raises ExportError when a weight is too large for float16.
    """
    stored: dict[str, Stored] = {}
    with WeightFile(path) as file:
        for name in checkpoint.tensor_names():
            array: NDArray[np.generic] = checkpoint.read(name)
            if "norm" not in name:
                largest = np.abs(array).max(initial=0)
                if largest > _LARGEST_HALF:
                    raise ExportError(f"{name}: a weight of {largest:,.0f}, and float16 ends at {_LARGEST_HALF:,.0f}")
                array = array.astype(np.float16)
            stored[name] = file.add(name, array)
    return stored


def write_int8(checkpoint: Checkpoint, path: Path) -> dict[str, Stored]:
    """The backbone with int8 matrices (`name` int8, `name.scale` float32 an output), a 4-bit vocabulary
    (`word.nibbles`, `word.scales`), and everything else in float32."""
    stored: dict[str, Stored] = {}
    with WeightFile(path) as file:

        def keep(name: str, array: NDArray[np.generic]) -> None:
            stored[name] = file.add(name, array)

        for name in checkpoint.tensor_names():
            array = checkpoint.read(name)
            if name == "word":
                nibbles, scales = quantize_blocks(array)
                keep("word.nibbles", nibbles)
                keep("word.scales", scales)
            elif array.ndim == 2 and name != "positions":
                integers, scale = quantize_columns(array)
                keep(name, integers)
                keep(f"{name}.scale", scale)
            else:
                keep(name, array)
    return stored


def write_heads(heads: Mapping[int, Floats], path: Path) -> dict[int, Stored]:
    """Every head (dim, hidden) as (hidden, dim) float32: under 1 % of the work, so all variants share exact heads."""
    with WeightFile(path) as file:
        return {dim: file.add(f"head.{dim}", np.ascontiguousarray(matrix.T)) for dim, matrix in heads.items()}


def quantize_columns(matrix: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Symmetric int8 with one scale a column: integers = round(matrix / scale), scale = max |column| / 127.

    matrix (inputs, outputs) float32 -> (inputs, outputs) int8 in [-127, 127] and (outputs,) float32.
    A zero column has scale 1.
    """
    largest = np.abs(matrix).max(axis=0)
    scale = (largest / np.float32(127)).astype(np.float32)
    scale = np.where(scale > 0, scale, np.float32(1))
    return np.rint(matrix / scale).astype(np.int8), scale


def quantize_blocks(table: Floats) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """4-bit blocks of 32 as ggml's Q4_0: weight = (nibble - 8) * scale, scale = the largest by magnitude / -8.

    table (rows, hidden) float32, hidden a multiple of 32 -> nibbles (rows, hidden / 2) uint8, where byte j of a block
    holds weight j low and weight j + 16 high, and scales (rows, hidden / 32) float16. A table that came from
    Q4_0 returns exactly to its nibbles and scales.
    """
    rows, hidden = table.shape
    nibbles = np.empty((rows, hidden // 2), np.uint8)
    scales = np.empty((rows, hidden // BLOCK), np.float16)
    for start in range(0, rows, 16384):  # bounded memory: 250,037 x 384 weights would need 2 GB of temporaries
        blocks = table[start : start + 16384].reshape(-1, BLOCK)
        largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)
        if np.abs(largest).max(initial=0) > _LARGEST_IN_BLOCK:
            raise ExportError(f"a vocabulary weight of {np.abs(largest).max()}: 4-bit blocks have float16 scales")
        scale = (largest / np.float32(-8)).astype(np.float16)
        safe = np.where(scale == 0, np.float32(1), scale.astype(np.float32))
        integers = np.clip(np.rint(blocks / safe) + 8, 0, 15).astype(np.uint8)
        packed = integers[:, :16] | (integers[:, 16:] << 4)
        stop = min(start + 16384, rows)
        nibbles[start:stop] = packed.reshape(stop - start, -1)
        scales[start:stop] = scale.reshape(stop - start, -1)
    return nibbles, scales


def dequantize_blocks(nibbles: NDArray[np.uint8], scales: NDArray[np.float16]) -> Floats:
    """The float32 table (rows, hidden) that `quantize_blocks` stands for."""
    packed = nibbles.reshape(-1, BLOCK // 2)
    integers = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
    return (integers * scales.reshape(-1, 1).astype(np.float32)).reshape(nibbles.shape[0], -1)
