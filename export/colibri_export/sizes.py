"""How large an export will be, from shapes alone: before anything is read, downloaded or written."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from colibri.artefact import Architecture
from colibri_export.layout.tensor import Tensor
from colibri_export.weights import BLOCK, VocabularyBits

# What a graph file has beside weights, and what a process of Python, NumPy and onnxruntime holds before any.
_GRAPHS = 2_000_000
_PROCESS = 700_000_000
_FILES = {"cpu-int8": "int8", "cpu-fp32": "f32", "portable": "f32", "gpu-fp16": "f16", "tensorrt": "engine"}


@dataclass(frozen=True)
class Sizes:
    """Bytes of one export, each within a few per cent."""

    parameters: int
    variants: dict[str, int]
    """Each with the files it shares with others."""
    disk: int
    """All files while the export runs, the float32 reference included."""
    memory: int
    """The most that the process holds: the reference in float32, and one tensor."""


def sizes(
    architecture: Architecture,
    tensors: Mapping[str, Tensor],
    dims: Sequence[int],
    names: Sequence[str],
    vocabulary_bits: VocabularyBits = 4,
) -> Sizes:
    """What an export of `names` will take. dims: of its heads, each counted as one matrix."""
    made = {name: _made(name, tensors, architecture) for name in tensors}
    backbones = {kind: _bytes(made, kind, vocabulary_bits) for kind in ("f32", "f16", "int8")}
    backbones["engine"] = backbones["f16"]  # an engine holds its weights itself
    heads = 4 * architecture.hidden * sum(dims)
    used = {_FILES[name] for name in names} | {"f32"}  # the reference is written, kept or not
    return Sizes(
        parameters=sum(math.prod(shape) for shape in made.values()) + architecture.hidden * sum(dims),
        variants={name: backbones[_FILES[name]] + heads + _GRAPHS for name in names},
        disk=sum(backbones[kind] for kind in used) + 2 * heads + len(used) * _GRAPHS,
        memory=round(1.15 * backbones["f32"]) + _PROCESS,
    )


def _made(name: str, tensors: Mapping[str, Tensor], a: Architecture) -> tuple[int, ...]:
    """The shape of one of our tensors."""
    if name == "positions":
        return a.max_positions, a.hidden
    if name == "types":
        return (a.hidden,)
    shapes = [tuple(size or 1 for size in shape) for shape in tensors[name].shapes]
    first = shapes[0]
    rows = sum(shape[0] for shape in shapes)
    return (rows, *first[1:]) if len(first) == 1 or name == "word" else (first[1], rows)


def _bytes(made: Mapping[str, tuple[int, ...]], kind: str, bits: VocabularyBits) -> int:
    total = 0
    for name, shape in made.items():
        count = math.prod(shape)
        if kind == "f16":
            total += count * (4 if "norm" in name else 2)
        elif kind == "f32" or len(shape) == 1 or name == "positions":
            total += count * 4
        elif name == "word":
            total += count * bits // 8 + 2 * count // BLOCK
        else:
            total += count + 4 * shape[1]
    return total
