"""What the index's routes take and give."""

from typing import Annotated, Any, Literal

import msgspec

from colibri.artefact import Fit
from colibri.server.api import answers
from colibri.server.api.requests import TextDocument


class SearchRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/search."""

    model: str | None = None
    """The index's own; there is no other."""
    query: str | TextDocument
    """"" and blanks ask nothing and find nothing."""
    top_n: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    """Jina's word for `k`. 10 unless one of them says otherwise; the two must not differ."""
    where: dict[str, Any] | None = None
    """A filter over payloads, as `colibri search` takes it."""
    passages: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    """Best passages of each document: 3 unless it says otherwise."""
    offset: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    """How many of the best to pass over: the next page."""
    min_score: float | None = None
    """Least `normalised_score` of a result, so that there may be fewer than `k`, or none."""
    mode: Literal["meaning", "words", "both"] | None = None
    """By what documents are found: meaning unless it says otherwise. By words, they must have what stands in quotation
    marks, and not what a minus stands before."""
    typing: bool | None = None
    """Whether the query is still being written: its last word may go on."""
    exact: bool | None = None
    """Whether every passage of a large index is scored by its rows: not unless it says so."""
    return_documents: bool | None = None
    spans: bool | None = None
    """Which characters answered which token of the query; for a `k` of at most 100."""
    k: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    """How many documents."""


class IndexedDocument(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A document to keep. One whose id is there replaces it."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    text: str
    payload: dict[str, Any] | None = None


class DocumentsRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/index/documents."""

    documents: list[IndexedDocument]


class ListRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/index/list."""

    where: dict[str, Any] | None = None
    offset: Annotated[int, msgspec.Meta(ge=0, le=1 << 40)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    """100 unless it says otherwise."""
    return_documents: bool | None = None
    """Whether texts come along: not unless it says so."""


class CountRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/index/count."""

    where: dict[str, Any] | None = None


class DeleteRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST /v1/index/delete: one of the two."""

    ids: list[str] | None = None
    where: dict[str, Any] | None = None


class Characters(msgspec.Struct):
    """[start, end) in code points of a text; 0, 0 for a token that stands for none."""

    start: int
    end: int


class TokenMatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Which characters of a document answered a token of the query."""

    query: Characters
    document: Characters
    similarity: float
    weight: float
    """What it adds to the score."""
    also: list[Characters] | None = None
    """Where tokens were pooled: the other characters that the row stands for."""


class Passage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A part of a document: characters [start, end) of its text."""

    start: int
    end: int
    relevance_score: float
    matches: list[TokenMatch] | None = None
    """With `spans`: one for each token of the query."""


class Found(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One document of a search."""

    id: str
    relevance_score: float
    """Raw MaxSim of its best passage."""
    normalised_score: float
    """The same divided by the number of query tokens."""
    words_score: float | None = None
    """BM25 of its best passage over the best one's, 0 to 1; where `mode` is words, so is `normalised_score`."""
    fit: Fit | None = None
    """Whether it fits the query at all; not there where the model has no cutoffs."""
    document: answers.RankedDocument | None = None
    payload: dict[str, Any] | None = None
    highlights: list[Characters] | None = None
    """With `spans`: the words that matter most in its best passage that stands in the text, where that is kept."""
    passages: list[Passage]


class SearchAnswer(msgspec.Struct, kw_only=True):
    """POST /v1/search."""

    model: str
    object: str = "list"
    mode: Literal["meaning", "words", "both"] = "meaning"
    """By what documents were found: meaning also where both was wanted and the index has no words."""
    screened: bool = False
    """Whether sign bits chose which passages were scored by their rows, as in a large index; never with `exact`."""
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


class DocumentAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """GET /v1/index/documents/{id}; a row of POST /v1/index/list."""

    id: str
    object: str
    text: str | None = None
    """Not there where the index keeps none, or none was asked for."""
    payload: dict[str, Any] | None = None


class ListAnswer(msgspec.Struct, kw_only=True):
    """POST /v1/index/list: in the order they were added."""

    object: str = "list"
    data: list[DocumentAnswer]
    documents: int
    """How many the filter keeps."""
    next_offset: int | None
    """Where to go on; null at the end."""


class CountAnswer(msgspec.Struct, kw_only=True):
    """POST /v1/index/count."""

    documents: int


class ManyDeletedAnswer(msgspec.Struct, kw_only=True):
    """POST /v1/index/delete."""

    deleted: int
    documents: int
    """How many the index holds now."""


class DeletedAnswer(msgspec.Struct, kw_only=True):
    """DELETE /v1/index/documents/{id}."""

    id: str
    object: str = "index.document"
    deleted: bool = True
