"""Asking the process that serves an index already, which has model and index in memory.

Nothing of NumPy or onnxruntime is loaded for that. Answers are those of `POST /v1/search` with spans, so that what is
shown is what a search of one's own would show.
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from colibri import __version__
from colibri.errors import InputError, StoreError
from colibri.span import Span

if TYPE_CHECKING:
    from colibri import index
    from colibri.artefact import Fit
    from colibri.machine import Served


_CONNECT_SECONDS = 1.0  # on this machine; longer, and nobody is there
_ANSWER_SECONDS = 10.0  # a search of one's own takes less: it has stopped (Ctrl-Z), or is overrun
_REFUSED = 422


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


class Gone(Exception):
    """Nobody answers there any more."""


def asked(
    served: "Served",
    query: str,
    k: int,
    where: Mapping[str, Any] | None,
    passages: int,
    mode: str,
    *,
    exact: bool = False,
) -> Answer:
    """What a serving process finds. Raises Gone, InputError for what it refuses, StoreError for what it cannot do."""
    path = "/ui/api/hits" if served.page else "/v1/search"
    body = {"query": query, "k": k, "where": where, "passages": passages, "spans": True, "mode": mode}
    body |= {"exact": True} if exact else {}  # which an older process does not know
    status, said = _posted(served, path, json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if status != 200:
        detail = said.get("detail") if isinstance(said, dict) else None
        told = f"{served.url} (process {served.pid}) answered {status}: {detail or 'no reason'}"
        raise InputError(str(detail)) if status == _REFUSED and detail else StoreError(told)
    try:
        return _read(said)
    except (TypeError, KeyError, ValueError) as error:
        told = f"{served.url} (process {served.pid}): its answer is none of Colibri {__version__}; start it again"
        raise StoreError(told) from error


def _posted(served: "Served", path: str, body: bytes) -> tuple[int, Any]:
    """Status and JSON of an answer, over HTTP/1.0 by hand: http.client loads TLS and e-mail, a quarter of all of it."""
    place = urlsplit(served.url)
    head = [f"POST {path} HTTP/1.0", f"host: {place.netloc}", "content-type: application/json"]
    if served.token is not None:
        head.append(f"x-colibri-token: {served.token}" if served.page else f"authorization: Bearer {served.token}")
    head += [f"content-length: {len(body)}", "", ""]
    # As bytes, since of a str Python's IDNA is loaded, 4 ms, also where all of it is digits.
    host = cast("str", (place.hostname or "").encode())
    try:
        connection = socket.create_connection((host, place.port or 80), _CONNECT_SECONDS)
    except OSError as error:
        raise Gone from error
    with connection:
        connection.settimeout(_ANSWER_SECONDS)
        try:
            connection.sendall("\r\n".join(head).encode("latin-1") + body)
            said = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        except TimeoutError as error:
            raise StoreError(f"{_named(served)} has not answered for {_ANSWER_SECONDS:g} s") from error
        except OSError as error:
            raise Gone from error
    if not said:  # it ended meanwhile
        raise Gone
    return _parted(served, said)


def _parted(served: "Served", said: bytes) -> tuple[int, Any]:
    head, _, body = said.partition(b"\r\n\r\n")
    line = head.split(b"\r\n", 1)[0].split()
    try:
        if not line[0].startswith(b"HTTP/1."):
            raise ValueError(line[0])
        return int(line[1]), json.loads(body)
    except (ValueError, IndexError, RecursionError) as error:
        raise StoreError(f"{_named(served)}: its answer is none of Colibri {__version__}") from error


def _named(served: "Served") -> str:
    return f"{served.url} (process {served.pid})"


def _read(said: Mapping[str, Any]) -> Answer:
    results = said["results"]
    marked = {one["id"]: [_span(word) for word in one.get("highlights") or ()] for one in results}
    screened = bool(said.get("screened"))
    # Of the same fields and meaning (tests/cli/test_asking.py), and here at once.
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
