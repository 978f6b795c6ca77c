"""What a serving process answered, as a search of one's own would have it: of the same fields, without NumPy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from colibri.span import Span

if TYPE_CHECKING:
    from colibri import index
    from colibri.artefact import Fit


@dataclass(frozen=True)
class Match:
    """As `colibri.explain.Match`, whose module loads NumPy; so it is with the others."""

    query: Span
    document: Span
    similarity: float
    weight: float
    also: tuple[Span, ...] = ()

    @property
    def answers(self) -> tuple[Span, ...]:
        """All characters that the best row stands for."""
        return tuple(span for span in (self.document, *self.also) if span.end > span.start)


@dataclass(frozen=True)
class PassageHit:
    """As `colibri.index.PassageHit`."""

    start: int
    end: int
    score: float
    matches: tuple[Match, ...]
    text: str | None


@dataclass(frozen=True)
class Hit:
    """As `colibri.index.Hit`."""

    id: str
    score: float
    normalised: float
    text: str | None
    payload: dict[str, Any] | None
    passages: tuple[PassageHit, ...]
    words: float | None
    fit: "Fit | None"
    screened: bool = False


@dataclass(frozen=True)
class Answer:
    """Hits, and by id the spans to show in bold of each."""

    hits: "list[index.Hit]"
    marked: Mapping[str, list[Span]]
    mode: str


def read(said: Mapping[str, Any]) -> Answer:
    """Of the JSON of `POST /v1/search` with spans. Raises TypeError, KeyError or ValueError for what is none."""
    results = said["results"]
    marked = {one["id"]: [_span(word) for word in one.get("highlights") or ()] for one in results}
    screened = bool(said.get("screened"))
    # Of the same fields and meaning (tests/server/test_asked.py), and here at once.
    return Answer(cast("list[index.Hit]", [_hit(one, screened) for one in results]), marked, str(said["mode"]))


def _hit(said: Mapping[str, Any], screened: bool) -> Hit:
    text = None if said.get("document") is None else said["document"]["text"]
    passages = tuple(_passage(one, text) for one in said["passages"])
    score, normalised, words = said["relevance_score"], said["normalised_score"], said.get("words_score")
    return Hit(said["id"], score, normalised, text, said.get("payload"), passages, words, said.get("fit"), screened)


def _passage(said: Mapping[str, Any], text: str | None) -> PassageHit:
    start, end = said["start"], said["end"]
    own = text[start:end] if text is not None and end > start else None
    return PassageHit(start, end, said["relevance_score"], tuple(map(_match, said.get("matches", ()))), own)


def _match(said: Mapping[str, Any]) -> Match:
    also = tuple(map(_span, said.get("also") or ()))
    return Match(_span(said["query"]), _span(said["document"]), said["similarity"], said["weight"], also)


def _span(said: Mapping[str, int]) -> Span:
    return Span(said["start"], said["end"])
