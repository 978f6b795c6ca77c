"""The characters behind each token, in about one byte a token instead of eight.

A token mostly begins where the one before it ended, or one space later, and is short. One byte a token: the gap in the
upper four bits (0 to 14), the length in the lower four (0 to 15). A byte from 0xF0 on escapes: two signed 32-bit
integers follow, gap and length. Rows that stand for no text, (0, 0), are 0xF1.
"""

import struct

import numpy as np

from colibri.errors import StoreDamaged
from colibri.vectors import Spans

_FAR, _NONE = 0xF0, 0xF1
_PAIR = struct.Struct("<ii")


def packed(spans: Spans | None) -> bytes | None:
    """Bytes of (tokens, 2) spans; None for None."""
    if spans is None:
        return None
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


def unpacked(data: bytes | None, tokens: int) -> Spans | None:
    """The spans of so many tokens. Raises StoreDamaged when the bytes are not theirs."""
    if data is None:
        return None
    spans = np.zeros((tokens, 2), np.int32)
    at = end = 0
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
