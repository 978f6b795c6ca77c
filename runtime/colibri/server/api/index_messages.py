"""What the index's routes take and give."""

from typing import Annotated, Any

import msgspec

from colibri.server.api import answers
from colibri.server.api.requests import TextDocument


class SearchRequest(msgspec.Struct, kw_only=True):
    """POST /v1/search."""

    query: str | TextDocument
    top_n: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    """10 unless it says otherwise."""
    where: dict[str, Any] | None = None
    """A filter over payloads, as `colibri search` takes it."""
    passages: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    """Best passages of each document: 3 unless it says otherwise."""
    return_documents: bool | None = None


class IndexedDocument(msgspec.Struct, kw_only=True):
    """A document to keep. One whose id is there replaces it."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    text: str
    payload: dict[str, Any] | None = None


class DocumentsRequest(msgspec.Struct, kw_only=True):
    """POST /v1/index/documents."""

    documents: list[IndexedDocument]


class Passage(msgspec.Struct, kw_only=True):
    """A part of a document: characters [start, end) of its text."""

    start: int
    end: int
    relevance_score: float


class Found(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One document of a search."""

    id: str
    relevance_score: float
    """Raw MaxSim of its best passage."""
    normalised_score: float
    """The same divided by the number of query tokens."""
    document: answers.RankedDocument | None = None
    payload: dict[str, Any] | None = None
    passages: list[Passage]


class SearchAnswer(msgspec.Struct, kw_only=True):
    """POST /v1/search."""

    model: str
    object: str = "list"
    usage: answers.Usage
    results: list[Found]


class DocumentsAnswer(msgspec.Struct, kw_only=True):
    """POST /v1/index/documents."""

    object: str = "list"
    ids: list[str]
    """What is on the disk now."""
    documents: int
    """How many the index holds."""
    usage: answers.Usage


class DeletedAnswer(msgspec.Struct, kw_only=True):
    """DELETE /v1/index/documents/{id}."""

    id: str
    object: str = "index.document"
    deleted: bool = True
