"""The characters behind each token, in about one byte a token instead of eight, or half of one.

A token mostly begins where the one before it ended, or one space later, and is short. Beside int8 rows, one byte a
token: the gap in the upper four bits (0 to 14), the length in the lower four (0 to 15). A byte from 0xF0 on escapes:
two signed 32-bit integers follow, gap and length. Rows that stand for no text, (0, 0), are 0xF1.

Beside int4 rows, which programs that know only the above refuse, 0xFF and then four bits a token, the lower ones of a
byte first: gap 0 and length 1 to 5, gap 1 and length 1 to 8, (0, 0); 14: gap + 3 and length follow in four bits each;
15: the two integers. Of real texts 93 % are of the first kinds, and 1.21 bytes a token become 0.60: tokens that share a
character, 2.6 %, have gap -1 and cost 9 bytes above (benchmarks/NOTES.md).

Where tokens were pooled, a row stands for several places: 0xF2 comes first, then how many places there are, then of
each, in the order of the text, its row, and their characters as above. A row is a number of seven bits a byte, the
lowest first, the eighth saying that more follow: 0 for the next row that has none yet, n for the n-th last of those
that have.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colibri.errors import StoreDamaged
from colibri.index.storage.row_layout import RowKind
from colibri.vectors import Spans

_FAR, _NONE, _POOLED = 0xF0, 0xF1, 0xF2
_PAIR = struct.Struct("<ii")

_NIBBLES = 0xFF
"""Begins what is in four bits; no other begins so."""
_ADJACENT, _SPACED = 5, 8  # lengths from 1 that have a code of their own behind gap 0, and gap 1
_NONE4, _NEAR4, _FAR4 = 13, 14, 15
_SHORTEST_GAP = -3  # of _NEAR4


@dataclass(frozen=True)
class _Steps:
    """gaps  (tokens,) int64, from the end of the last token that stands for text. lengths  (tokens,) int64

    none  (tokens,) bool, of tokens that stand for no text
    """

    gaps: NDArray[np.int64]
    lengths: NDArray[np.int64]
    none: NDArray[np.bool_]


def packed(spans: Spans | None, more: Spans | None = None, kind: RowKind = "int8") -> bytes | None:
    """Bytes of (tokens, 2) spans, and of further ones (further, 3) as `TokenVectors.more_spans`, as they stand beside
    rows of a kind; None for None."""
    if spans is None:
        return None
    if more is None or not len(more):
        return _packed_spans(spans, kind)
    # Rows in their order, and further places behind their row's first, wherever they are said to lie.
    firsts = np.maximum.accumulate(spans[:, 0])
    keys = np.concatenate([firsts, np.maximum(more[:, 1], firsts[more[:, 0]])])
    order = np.argsort(keys, kind="stable")
    first = order < len(spans)
    rows = np.concatenate([np.arange(len(spans)), more[:, 0]])[order]
    back = np.where(first, 0, np.cumsum(first) - rows)
    places = np.concatenate([spans, more[:, 1:]])[order]
    return bytes([_POOLED]) + _packed_numbers(np.append(len(order), back)) + _packed_spans(places, kind)


def _packed_numbers(numbers: NDArray[np.int64]) -> bytes:
    found = bytearray()
    for number in numbers.tolist():
        rest = number
        while rest > 127:
            found.append(128 | rest & 127)
            rest >>= 7
        found.append(rest)
    return bytes(found)


def _packed_spans(spans: Spans, kind: RowKind) -> bytes:
    steps = _steps(spans)
    return _bytes(steps) if kind == "int8" else _nibbles(steps)


def _steps(spans: Spans) -> _Steps:
    starts, ends = spans[:, 0].astype(np.int64), spans[:, 1].astype(np.int64)
    none = (starts == 0) & (ends == 0)
    # The end of the last token before each that stands for text.
    reach = np.where(none, 0, ends)
    last = np.maximum.accumulate(np.where(none, -1, np.arange(len(spans))))
    before = np.zeros(len(spans), np.int64)
    if len(spans):
        previous = np.concatenate([[-1], last[:-1]])
        before = np.where(previous >= 0, reach[previous], 0)
    return _Steps(starts - before, ends - starts, none)


def _bytes(steps: _Steps) -> bytes:
    gaps, lengths, none = steps.gaps, steps.lengths, steps.none
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


def _nibbles(steps: _Steps) -> bytes:
    gaps, lengths = steps.gaps, steps.lengths
    codes = np.full(len(gaps), _FAR4)
    own = gaps - _SHORTEST_GAP
    codes[(own >= 0) & (own <= 15) & (lengths >= 0) & (lengths <= 15)] = _NEAR4
    for gap, longest, first in ((0, _ADJACENT, 0), (1, _SPACED, _ADJACENT)):
        usual = (gaps == gap) & (lengths >= 1) & (lengths <= longest)
        codes[usual] = first + lengths[usual] - 1
    codes[steps.none] = _NONE4
    widths = np.where(codes == _FAR4, 1 + 2 * _PAIR.size, np.where(codes == _NEAR4, 3, 1))
    begins = np.cumsum(widths) - widths
    total = int(widths.sum())
    found = np.zeros(total + total % 2, np.uint8)
    found[begins] = codes
    near = np.flatnonzero(codes == _NEAR4)
    found[begins[near] + 1], found[begins[near] + 2] = own[near], lengths[near]
    for token in np.flatnonzero(codes == _FAR4).tolist():
        pair = np.frombuffer(_PAIR.pack(gaps[token], lengths[token]), np.uint8)
        at = int(begins[token]) + 1
        found[at : at + 2 * len(pair)] = _spread(pair)
    return bytes([_NIBBLES]) + (found[::2] | found[1::2] << np.uint8(4)).tobytes()


def _spread(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Four bits after four bits, the lower ones of a byte first."""
    return np.stack([data & np.uint8(15), data >> np.uint8(4)], axis=1).ravel()


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


def all_unpacked(passages: Sequence[tuple[bytes | None, int]]) -> list[tuple[Spans | None, Spans | None]]:
    """`unpacked` of many, with how many tokens each has. Those of one byte a token are read at once: one by one the 84
    passages of a page's answer take 4 ms, as long as to find which of their tokens answer a query (Zen 4)."""
    plain = {place: data for place, (data, tokens) in enumerate(passages) if data and _is_plain(data, tokens)}
    told = dict(zip(plain, _of_plain(list(plain.values())), strict=True))
    return [
        (told[place], None) if place in told else unpacked(data, tokens)
        for place, (data, tokens) in enumerate(passages)
    ]


def _is_plain(data: bytes, tokens: int) -> bool:
    return len(data) == tokens and data[0] not in {_POOLED, _NIBBLES} and _FAR not in data


def _of_plain(passages: Sequence[bytes]) -> list[Spans]:
    """Of each, whose bytes are a token each."""
    if not passages:
        return []
    codes, lasts = np.frombuffer(b"".join(passages), np.uint8), np.cumsum([len(data) for data in passages])
    lengths = np.where(codes == _NONE, 0, codes & 15).astype(np.int64)
    ends = np.cumsum(np.where(codes == _NONE, 0, codes >> 4) + lengths)
    ends -= np.repeat(np.concatenate([[0], ends[lasts[:-1] - 1]]), np.diff(lasts, prepend=0))
    spans = np.stack([ends - lengths, ends], axis=1)
    spans[codes == _NONE] = 0
    return np.split(_within(spans), lasts[:-1])


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
    if data[at : at + 1] == bytes([_NIBBLES]):
        return _of_nibbles(data[at + 1 :], tokens)
    gaps, lengths, none = np.zeros(tokens, np.int64), np.zeros(tokens, np.int64), np.zeros(tokens, np.bool_)
    token = 0
    while True:  # as many as one byte tells each, at once, and the far one behind them
        far = data.find(bytes([_FAR]), at)
        count = min((far if far >= 0 else len(data)) - at, tokens - token)
        codes = np.frombuffer(data, np.uint8, count, at)
        own = slice(token, token + count)
        gaps[own], lengths[own], none[own] = codes >> 4, codes & 15, codes == _NONE
        token, at = token + count, at + count
        if token == tokens:
            break
        if far < 0 or at + 1 + _PAIR.size > len(data):
            raise StoreDamaged("token offsets end early")
        gaps[token], lengths[token] = _PAIR.unpack_from(data, at + 1)
        token, at = token + 1, at + 1 + _PAIR.size
    if at != len(data):
        raise StoreDamaged("token offsets go on")
    gaps[none] = lengths[none] = 0
    ends = np.cumsum(gaps + lengths)
    spans = np.stack([ends - lengths, ends], axis=1)
    spans[none] = 0
    return _within(spans)


def _of_nibbles(data: bytes, tokens: int) -> Spans:
    found = [*_spread(np.frombuffer(data, np.uint8)).tolist(), *[0] * (2 * _PAIR.size)]  # so that none is looked for
    spans: list[tuple[int, int]] = []
    at = end = 0
    for _ in range(tokens):
        code = found[at] if at < 2 * len(data) else None
        at += 1
        if code is None:
            raise StoreDamaged("token offsets end early")
        if code == _NONE4:
            spans.append((0, 0))
            continue
        if code == _FAR4:
            low = found[at : at + 2 * _PAIR.size]
            gap, length = _PAIR.unpack(bytes(a | b << 4 for a, b in zip(low[::2], low[1::2], strict=True)))
            at += 2 * _PAIR.size
        elif code == _NEAR4:
            gap, length = found[at] + _SHORTEST_GAP, found[at + 1]
            at += 2
        elif code < _ADJACENT:
            gap, length = 0, code + 1
        else:
            gap, length = 1, code - _ADJACENT + 1
        start = end + gap
        end = start + length
        spans.append((start, end))
    if at > 2 * len(data):
        raise StoreDamaged("token offsets end early")
    if 2 * len(data) - at > 1 or any(found[at : 2 * len(data)]):
        raise StoreDamaged("token offsets go on")
    return _within(np.array(spans, np.int64).reshape(-1, 2))


def _within(spans: NDArray[np.int64]) -> Spans:
    """As they are. Bytes that are damaged may add up to anything."""
    if spans.size and not (spans.min() >= -(2**31) and spans.max() < 2**31):
        raise StoreDamaged("token offsets are out of range")
    return spans.astype(np.int32)
