"""Hits and stored documents of ours as LangChain's documents."""

from typing import Any

from langchain_core.documents import Document

from colibri.compat.found import Content, shown
from colibri.errors import InputError
from colibri.index import Hit, Stored


def as_found(hit: Hit, content: Content) -> Document:
    """With the payload as metadata, "score" (raw MaxSim, unless the payload has a field of that name) and "colibri"."""
    text, note = shown(hit, content)
    metadata: dict[str, Any] = {"score": hit.score, **(hit.payload or {}), "colibri": note}
    return Document(id=hit.id, page_content=text, metadata=metadata)


def as_put(stored: Hit | Stored) -> Document:
    """As it was put in. Raises InputError where its text is not kept."""
    if stored.text is None:
        raise InputError(f"{stored.id!r}: its text is not kept in the index, and a document needs one")
    return Document(id=stored.id, page_content=stored.text, metadata=stored.payload or {})
