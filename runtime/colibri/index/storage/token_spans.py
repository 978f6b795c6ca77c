"""The characters behind each token, in about one byte a token instead of eight.

A token mostly begins where the one before it ended, or one space later, and is short. One byte a token: the gap in the
upper four bits (0 to 14), the length in the lower four (0 to 15). A byte from 0xF0 on escapes: two signed 32-bit
integers follow, gap and length. Rows that stand for no text, (0, 0), are 0xF1.

Where tokens were pooled, a row stands for several places, and two bytes are a place: 0xF2 comes first, then how many
places there are, then of each, in the order of the text, its row, and their characters as above. A row is a number of
seven bits a byte, the lowest first, the eighth saying that more follow: 0 for the next row that has none yet, n for the
n-th last of those that have.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from colibri.errors import StoreDamaged
from colibri.vectors import Spans

_FAR, _NONE, _POOLED = 0xF0, 0xF1, 0xF2
_PAIR = struct.Struct("<ii")


def packed(spans: Spans | None, more: Spans | None = None) -> bytes | None:
    """Bytes of (tokens, 2) spans, and of further ones (further, 3) as `TokenVectors.more_spans`; None for None."""
    if spans is None:
        return None
    if more is None or not len(more):
        return _packed_spans(spans)
    # Rows in their order, and further places behind their row's first, wherever they are said to lie.
    firsts = np.maximum.accumulate(spans[:, 0])
    keys = np.concatenate([firsts, np.maximum(more[:, 1], firsts[more[:, 0]])])
    order = np.argsort(keys, kind="stable")
    first = order < len(spans)
    rows = np.concatenate([np.arange(len(spans)), more[:, 0]])[order]
    back = np.where(first, 0, np.cumsum(first) - rows)
    places = np.concatenate([spans, more[:, 1:]])[order]
    return bytes([_POOLED]) + _packed_numbers(np.append(len(order), back)) + _packed_spans(places)


def _packed_numbers(numbers: NDArray[np.int64]) -> bytes:
    found = bytearray()
    for number in numbers.tolist():
        rest = number
        while rest > 127:
            found.append(128 | rest & 127)
            rest >>= 7
        found.append(rest)
    return bytes(found)


def _packed_spans(spans: Spans) -> bytes:
    starts, ends = spans[:, 0].astype(np.int64), spans[:, 1].astype(np.int64)
    none = (starts == 0) & (ends == 0)
    # The end of the last token before each that stands for text.
    reach = np.where(none, 0, ends)
    last = np.maximum.accumulate(np.where(none, -1, np.arange(len(spans))))
    before = np.zeros(len(spans), np.int64)
    if len(spans):
        previous = np.concatenate([[-1], last[:-1]])
        before = np.where(previous >= 0, reach[previous], 0)
    gaps, lengths = starts - before, ends - starts
    near = ~none & (gaps >= 0) & (gaps <= 14) & (lengths >= 0) & (lengths <= 15)
    codes = np.where(none, _NONE, np.where(near, gaps << 4 | lengths, _FAR)).astype(np.uint8)
    far = np.flatnonzero(codes == _FAR)
    if not far.size:
        return codes.tobytes()
    parts, at = [], 0
    for token in far.tolist():
        parts += [codes[at : token + 1].tobytes(), _PAIR.pack(gaps[token], lengths[token])]
        at = token + 1
    return b"".join([*parts, codes[at:].tobytes()])


def unpacked(data: bytes | None, tokens: int) -> tuple[Spans | None, Spans | None]:
    """The spans of so many tokens, and the further ones, rows ascending; None for those that there are not. Raises
    StoreDamaged when the bytes are not theirs."""
    if data is None:
        return None, None
    if not data or data[0] != _POOLED:
        return _unpacked_spans(data, 0, tokens), None
    (count,), at = _unpacked_numbers(data, 1, 1)
    if not tokens <= count <= len(data):
        raise StoreDamaged("token offsets are not those of their rows")
    backs, at = _unpacked_numbers(data, at, count)
    places = _unpacked_spans(data, at, count)
    back = np.array(backs, np.int64)
    first = back == 0
    rows = np.where(first, np.cumsum(first) - 1, np.cumsum(first) - back)
    if first.sum() != tokens or (rows < 0).any():
        raise StoreDamaged("token offsets are not those of their rows")
    more = np.column_stack([rows[~first], places[~first]]).astype(np.int32)
    return places[first], more[np.argsort(more[:, 0], kind="stable")]


def _unpacked_numbers(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    """So many numbers, and where they end."""
    found = []
    for _ in range(count):
        number, shift = 0, 0
        while True:
            if at >= len(data) or shift > 28:
                raise StoreDamaged("token offsets end early")
            number |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                break
        found.append(number)
    return found, at


def _unpacked_spans(data: bytes, at: int, tokens: int) -> Spans:
    spans = np.zeros((tokens, 2), np.int32)
    end = 0
    for token in range(tokens):
        if at >= len(data):
            raise StoreDamaged("token offsets end early")
        code = data[at]
        at += 1
        if code == _NONE:
            continue
        if code == _FAR:
            if at + _PAIR.size > len(data):
                raise StoreDamaged("token offsets end early")
            gap, length = _PAIR.unpack_from(data, at)
            at += _PAIR.size
        else:
            gap, length = code >> 4, code & 15
        start = end + gap
        end = start + length
        spans[token] = (start, end)
    if at != len(data):
        raise StoreDamaged("token offsets go on")
    return spans
