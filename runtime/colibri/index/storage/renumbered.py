"""Checksums of documents and passages under other numbers, without reading again what they are of.

A CRC is linear: of two messages of one length, crc(a) ^ crc(b) depends on a ^ b alone, and zeros behind a message
multiply its remainder by a power of x. Both checksums begin with the document's number, so that another number
changes them by (crc(old) ^ crc(new)) * x^(8 * bytes behind it), modulo CRC-32's polynomial. As zlib's crc32_combine,
which Python does not have, for many at once.
"""

import zlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = np.uint32(0xEDB88320)  # reflected: the lowest power of x is the highest bit
_ONE = np.uint32(1 << 31)
PASSAGE_HEAD = 16
"""Bytes of `checksums.passage_crc` between the number and spans, scales and rows."""
DOCUMENT_HEAD = 33
"""Bytes of `checksums.document_crc` behind the number, but for the id and the payload."""

Crcs = NDArray[np.uint32]
Numbers = NDArray[np.int64]


def renumbered(crcs: Crcs, before: Numbers, after: Numbers, behind: Numbers) -> Crcs:
    """Checksums with numbers `after` in place of `before`; all (n,).

    crcs    as they were
    behind  bytes that each is of, behind the number
    """
    changed = before ^ after
    change = np.zeros(len(crcs), np.uint32)
    for place, table in enumerate(_of_bytes()):
        change ^= table[changed >> 8 * place & 255]
    lengths, which = np.unique(behind, return_inverse=True)
    return crcs ^ _product(change, _powers(8 * lengths)[which])


@cache
def _of_bytes() -> list[Crcs]:
    """For each byte of a number, how a change of its bits changes the checksum of the number alone."""
    nothing = zlib.crc32(bytes(8))
    return [
        np.array(
            [zlib.crc32(bytes([*bytes(place), value, *bytes(7 - place)])) ^ nothing for value in range(256)], np.uint32
        )
        for place in range(8)
    ]


def _powers(exponents: Numbers) -> Crcs:
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
