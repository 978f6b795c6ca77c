"""Haystack's documents as a store of ours keeps them, and back.

`content` is the text, `meta` the payload, so that `colibri search --where` filters by it; what neither has a place for
(an embedding, a blob, that there was no content) lies in the payload under one name of its own.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from haystack import Document
from haystack.dataclasses import ByteStream, SparseEmbedding

import colibri
from colibri.errors import InputError, InputTypeError

OWN = "_haystack"
"""The name in payloads."""


def put(document: Document) -> colibri.Document:
    """As it is stored. Its score is not: it is an answer's. Raises InputError for `meta` with our own name in it."""
    if not isinstance(document.meta, Mapping):
        raise InputTypeError(f"{document.id!r}: meta is {type(document.meta).__name__}, wanted a mapping")
    if OWN in document.meta:
        raise InputError(
            f"{document.id!r}: meta has a field {OWN!r}, which Colibri keeps for itself; name it otherwise"
        )
    own: dict[str, Any] = {}
    if document.content is None:
        own["content"] = False
    if document.embedding is not None:
        own["embedding"] = list(document.embedding)
    if document.sparse_embedding is not None:
        own["sparse_embedding"] = document.sparse_embedding.to_dict()
    if (blob := document.blob) is not None:
        own["blob"] = {"data": b64encode(blob.data).decode(), "meta": blob.meta, "mime_type": blob.mime_type}
    payload = dict(document.meta) | ({OWN: own} if own else {})
    return colibri.Document(id=document.id, text=document.content or "", payload=payload)


def restored(found_id: str, text: str | None, payload: Mapping[str, Any] | None) -> Document:
    """As it was put; of what something else stored, the text as content and the payload as meta."""
    meta = dict(payload or {})
    own = meta.pop(OWN, None) or {}
    sparse, blob = own.get("sparse_embedding"), own.get("blob")
    return Document(
        id=found_id,
        content=None if own.get("content") is False else text,
        meta=meta,
        embedding=own.get("embedding"),
        sparse_embedding=None if sparse is None else SparseEmbedding.from_dict(sparse),
        blob=None
        if blob is None
        else ByteStream(data=b64decode(blob["data"]), meta=blob["meta"], mime_type=blob["mime_type"]),
    )
