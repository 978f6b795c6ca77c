"""A checkpoint's tensors in weight files: in float32, float16 and int8."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from colibri.errors import ExportError
from colibri_export.checkpoint import BLOCK_ROWS, Checkpoint
from colibri_export.dense import Activation
from colibri_export.heads import Head
from colibri_export.layers import by_layer
from colibri_export.layout.tensor import Floats
from colibri_export.weight_file import Stored, WeightFile

VocabularyBits = Literal[4, 8]

BLOCK = 32  # weights that share one scale in an int8 artefact's vocabulary table
_LARGEST_HALF = 65504.0  # of float16


@dataclass(frozen=True)
class StoredDense:
    """One layer of a head (colibri_export.heads.Dense), its matrices (inputs, outputs)."""

    weight: Stored
    bias: Stored | None
    activation: Activation
    residual: Stored | Literal["rows"] | None


def write_float(checkpoint: Checkpoint, path: Path, journal: Path | None = None) -> dict[str, Stored]:
    """The backbone in float32, as named by `Checkpoint.tensor_names`."""
    facts = checkpoint.architecture

    def store(file: WeightFile, name: str) -> dict[str, Stored]:
        if name == "word":
            return {name: file.add_rows(name, checkpoint.vocabulary_blocks(), (facts.vocabulary, facts.hidden))}
        return {name: file.add(name, checkpoint.read(name))}

    return _write(checkpoint, path, journal, store)


def write_half(checkpoint: Checkpoint, path: Path, journal: Path | None = None) -> dict[str, Stored]:
    """The backbone in float16, but what belongs to a norm in float32: LayerNorm is computed in float32 everywhere.

    Raises ExportError when a weight is too large for float16.
    """
    facts = checkpoint.architecture

    def half(name: str, array: Floats) -> NDArray[np.float16]:
        largest = np.abs(array).max(initial=0)
        if largest > _LARGEST_HALF:
            raise ExportError(f"{name}: a weight of {largest:,.0f}, and float16 ends at {_LARGEST_HALF:,.0f}")
        return array.astype(np.float16)

    def store(file: WeightFile, name: str) -> dict[str, Stored]:
        if name == "word":
            blocks = (half(name, block) for block in checkpoint.vocabulary_blocks())
            return {name: file.add_rows(name, blocks, (facts.vocabulary, facts.hidden))}
        array = checkpoint.read(name)
        return {name: file.add(name, array if "norm" in name else half(name, array))}

    return _write(checkpoint, path, journal, store)


def write_int8(
    checkpoint: Checkpoint, path: Path, vocabulary_bits: VocabularyBits = 4, journal: Path | None = None
) -> dict[str, Stored]:
    """The backbone with int8 matrices (`name` int8, `name.scale` float32 an output), a vocabulary of 4 or 8 bits a
    weight (`word.nibbles` or `word.integers`, `word.scales`), and everything else in float32."""

    def store(file: WeightFile, name: str) -> dict[str, Stored]:
        if name == "word":
            return _write_vocabulary(checkpoint, file, vocabulary_bits)
        array = checkpoint.read(name)
        if array.ndim == 1 or name == "positions":
            return {name: file.add(name, array)}
        integers, scale = quantize_columns(array)
        return {name: file.add(name, integers), f"{name}.scale": file.add(f"{name}.scale", scale)}

    return _write(checkpoint, path, journal, store)


def _write(
    checkpoint: Checkpoint, path: Path, journal: Path | None, store: Callable[[WeightFile, str], dict[str, Stored]]
) -> dict[str, Stored]:
    stored: dict[str, Stored] = {}
    with WeightFile(path, journal) as file:
        for name in by_layer(checkpoint.tensor_names(), checkpoint.architecture.layers, path.name):
            made = file.done(name)
            if made is None:
                made = store(file, name)
                file.finished(name, made)
            stored |= made
    return stored


def _write_vocabulary(checkpoint: Checkpoint, file: WeightFile, bits: VocabularyBits) -> dict[str, Stored]:
    rows, hidden = checkpoint.architecture.vocabulary, checkpoint.architecture.hidden
    if hidden % BLOCK:
        raise ExportError(
            f"{checkpoint.folder}: hidden_size {hidden}: an int8 vocabulary has blocks of {BLOCK} weights"
        )
    quantize = quantize_blocks if bits == 4 else quantize_blocks_8
    name, width = ("word.nibbles", hidden // 2) if bits == 4 else ("word.integers", hidden)
    scales = []

    def integers() -> Iterator[NDArray[np.generic]]:
        for block in checkpoint.vocabulary_blocks():
            packed, scale = quantize(block)
            scales.append(scale)
            yield packed

    stored = {name: file.add_rows(name, integers(), (rows, width))}
    return stored | {"word.scales": file.add_rows("word.scales", scales, (rows, hidden // BLOCK))}


def write_heads(heads: Mapping[int, Head], path: Path) -> dict[int, tuple[StoredDense, ...]]:
    """Every head's matrices as (inputs, outputs) float32: under 1 % of the work, so all variants share exact heads."""
    with WeightFile(path) as file:

        def keep(name: str, array: Floats) -> Stored:
            return file.add(name, np.ascontiguousarray(array.T))

        written = {}
        for dim, head in heads.items():
            layers = []
            for i, layer in enumerate(head.layers):
                name = f"head.{dim}" if len(head.layers) == 1 else f"head.{dim}.{i}"
                residual = layer.residual
                layers.append(
                    StoredDense(
                        weight=keep(name, layer.weight),
                        bias=None if layer.bias is None else keep(f"{name}.bias", layer.bias),
                        activation=layer.activation,
                        residual=keep(f"{name}.residual", residual) if isinstance(residual, np.ndarray) else residual,
                    )
                )
            written[dim] = tuple(layers)
        return written


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
    for start in range(0, rows, BLOCK_ROWS):  # bounded memory: 250,037 x 384 weights would need 2 GB of temporaries
        blocks = table[start : start + BLOCK_ROWS].reshape(-1, BLOCK)
        largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)
        scale, safe = _float16_scales(largest / np.float32(-8))
        integers = np.clip(np.rint(blocks / safe) + 8, 0, 15).astype(np.uint8)
        packed = integers[:, :16] | (integers[:, 16:] << 4)
        stop = min(start + BLOCK_ROWS, rows)
        nibbles[start:stop] = packed.reshape(stop - start, -1)
        scales[start:stop] = scale.reshape(stop - start, -1)
    return nibbles, scales


def quantize_blocks_8(table: Floats) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """8-bit blocks of 32 as ggml's Q8_0: weight = integer * scale, scale = the largest magnitude / 127.

    table (rows, hidden) float32, hidden a multiple of 32 -> (rows, hidden) int8 in [-127, 127], and scales
    (rows, hidden / 32) float16.
    """
    blocks = table.reshape(-1, BLOCK)
    scale, safe = _float16_scales(np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127))
    integers = np.clip(np.rint(blocks / safe), -127, 127).astype(np.int8)
    return integers.reshape(table.shape), scale.reshape(len(table), -1)


def _float16_scales(wanted: Floats) -> tuple[NDArray[np.float16], Floats]:
    """Scales as they are stored, and as divisors: 1 where a block is zero."""
    if np.abs(wanted).max(initial=0) > _LARGEST_HALF:
        raise ExportError(f"a vocabulary block of scale {np.abs(wanted).max()}: scales are stored in float16")
    scale = wanted.astype(np.float16)
    return scale, np.where(scale == 0, np.float32(1), scale.astype(np.float32))


def dequantize_blocks(nibbles: NDArray[np.uint8], scales: NDArray[np.float16]) -> Floats:
    """The float32 table (rows, hidden) that `quantize_blocks` stands for."""
    packed = nibbles.reshape(-1, BLOCK // 2)
    integers = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
    return (integers * scales.reshape(-1, 1).astype(np.float32)).reshape(nibbles.shape[0], -1)
