"""Documents on their way into a store of points: all checked before anything is sent, then encoded as they go."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri.errors import InputError, InputTypeError, ShapeError
from colibri.index import Document, Given, IndexModel, Passages, checked, given_rows, passages_of, payload_json
from colibri.pooling import spans_within
from colibri.stores.layout import MOST_NUMBERS, Layout
from colibri.stores.points import check_payload
from colibri.vectors import Span, Spans, TokenVectors

_UNIT = 1e-3  # how far from 1 a unit row's length may be: float16 rows are off by 5e-4


@dataclass(frozen=True, eq=False)
class Passage:
    """rows: width -> (tokens, dim) float32. tokens: (tokens, 2) int32, their characters in the document, or None.
    more: further ones of rows that were pooled, as `TokenVectors.more_spans`, or None."""

    span: Span
    rows: Mapping[int, NDArray[np.float32]]
    tokens: Spans | None
    more: Spans | None = None


@dataclass(frozen=True, eq=False)
class Incoming:
    """A document, checked. passages: None until it is encoded. digest: of all of it, where it comes from an index."""

    document: Document
    passages: Sequence[Passage] | None
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How documents come in; passage_tokens None: a text is one passage, cut at the model's limit."""

    keep_text: bool = True
    passage_tokens: int | None
    overlap_tokens: int


def read(documents: Iterable[Document | Mapping[str, Any]], layout: Layout, space_id: str) -> list[Incoming]:
    """Every document, or an error that says which cannot be one. A generator is read to its end."""
    if isinstance(documents, Mapping | str | Document) or not hasattr(documents, "__iter__"):
        raise InputTypeError(f"documents: found {type(documents).__name__}, wanted a list of documents")
    found = []
    for place, given in enumerate(documents):
        document = checked(given, place)
        where = f"documents[{place}] ({document.id!r})"
        check_payload(document, payload_json(document.payload, where), where)
        passages = None if document.vectors is None else _ready(document, layout, space_id, where)
        found.append(Incoming(document, passages))
    return found


def _ready(document: Document, layout: Layout, space_id: str, where: str) -> list[Passage]:
    """The passages of a document that brings its rows: TokenVectors or an array, of several widths one each."""
    given: Any = document.vectors
    if not isinstance(given, Mapping):
        if len(layout.dims) > 1:
            wanted = ", ".join(f"{dim}: ..." for dim in layout.dims)
            raise ShapeError(f"{where}: this store has {len(layout.dims)} widths; give vectors={{{wanted}}}, or a text")
        given = {layout.dims[0]: given}
    if set(given) != set(layout.dims):
        raise ShapeError(f"{where}: vectors of widths {list(given)}, wanted {list(layout.dims)}")
    by_width = {dim: given_rows(given[dim], dim, space_id, where) for dim in layout.dims}
    if len({tuple(one.lengths) for one in by_width.values()}) > 1:
        raise ShapeError(f"{where}: its widths differ in passages or tokens")
    first = by_width[layout.dims[0]]
    rows = {dim: _floats(one) for dim, one in by_width.items()}
    for dim, own in rows.items():
        check_rows(own, first.lengths, dim, where, cosine=layout.cosine)
    return list(_cut(first, rows, passages_of(first, document.text)))


def _cut(first: Given, rows: Mapping[int, NDArray[np.float32]], spans: Sequence[Span]) -> Iterator[Passage]:
    begin = 0
    for span, length in zip(spans, first.lengths, strict=True):
        own = slice(begin, begin + length)
        more = spans_within(first.more, begin, begin + length)
        begin += length
        tokens = None if first.spans is None else first.spans[own]
        yield Passage(span, {dim: one[own] for dim, one in rows.items()}, tokens, more)


def _floats(given: Given) -> NDArray[np.float32]:
    rows = given.rows.astype(np.float32, copy=False)
    return rows if given.scales is None else rows * given.scales[:, None]


def check_rows(rows: NDArray[np.float32], lengths: Sequence[int], dim: int, where: str, *, cosine: bool) -> None:
    """Refuse what an engine takes in silence and ranks wrong, and what a server refuses.

    Infinite rows rank first everywhere, NaN is accepted by Edge, COSINE forgets lengths.
    """
    if not np.isfinite(rows).all():
        raise InputError(f"{where}: vectors are not finite")
    longest = max(lengths)
    if longest * dim > MOST_NUMBERS:
        raise InputError(
            f"{where}: a passage of {longest:,} tokens, a server takes {MOST_NUMBERS // dim:,} of {dim} numbers; "
            "split it into passages, each with rows of its own"
        )
    if cosine and (np.abs(np.linalg.norm(rows, axis=1) - 1) > _UNIT).any():
        raise InputError(f"{where}: rows that are not of length 1, and the collection's COSINE would make them so")


def encoded(model: IndexModel, documents: Iterable[Document], layout: Layout, wanted: Rules) -> Iterator[Incoming]:
    """Texts with their passages, as they are done, in order."""
    found = model.passages(
        documents,
        layout.dims,
        TokenVectors.dequantize,
        passage_tokens=wanted.passage_tokens,
        overlap_tokens=wanted.overlap_tokens,
    )
    for one in found:
        yield Incoming(one.document, _encoded(one, layout))


def _encoded(one: Passages, layout: Layout) -> list[Passage]:
    passages = []
    for i, span in enumerate(one.spans):
        rows = {dim: one.rows[dim][i].rows for dim in layout.dims}
        for dim, own in rows.items():
            check_rows(own, [len(own)], dim, repr(one.document.id), cosine=layout.cosine)
        spans = one.rows[layout.dims[0]][i].spans
        assert spans is not None
        known = (spans[:, 1] > 0)[:, None] & (span.end > span.start)
        passages.append(Passage(span, rows, np.where(known, spans + np.int32(span.start), 0).astype(np.int32)))
    return passages
