"""What the tools give, as structure. Characters are code points of a document's text, [start, end), from 0."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class IndexEntry:
    """One index that can be asked. folders: what it was made of, where it was made of files."""

    name: str
    documents: int
    passages: int
    model: str
    folders: list[str]
    keeps_texts: bool
    problem: str | None = None
    """Why it cannot be asked now."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Every index there is."""

    indexes: list[IndexEntry]


@dataclass(frozen=True, kw_only=True)
class Characters:
    """[start, end) in the document's text."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A part of a document that answers the query.

    text        its characters from `start` on, all of them unless `cut`
    cut         whether the text was shortened to keep the answer small: read_passage gives the rest
    highlights  the words that matter most to the score
    """

    start: int
    end: int
    text: str
    cut: bool
    highlights: list[Characters]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One document that was found.

    id        what read_passage takes
    place     where a person would look it up: a file with its line, page or heading
    score     a mean of cosines, at most 1
    fit       likely, maybe or unlikely to answer the query at all; null where nobody measured it
    passages  its best parts, best first; none where the index keeps no texts, or what was found are words about the
              document, such as its name
    gone      whether its file is not there any more
    """

    id: str
    place: str
    path: str | None
    title: str | None
    modified: str | None
    score: float
    fit: Literal["likely", "maybe", "unlikely"] | None
    passages: list[Passage]
    gone: bool


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a search found, best first. note: what is to be known of it, such as that there is nothing."""

    index: str
    query: str
    results: list[Result]
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A part of a document's text, [start, end), which has `whole_length` characters.

    passages     the parts that are scored on their own, of which this shows all or some
    more_before  whether the text goes on before it, and more_after behind: ask with another start
    """

    index: str
    id: str
    place: str
    start: int
    end: int
    text: str
    whole_length: int
    passages: list[Characters]
    more_before: bool
    more_after: bool
