"""One tensor as the exporter sees it, and the checkpoint's tensors it is made of."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Tensor:
    """Where one of our tensors lies."""

    sources: tuple[str, ...]
    """Names in the checkpoint, without prefix."""
    shapes: tuple[Shape, ...]
    """Of each source; None where any size will do."""
    make: Callable[[list[Floats]], Floats]
    """The sources' float32 values -> ours."""


def vector(name: str, size: int) -> Tensor:
    """A bias or a norm's weight, as it is."""
    return Tensor((name,), ((size,),), _only)


def table(name: str, rows: int, width: int) -> Tensor:
    """Rows that are looked up, as they are."""
    return Tensor((name,), ((rows, width),), _only)


def matrix(names: tuple[str, ...], outputs: int, inputs: int) -> Tensor:
    """Matrices (outputs, inputs), as PyTorch stores them -> one (inputs, all outputs), as ONNX multiplies it."""
    return Tensor(names, ((outputs, inputs),) * len(names), lambda parts: np.ascontiguousarray(_joined(parts).T))


def joined_vector(names: tuple[str, ...], size: int) -> Tensor:
    """Vectors end to end."""
    return Tensor(names, ((size,),) * len(names), _joined)


def _only(parts: list[Floats]) -> Floats:
    return parts[0]


def _joined(parts: list[Floats]) -> Floats:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
