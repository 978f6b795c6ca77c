"""Checksums of passages whose documents get other numbers, without reading their rows again.

A CRC is linear: of two messages of one length, crc(a) ^ crc(b) depends on a ^ b alone, and zeros behind a message
multiply its remainder by a power of x. A passage's checksum begins with its document's number, so that another number
changes it by (crc(old) ^ crc(new)) * x^(8 * bytes behind it), modulo CRC-32's polynomial. As zlib's crc32_combine,
which Python does not have, for many at once.
"""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = np.uint32(0xEDB88320)  # reflected: the lowest power of x is the highest bit
_ONE = np.uint32(1 << 31)
_NUMBER = struct.Struct("<q")
_START_AND_END = 16  # bytes of a passage's checksum between the number and what is packed

Crcs = NDArray[np.uint32]


def renumbered(crcs: Crcs, before: Sequence[int], after: Sequence[int], packed_bytes: NDArray[np.int64]) -> Crcs:
    """`catalogue.passage_crc` of passages with documents' numbers `after` in place of `before`.

    crcs          (n,) as they were
    packed_bytes  (n,) of spans, rows and scales together
    """
    change: dict[tuple[int, int], int] = {}
    for pair in zip(before, after, strict=True):
        if pair not in change:
            change[pair] = zlib.crc32(_NUMBER.pack(pair[0])) ^ zlib.crc32(_NUMBER.pack(pair[1]))
    changes = np.fromiter((change[pair] for pair in zip(before, after, strict=True)), np.uint32, len(crcs))
    lengths, place = np.unique(packed_bytes + _START_AND_END, return_inverse=True)
    return crcs ^ _product(changes, _powers(8 * lengths)[place])


def _powers(exponents: NDArray[np.int64]) -> Crcs:
    """x to the power of each."""
    found = np.full(len(exponents), _ONE)
    square = np.array([_ONE >> 1])
    left = exponents.copy()
    while left.any():
        odd = (left & 1).astype(np.bool_)
        found[odd] = _product(found[odd], np.broadcast_to(square, odd.sum()))
        square = _product(square, square)
        left >>= 1
    return found


def _product(a: Crcs, b: Crcs) -> Crcs:
    """Polynomials over GF(2), modulo CRC-32's."""
    found = np.zeros(a.shape, np.uint32)
    for bit in range(31, -1, -1):
        found ^= np.where(a >> np.uint32(bit) & np.uint32(1), b, np.uint32(0))
        b = (b >> np.uint32(1)) ^ np.where(b & np.uint32(1), _POLYNOMIAL, np.uint32(0))
    return found
