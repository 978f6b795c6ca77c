"""Rows to words, as compiled Python: queries once a call, documents a window at a time (see scan.py and build.py).

The query's part of the int8 score's meaning (`colibri.quantised.quantised_rows`) stands here a second time; tests hold
the two together bit for bit.
"""

# ruff: noqa: F821 - filled in by build.py
# mypy: ignore-errors

import numpy as np
from numba import carray

from colibri.scoring.kernels.intrinsics import flip_lines, pointer


def pack_float(query, tokens, dim, weights, words, finals, initial, groups, bits):
    """float32 query rows to words; finals are the weights, or 1; sums begin with no bits, which is 0."""
    given = carray(pointer(query), (tokens, dim), np.float32)
    out = carray(pointer(words), (dim, 16 * groups), np.float32)
    final = carray(pointer(finals), (16 * groups,), np.float32)
    start = carray(pointer(initial), (16 * groups,), np.int32)
    weight = carray(pointer(weights), (tokens,), np.float32)
    for token in range(16 * groups):
        start[token] = bits
        final[token] = 0
        for i in range(dim):
            out[i, token] = 0
    for token in range(tokens):
        final[token] = weight[token] if weights != 0 else np.float32(1)
        for i in range(dim):
            out[i, token] = given[token, i]


def pack_integer(query, tokens, dim, weights, words, finals, initial, groups, bits):
    """float32 query rows to integers and scales, as words; finals are the scales times the weights.

    bits: what sums begin with beside the offset's correction.
    """
    steps = (dim + PER_WORD - 1) // PER_WORD
    given = carray(pointer(query), (tokens, dim), np.float32)
    out = carray(pointer(words), (steps, 16 * groups, PER_WORD), WORD)
    flat = carray(pointer(words), (steps * 16 * groups,), np.int32)
    final = carray(pointer(finals), (16 * groups,), np.float32)
    start = carray(pointer(initial), (16 * groups,), np.int32)
    weight = carray(pointer(weights), (tokens,), np.float32)
    for i in range(steps * 16 * groups):
        flat[i] = 0
    for token in range(16 * groups):
        start[token] = bits
        final[token] = 0
    for token in range(tokens):
        largest = np.float32(0)
        for i in range(dim):
            largest = max(largest, abs(given[token, i]))
        scale = np.float32(0)
        inverse = np.float32(0)
        if largest >= SMALLEST:
            scale = largest / np.float32(127)
            inverse = np.float32(127) / largest
        total = np.int64(0)
        for i in range(dim):
            value = np.int64(np.rint(given[token, i] * inverse))
            out[i // PER_WORD, token, i % PER_WORD] = value
            total += value
        final[token] = scale * weight[token] if weights != 0 else scale
        start[token] = bits - OFFSET * total


def pack_short(query, tokens, dim, weights, words, finals, initial, groups, bits):
    """`pack_integer` for sums of 16 bits: `initial` has a line a block of SHORT_STEPS steps, two int16 a query token.

    The sums have no room for `bits`, which are added to what they come to.
    """
    pack_integer_words(query, tokens, dim, weights, words, finals, initial, groups, 0)
    steps = (dim + PER_WORD - 1) // PER_WORD
    blocks = (steps + SHORT_STEPS - 1) // SHORT_STEPS
    packed = carray(pointer(words), (steps, 16 * groups, PER_WORD), WORD)
    start = carray(pointer(initial), (blocks, 16 * groups, 2), np.int16)
    for block in range(blocks):
        for token in range(16 * groups):
            for side in range(2):
                total = np.int64(0)
                for step in range(SHORT_STEPS * block, min(SHORT_STEPS * (block + 1), steps)):
                    total += packed[step, token, 2 * side] + np.int64(packed[step, token, 2 * side + 1])
                start[block, token, side] = -OFFSET * total


def convert_plain(rows, source, count, dim, target, stride):
    """Rows as they are, or widened to what a word holds: int8 to int16 or float32."""
    given = carray(pointer(rows + source * dim * SOURCE_BYTES), (count * dim,), SOURCE)
    if dim % PER_WORD == 0:
        out = carray(pointer(target), (count * dim,), WORD)
        for i in range(count * dim):
            out[i] = given[i]
        return
    for token in range(count):
        row = carray(pointer(target + token * stride), (dim,), WORD)
        for i in range(dim):
            row[i] = given[token * dim + i]


def convert_unsigned(rows, source, count, dim, target, stride):
    """int8 rows as uint8, 128 more: vpdpbusd's first operand is unsigned; the sums begin at -128 x the query's sum."""
    given = carray(pointer(rows + source * dim), (count * dim,), np.uint8)
    if dim % PER_WORD == 0:
        out = carray(pointer(target), (count * dim,), np.uint8)
        lines = count * dim // 256
        if lines != 0:  # the compiler would take half a register at a time
            flip_lines(rows + source * dim, target, lines)
        for i in range(256 * lines, count * dim):
            out[i] = given[i] ^ np.uint8(128)
        return
    for token in range(count):
        row = carray(pointer(target + token * stride), (dim,), np.uint8)
        for i in range(dim):
            row[i] = given[token * dim + i] ^ np.uint8(128)


def convert_nibbles(rows, source, count, dim, target, stride):
    """int4 rows as what a word holds, ZERO taken off: vpdpbusd and vpmaddubsw take nibbles as they are, unsigned."""
    half = dim // 2
    given = rows + source * half
    if PER_WORD == 4 and half % 16 == 0:
        if count > 0:
            unpack(given, half, target, stride, count)
        return
    for token in range(count):
        packed = carray(pointer(given + token * half), (half,), np.uint8)
        row = carray(pointer(target + token * stride), (dim,), WORD)
        for i in range(half):
            row[i] = np.int64(packed[i] & np.uint8(15)) - ZERO
            row[half + i] = np.int64(packed[i] >> np.uint8(4)) - ZERO


def convert_half(rows, source, count, dim, target, stride):
    """float16 rows as float32, exactly, on any processor: move the bits, then mend the exponent by 2^112."""
    given = carray(pointer(rows + source * dim * 2), (count * dim,), np.uint16)
    bits = carray(pointer(target), (count * dim,), np.uint32)
    values = carray(pointer(target), (count * dim,), np.float32)
    for i in range(count * dim):
        half = np.uint32(given[i])
        bits[i] = ((half & np.uint32(0x8000)) << np.uint32(16)) | ((half & np.uint32(0x7FFF)) << np.uint32(13))
    for i in range(count * dim):
        values[i] = values[i] * np.float32(2.0**112)
