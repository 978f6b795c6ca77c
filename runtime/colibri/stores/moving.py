"""A local index on its way into a store of points: rows as they are."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from colibri.errors import StoreError
from colibri.index import Document, Index, Stored
from colibri.pooling import spans_within
from colibri.stores.incoming import Incoming, Passage, check_rows
from colibri.stores.layout import Layout
from colibri.stores.points import check_payload

_AT_ONCE = 256  # documents that are compared with what is there by one request


@dataclass(frozen=True, kw_only=True)
class Moved:
    """put: documents written. same: those that were there already as they are."""

    put: int
    same: int


def check_movable(index: Index, space_id: str, layout: Layout) -> None:
    """Refuse an index whose rows mean something else in the store."""
    if index.space_id != space_id:
        raise StoreError(f"{index.path}: its rows are of another model's space than the store's")
    if list(layout.dims) != [index.dim]:
        widths = ", ".join(map(str, layout.dims))
        raise StoreError(
            f"{index.path}: rows of width {index.dim}, the store keeps {widths}; they cannot be made of them"
        )


def chunks(index: Index) -> Iterator[list[Incoming]]:
    """Its documents in order, some at a time. int8 rows become the float32 that they stand for."""
    documents = index.documents(vectors=True)
    while some := list(islice(documents, _AT_ONCE)):
        yield [_incoming(stored) for stored in some]


def _incoming(stored: Stored) -> Incoming:
    vectors = stored.vectors
    assert vectors is not None
    floats = vectors.dequantize()
    document = Document(id=stored.id, text=stored.text, payload=stored.payload)
    check_payload(document, json.dumps(stored.payload), repr(stored.id))
    lengths = np.diff(vectors.starts).tolist()
    check_rows(floats.rows, lengths, vectors.dim, repr(stored.id), cosine=False)
    passages = []
    for i, span in enumerate(stored.passages):
        own = slice(vectors.starts[i], vectors.starts[i + 1])
        tokens = None if vectors.spans is None else vectors.spans[own]
        more = spans_within(vectors.more_spans, own.start, own.stop)
        passages.append(Passage(span, {vectors.dim: floats.rows[own]}, tokens, more))
    return Incoming(document, passages, _digest(stored))


def _digest(stored: Stored) -> str:
    vectors = stored.vectors
    assert vectors is not None
    found = hashlib.blake2b(digest_size=16)
    found.update(json.dumps([stored.id, stored.text, stored.payload, stored.passages]).encode())
    for part in (vectors.starts, vectors.rows, vectors.scales, vectors.spans, vectors.more_spans):
        found.update(b"" if part is None else np.ascontiguousarray(part).tobytes())
    return found.hexdigest()
