"""One pass over a run of documents, as compiled Python: lay out a window of tokens, score it tile by tile, add up.

The functions here are texts for the compiler: `build.py` compiles a copy for each kind of rows and instruction set,
with the names that are not defined here (TOKENS, tile_fold, ...) filled in. Everything is int64 and arrays come as
addresses, so that each function has one signature whatever the alignment or writability of the caller's arrays.

A document's end rarely falls on a tile's. Tiles do not mind: they run over the tokens of all documents, and the few
that hold an end store their similarities, from which each document takes its share.
"""

# ruff: noqa: F821 - filled in by build.py
# mypy: ignore-errors

import numpy as np
from numba import carray

from colibri.scoring.kernels.intrinsics import configure, pointer, release, sum_lanes

MANY = 1 << 40  # a length for arrays whose own is not passed along


def scan(
    query, finals, initial, groups, biased, rows, dim, scales, scale_stride, stream, starts, ids, first, last, scores,
    k, top, room,
):  # fmt: skip
    """Score documents first to last - 1 of a stream of tokens. Returns how many are in the heap.

    query         packed words, 16 x groups query tokens
    finals        (16 groups,) float32, what each maximum counts
    initial       (16 groups,) four bytes each, what sums begin with; of sums of 16 bits so many for each block of steps
    biased        whether that is tile.FLOAT_BITS more than it would be
    rows          (tokens, dim), the collection's
    scales        (tokens,) float32 with stride 4, or one for all with stride 0
    stream        (n + 1,) int64; document i owns tokens stream[i]:stream[i + 1] of the stream
    starts, ids   where documents lie: document i is the rows from starts[ids[i]] on. ids 0: the stream is the rows
    scores        (n,) float32, written at the documents' places when k is 0
    k, top        else the k best are kept at top: (k,) float64 scores, (k,) int64 places
    room          bytes to work in, `Compiled.room_bytes` of them
    """
    stream_of = carray(pointer(stream), (MANY,), np.int64)
    score_of = carray(pointer(scores), (MANY,), np.float32)
    steps = (dim + PER_WORD - 1) // PER_WORD
    stride, row_bytes = 4 * steps, dim * SOURCE_BITS // 8
    # Each part of the room from a cache line's start: a register that crosses lines takes two loads.
    sizes = (64 * max(groups, 1), TOKENS * WIDE * 64, (WINDOW + 1) * 64, (WINDOW + TOKENS) * 4 + 63 & -64)
    best = room + 63 & -64
    similarities = best + sizes[0]
    totals = similarities + sizes[1]
    window_scales = totals + sizes[2]
    window_biases = window_scales + sizes[3]
    window = window_biases + sizes[3]
    direct = DIRECT and dim % PER_WORD == 0
    span = WINDOW
    if WINDOW_BYTES != 0:
        span = min(WINDOW, TOKENS * max(1, WINDOW_BYTES // (TOKENS * stride)))
    if TILED:
        configure(registers(best, steps))  # the room of maxima is not in use yet
    best_of = carray(pointer(best), (16 * groups,), np.float32)
    best_of[:] = -np.inf
    kept = 0
    document = first
    begin, run_end = stream_of[first], stream_of[last]
    while begin < run_end:
        end = min(begin + span, run_end)
        base, whole, own_scales = window, end, window_scales
        if ids != 0:
            gather(rows, dim, scales, scale_stride, stream, starts, ids, document, begin, end, window, window_scales)
        else:
            if scale_stride == 4 and end - begin == span:
                own_scales = scales + 4 * begin
            else:
                copy_scales(scales, scale_stride, begin, end - begin, window_scales)
            if direct:
                # Whole tiles read the rows where they lie; a last one would read beyond their end.
                base, whole = rows + begin * stride, begin + (end - begin) // TOKENS * TOKENS
            copied = whole if direct else begin
            convert(rows, copied, end - copied, dim, window, stride)
        if biased != 0:
            bias(own_scales, end - begin, window_biases)
        # The next window's rows, or those AHEAD tokens further on where a kernel is faster than memory. Rows that are
        # converted are read at once, with no computation to hide memory behind (590 GOP/s instead of 800 beyond L2);
        # eight rows of 512 bytes side by side are more than a processor foresees (31 MB of float32: 62 instead of 82).
        ahead = rows + (end + AHEAD) * row_bytes if ids == 0 else 0
        if RUNS and ids == 0 and scale_stride == 4:
            for line in range(scales + 4 * end, scales + 4 * (end + span), 64):
                prefetch(line)
        group, finished = 0, document
        while group < groups:
            wide = 1 if groups - group >= WIDE else 0
            at = 64 * group
            finished = score_window(
                wide, query + at, 64 * groups, initial + at, finals + at, best + at, steps, base, whole, window,
                own_scales, window_biases if biased != 0 else 0, similarities, totals, group, stream, document, last,
                begin, end, ahead, TOKENS * row_bytes,
            )  # fmt: skip
            group += WIDE if wide != 0 else 1
            ahead = 0
        for i in range(finished - document):
            score = sum_lanes(totals + 64 * i)
            if k == 0:
                score_of[document + i] = score
            else:
                kept = keep(top, k, kept, score, document + i)
        document = finished
        begin = end
    if TILED:
        release()
    return kept


def score_window(
    wide, query, query_stride, initial, finals, best, steps, base, whole, window, window_scales, window_biases,
    similarities, totals, add, stream, document, last, begin, end, ahead, ahead_bytes,
):  # fmt: skip
    """Score tokens begin to end of the stream with one or WIDE groups of query tokens.

    Tokens lie at `base`, from `whole` on at `window`. Documents that end here add up at `totals`, 16 lanes each; `best`
    keeps the maxima of one that goes on. Returns the first document that does. While a tile is computed, as many of
    the rows at `ahead` come into the cache, where that is not 0.
    """
    if TILED:
        load_words(wide, query, query_stride, steps)
    stream_of = carray(pointer(stream), (MANY,), np.int64)
    stride = 4 * steps
    groups = WIDE if wide != 0 else 1
    document_end = stream_of[document + 1]
    at = begin
    while at < end:
        stop = min(at + TOKENS, end)
        tile = base + (at - begin) * stride if at < whole else window + (at - whole) * stride
        scales = window_scales + 4 * (at - begin)
        biases = window_biases + 4 * (at - begin) if window_biases != 0 else 0
        similar = similarities
        folded = stop == at + TOKENS and document_end >= stop
        tiles = 1
        if RUNS and folded:
            tiles = (min(document_end, whole if at < whole else end) - at) // TOKENS
            stop = at + TOKENS * tiles
        soon = tile  # which is here already
        if ahead != 0:
            soon = ahead
            if not RUNS:
                for line in range(ahead, ahead + ahead_bytes, 64):
                    prefetch(line)
            ahead += ahead_bytes * tiles
        if folded:
            tile_fold(
                wide, tiles, query, query_stride, initial, tile, stride, steps, scales, biases, similarities, best,
                soon,
            )  # fmt: skip
        else:
            tile_store(
                wide, tiles, query, query_stride, initial, tile, stride, steps, scales, biases, similarities,
                similarities, soon,
            )  # fmt: skip
        while at < stop:
            part = min(document_end, stop) - at
            if not folded:
                fold(wide, similar, part, best)
                similar += 64 * groups * part
            at += part
            if at == document_end:
                finish(wide, best, finals, totals, add, biases)
                totals += 64
                document += 1
                if document < last:
                    document_end = stream_of[document + 1]
    return document


def gather(rows, dim, scales, scale_stride, stream, starts, ids, document, begin, end, window, window_scales):
    """Lay out tokens begin to end of a stream whose documents lie anywhere."""
    starts_of = carray(pointer(starts), (MANY,), np.int64)
    ids_of = carray(pointer(ids), (MANY,), np.int64)
    stream_of = carray(pointer(stream), (MANY,), np.int64)
    stride = (dim + PER_WORD - 1) // PER_WORD * 4
    at = begin
    while at < end:
        stop = min(end, stream_of[document + 1])
        source = starts_of[ids_of[document]] + at - stream_of[document]
        convert(rows, source, stop - at, dim, window + (at - begin) * stride, stride)
        copy_scales(scales, scale_stride, source, stop - at, window_scales + 4 * (at - begin))
        at = stop
        document += 1


def copy_scales(scales, scale_stride, source, count, target):
    """Scales of `count` tokens from `source` on."""
    out = carray(pointer(target), (count,), np.float32)
    given = carray(pointer(scales + source * scale_stride), (count,), np.float32)
    for i in range(count):
        out[i] = given[i if scale_stride != 0 else 0]


def registers(target, steps):
    """AMX's configuration for rows of so many words, written at an address of 64 bytes: see amx.py. Returns it."""
    octets = carray(pointer(target), (64,), np.uint8)
    octets[:] = 0
    octets[0] = 1
    last = (steps - 1) % 16 + 1
    for register in range(8):
        octets[16 + 2 * register] = 4 * last if register == 3 else 64
        octets[48 + register] = last if register >= 6 else 16
    return target


def bias(scales, count, target):
    """-2^23 times each scale, exactly: what a fused multiply-add takes off again (tile.FLOAT_BITS)."""
    out = carray(pointer(target), (count,), np.float32)
    given = carray(pointer(scales), (count,), np.float32)
    for i in range(count):
        out[i] = given[i] * np.float32(-(2.0**23))


def keep(top, k, kept, score, place):
    """Put a score into a heap of the k best, whose root is the worst; of equal ones the later place is worse.

    Places come in rising order. Returns how many the heap holds.
    """
    values = carray(pointer(top), (k,), np.float64)
    places = carray(pointer(top + 8 * k), (k,), np.int64)
    i = kept
    if kept < k:
        kept += 1
        while i > 0 and values[(i - 1) // 2] >= score:
            parent = (i - 1) // 2
            values[i], places[i] = values[parent], places[parent]
            i = parent
    else:
        if not score > values[0]:
            return kept
        i = 0
        while 2 * i + 1 < k:
            child = 2 * i + 1
            other = min(child + 1, k - 1)
            if values[other] < values[child] or (values[other] == values[child] and places[other] > places[child]):
                child = other
            if values[child] >= score:  # an equal one came earlier, so the new one is worse
                break
            values[i], places[i] = values[child], places[child]
            i = child
    values[i], places[i] = score, place
    return kept


HELPERS = (registers, copy_scales, bias, gather, keep, score_window)
"""What is compiled before `scan`, which calls it."""
