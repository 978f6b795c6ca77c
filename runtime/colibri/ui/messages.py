"""What the page asks for and what it is told. Times are ISO 8601 in UTC, sizes bytes, characters code points."""

from typing import Annotated, Literal

import msgspec

Mode = Literal["meaning", "words", "both"]
Fit = Literal["likely", "maybe", "unlikely"]
Sort = Literal["fit", "time", "name"]
Phase = Literal["idle", "looking", "indexing", "paused", "failed"]

_Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
_Names = Annotated[list[_Path], msgspec.Meta(max_length=1000)]


class Filters(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is searched: files of one of these folders, kinds and languages (empty: all), changed in a time."""

    folders: _Names = []
    kinds: _Names = []
    since: str | None = None
    """A day or a time, included. A day is this machine's own."""
    until: str | None = None
    """Included as well, a day with its last hour."""
    languages: _Names = []


class SearchRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST search. query: what a person typed, so a person is told where it is too long (`searching`). k, offset: in
    files."""

    query: str
    k: Annotated[int, msgspec.Meta(ge=1, le=200)] = 20
    offset: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0
    mode: Mode | None = None
    """None: the best there is."""
    typing: bool = False
    """Whether the last word may go on."""
    filters: Filters = msgspec.field(default_factory=Filters)
    sort: Sort = "fit"


class PassageRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST passage: characters [start, end) of a document and `around` more on both sides."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    start: Annotated[int, msgspec.Meta(ge=0)]
    end: Annotated[int, msgspec.Meta(ge=0)]
    around: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 3000


class FileRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST open and reveal."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    start: int | None = None


class PathRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST add and forget. path: what a person typed, so a person is told what is wrong with it (`tending`)."""

    path: str


class Nothing(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST pause, resume and look: {}."""


class CodeRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """POST enter: a code of the page's address."""

    code: Annotated[str, msgspec.Meta(max_length=200)]


class TokenAnswer(msgspec.Struct, kw_only=True):
    """What every other request brings in its header."""

    token: str


class CodeAnswer(msgspec.Struct, kw_only=True):
    """POST code: for an address that somebody else may read; good once, for a minute."""

    code: str


class Characters(msgspec.Struct, kw_only=True):
    """[start, end) of the query."""

    start: int
    end: int


class Shade(msgspec.Struct, kw_only=True):
    """A word of a passage that answered a word of the query. score: how much, 0 to 1, 1 the most in this answer."""

    query: tuple[int, int]
    text: tuple[int, int]
    """In the passage's own text."""
    score: float


class Passage(msgspec.Struct, kw_only=True):
    """A part of a document. line, page: from 1, where it has such; label: what else stands over it. fit: of the
    document, where this is its best passage."""

    id: str
    """The document's: a file may have several."""
    start: int
    end: int
    score: float
    normalised: float
    fit: Fit | None
    line: int | None
    page: int | None
    label: str
    text: str
    matches: list[Shade]


class FoundFile(msgspec.Struct, kw_only=True):
    """A file with its best passages; or a document that is of none, whose `path` is null."""

    id: str
    path: str | None
    name: str
    folder: str | None
    kind: str
    modified: str | None
    size: int | None
    language: str | None
    gone: bool
    score: float
    fit: Fit | None
    passages: list[Passage]


class Count(msgspec.Struct, kw_only=True):
    """How many files a choice would have searched, all other choices as they are."""

    value: str
    count: int


class Counts(msgspec.Struct, kw_only=True):
    """Of each filter. times: day, week, month and year each hold the one before; older is what is none of them."""

    kinds: list[Count]
    folders: list[Count]
    languages: list[Count]
    times: list[Count]


class Took(msgspec.Struct, kw_only=True):
    """Milliseconds of each stage."""

    encode: float = 0.0
    score: float = 0.0
    words: float = 0.0
    texts: float = 0.0
    total: float = 0.0


class SearchAnswer(msgspec.Struct, kw_only=True):
    """Files, best first, and what the filters would keep."""

    query: str
    mode: Mode
    fit: Fit | None
    query_words: list[Characters]
    took_ms: Took
    more: bool
    files: list[FoundFile]
    counts: Counts
    of_best: int | None = None
    """How many files were put in order by time or name, those that fit best, where there are others."""


class PassageAnswer(msgspec.Struct, kw_only=True):
    """text: characters [text_start, text_end) of the document."""

    id: str
    start: int
    end: int
    text: str
    text_start: int
    text_end: int
    whole_length: int


class RootState(msgspec.Struct, kw_only=True):
    """A folder or file that the index is made of, or will be. problem: why it is not there. waiting: that it was added,
    and nothing of it was looked at yet."""

    path: str
    documents: int
    present: bool
    problem: str | None
    waiting: bool = False


class Indexing(msgspec.Struct, kw_only=True):
    """What is being indexed. error: why the last look failed."""

    phase: Phase = "idle"
    root: str | None = None
    file: str | None = None
    done: int = 0
    total: int = 0
    per_s: float | None = None
    left_s: float | None = None
    error: str | None = None


class PassedCount(msgspec.Struct, kw_only=True):
    """How many files were passed over."""

    count: int


class State(msgspec.Struct, kw_only=True):
    """GET state."""

    name: str
    index: str
    version: str
    model: str
    documents: int
    passages: int
    tokens: int
    bytes: int
    modes: list[Mode]
    can_open: bool
    can_change: bool
    watching: bool
    note: str | None
    roots: list[RootState]
    indexing: Indexing
    passed_over: PassedCount


class PassedOver(msgspec.Struct, kw_only=True):
    """A file that is not in the index, or not all of it."""

    path: str
    why: str
    what_to_do: str


class PassedAnswer(msgspec.Struct, kw_only=True):
    """GET passed-over."""

    items: list[PassedOver]
    more: bool


class Done(msgspec.Struct, kw_only=True):
    """It is done."""

    done: bool = True
    note: str | msgspec.UnsetType = msgspec.UNSET
    """What there is to know of it, where there is."""
