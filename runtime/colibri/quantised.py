"""Rows as integers and a scale each: int8, and int4 two to a byte. What `colibri.vectors` stores and MaxSim scores."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-30
"""A row whose largest magnitude is below this is quantised to zeros: 127 / it must not overflow."""

_LARGEST_INT4 = 7
_ZERO_INT4 = 8  # what a nibble holds of 0: nibbles are unsigned, and so are the operands that processors multiply


def quantised_rows(rows: NDArray[Any], largest_integer: int = 127) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 rows (n, dim) and their scales (n,) as `TokenVectors.quantize` defines; not finite rows give such scales."""
    rows = rows.astype(np.float32, copy=False)
    most = np.float32(largest_integer)
    largest = np.abs(rows).max(axis=1, initial=0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        inverse = np.where(largest >= SMALLEST, most / largest, np.float32(0))
        scales = np.where(largest < SMALLEST, np.float32(0), largest / most)
        integers = np.rint(rows * inverse[:, None]).astype(np.int8)
    return integers, scales


def nibble_rows(rows: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """int4 rows (n, dim / 2) uint8 and their scales (n,) as `TokenVectors.quantize("int4")` defines; dim is even."""
    integers, scales = quantised_rows(rows, _LARGEST_INT4)
    with np.errstate(invalid="ignore"):
        # Exact products, whose sum float32 rounds alike in any order: the same scale on every machine.
        along = np.einsum("ij,ij->i", rows.astype(np.float64), integers.astype(np.float64))
        squares = np.einsum("ij,ij->i", integers, integers, dtype=np.float64)
        fitted = np.where(squares > 0, along / np.maximum(squares, 1), scales).astype(np.float32)
    return packed_nibbles(integers), fitted


def packed_nibbles(integers: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Integers from -8 to 7, (n, dim), two to a byte: (n, dim / 2) uint8.

    Byte j has 8 more than value j in its lower four bits, and 8 more than value j + dim / 2 in its upper ones: the
    halves of a row come out of a register by one mask and one shift, in their order.
    """
    half = integers.shape[1] // 2
    unsigned = (integers + np.int8(_ZERO_INT4)).view(np.uint8)
    packed: NDArray[np.uint8] = unsigned[:, :half] | (unsigned[:, half:] << np.uint8(4))
    return packed


def unpacked_nibbles(rows: NDArray[np.uint8]) -> NDArray[np.int8]:
    """The integers of int4 rows: (n, dim / 2) uint8 to (n, dim) int8."""
    integers = np.empty((len(rows), 2 * rows.shape[1]), np.int8)
    integers[:, : rows.shape[1]] = rows & np.uint8(15)
    integers[:, rows.shape[1] :] = rows >> np.uint8(4)
    integers -= np.int8(_ZERO_INT4)
    return integers
