"""Rows on their way into an index: as they were given, then as it keeps them, many documents at a time.

An index of ready vectors takes 20,000 documents a second and more, so that each has 50 us: what can be checked or
computed for a batch is not done document by document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from colibri.errors import InputError, ShapeError
from colibri.index.storage.row_layout import RowKind, RowLayout
from colibri.pooling import spans_within
from colibri.quantised import nibble_rows, quantised_rows, unpacked_nibbles
from colibri.vectors import Rows, Span, Spans, TokenVectors

_QUANTISED_AT_ONCE = 2_048  # tokens: half a megabyte of float32 at 64 dims stays in a core's cache


@dataclass(slots=True, eq=False)
class Given:
    """The rows of a document, not known to be finite yet.

    rows     (tokens, dim) float32, float16 or int8, or (tokens, dim / 2) int4; of int8 and int4 rows, scales (tokens,)
    lengths  how many of them each passage has, none without
    spans    (tokens, 2) or None, and further ones of rows that stand for more than one place, (further, 3) or None
    """

    rows: Rows
    lengths: list[int]
    scales: NDArray[np.float32] | None = None
    spans: Spans | None = None
    more: Spans | None = None


def given_rows(vectors: object, dim: int, space_id: str, where: str) -> Given:
    """Rows given with a document, checked: of the index's dim and space, every passage with a row."""
    if isinstance(vectors, TokenVectors):
        if vectors.space_id and space_id and vectors.space_id != space_id:
            raise ShapeError(f"{where}: vectors are of another model's space than the index")
        if vectors.kind in ("int8", "int4") and vectors.scales is None:
            raise ShapeError(f"{where}: {vectors.kind} vectors without scales; TokenVectors.quantize() makes both")
        found = vectors.dim
        lengths = np.diff(vectors.starts).tolist()
        given = Given(vectors.rows, lengths, vectors.scales, vectors.spans, vectors.more_spans)
    else:
        rows = np.asarray(vectors)
        if rows.ndim != 2 or rows.dtype.kind != "f":
            raise ShapeError(f"{where}: vectors are {rows.dtype} {rows.shape}, wanted float32 (tokens, {dim})")
        if rows.itemsize > 4:
            with np.errstate(over="ignore"):  # what overflows is not finite, which is refused
                rows = rows.astype(np.float32)
        found = rows.shape[1]
        given = Given(rows, [len(rows)])
    if found != dim:
        raise ShapeError(f"{where}: vectors have dim {found}, the index has {dim}")
    if not given.lengths or not all(given.lengths):
        raise ShapeError(f"{where}: a passage without rows")
    return given


def passages_of(given: Given, text: str | None) -> tuple[Span, ...]:
    """Which characters ready passages are: what their tokens' spans say, else all of the text for a single one."""
    if given.spans is None:
        whole = Span(0, len(text)) if text is not None and len(given.lengths) == 1 else Span(0, 0)
        return (whole,) * len(given.lengths)
    found = []
    begin = 0
    for length in given.lengths:
        spans = given.spans[begin : begin + length]
        if (more := spans_within(given.more, begin, begin + length)) is not None:
            spans = np.concatenate([spans, more[:, 1:]])
        spans = spans[spans[:, 1] > spans[:, 0]]
        found.append(Span(int(spans[:, 0].min()), int(spans[:, 1].max())) if len(spans) else Span(0, 0))
        begin += length
    return tuple(found)


def packed(parts: Mapping[str, Given], layout: RowLayout) -> TokenVectors:
    """The rows of documents (by id) as an index keeps them, end to end. Where one has no spans, its are (0, 0): nobody
    knows.

    Raises InputError that names a document whose rows are not finite.
    """
    counts = [len(part.rows) for part in parts.values()]
    rows, scales = np.empty((sum(counts), layout.row_bytes), layout.dtype), np.empty(sum(counts), np.float32)
    at = 0
    for dtype, group in groupby(parts.values(), key=lambda part: part.rows.dtype):
        run = list(group)
        given = run[0].rows if len(run) == 1 else np.concatenate([part.rows for part in run])
        sizes = None
        if dtype in (np.int8, np.uint8):
            sizes = np.concatenate([part.scales for part in run if part.scales is not None])
        for first in range(0, len(given), _QUANTISED_AT_ONCE):
            some = slice(first, first + _QUANTISED_AT_ONCE)
            own = slice(at + first, at + first + len(given[some]))
            rows[own], scales[own] = _stored(given[some], None if sizes is None else sizes[some], layout.kind)
        at += len(given)
    if not np.isfinite(scales).all():
        token = int((~np.isfinite(scales)).argmax())
        place = int(np.searchsorted(np.cumsum(counts), token, side="right"))
        raise InputError(f"documents: vectors of {list(parts)[place]!r} are not finite")
    lengths = [length for part in parts.values() for length in part.lengths]
    starts = np.zeros(1 + len(lengths), np.int64)
    np.cumsum(lengths, out=starts[1:])
    spans: Spans | None = None
    if any(part.spans is not None for part in parts.values()):
        spans = np.concatenate(
            [np.zeros((len(part.rows), 2), np.int32) if part.spans is None else part.spans for part in parts.values()]
        )
    more: Spans | None = None
    if spans is not None and any(part.more is not None for part in parts.values()):
        befores = np.cumsum([0, *counts[:-1]])
        of_rows = [
            part.more + np.array([before, 0, 0], np.int32)
            for part, before in zip(parts.values(), befores, strict=True)
            if part.more is not None
        ]
        more = np.concatenate(of_rows).astype(np.int32)
    return TokenVectors(rows, starts, spans, scales=scales, more_spans=more)


def _stored(rows: Rows, scales: NDArray[np.float32] | None, kind: RowKind) -> tuple[Rows, NDArray[np.float32]]:
    """Rows of one dtype, and the scales that int8 and int4 ones have, as those of a kind: as `TokenVectors.quantize`
    does it. Those that are not finite give such scales."""
    if scales is None:
        return nibble_rows(rows) if kind == "int4" else quantised_rows(rows)
    given = "int4" if rows.dtype == np.uint8 else "int8"
    if given == kind:
        return rows, scales
    if kind == "int8":
        return unpacked_nibbles(rows), scales
    with np.errstate(over="ignore", invalid="ignore"):
        return nibble_rows(rows.astype(np.float32) * scales[:, None])
