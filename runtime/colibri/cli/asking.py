"""Asking the process that serves an index already, which has model and index in memory.

Nothing of NumPy or onnxruntime is loaded for that. Answers are those of `POST /v1/search` with spans, so that what is
shown is what a search of one's own would show.
"""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from colibri import __version__
from colibri.errors import InputError, StoreError

if TYPE_CHECKING:
    from colibri import index
    from colibri.machine import Served

Span = tuple[int, int]
_CONNECT_SECONDS = 1.0  # on this machine; longer, and nobody is there
_ANSWER_SECONDS = 60.0
MOST = 100
"""Documents of an answer with spans."""
_REFUSED = 422


@dataclass(frozen=True)
class Match:
    """As `colibri.explain.Match`, whose module loads NumPy."""

    query: Span
    document: Span
    similarity: float
    weight: float


@dataclass(frozen=True)
class PassageHit:
    """As `colibri.index.PassageHit`."""

    start: int
    end: int
    score: float
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True)
class Hit:
    """As `colibri.index.Hit`."""

    id: str
    score: float
    normalised: float
    text: str | None
    payload: dict[str, Any] | None
    passages: tuple[PassageHit, ...]


@dataclass(frozen=True)
class Answer:
    """Hits, and by id the spans to show in bold of each."""

    hits: "list[index.Hit]"
    marked: Mapping[str, list[Span]]


class Gone(Exception):
    """Nobody answers there any more."""


def asked(served: "Served", query: str, k: int, where: Mapping[str, Any] | None, passages: int) -> Answer:
    """What a serving process finds. Raises Gone, InputError for what it refuses, StoreError for what it cannot do."""
    path = "/ui/api/hits" if served.page else "/v1/search"
    body = {"query": query, "k": k, "where": where, "passages": passages, "spans": True}
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
    place = urlsplit(served.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_CONNECT_SECONDS)
    headers = {"content-type": "application/json"}
    if served.token is not None:
        headers |= {"x-colibri-token": served.token} if served.page else {"authorization": f"Bearer {served.token}"}
    try:
        connection.connect()
        connection.sock.settimeout(_ANSWER_SECONDS)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except TimeoutError as error:
        if connection.sock is None:
            raise Gone from error
        raise StoreError(f"{served.url} (process {served.pid}) has not answered for {_ANSWER_SECONDS:g} s") from error
    except (OSError, http.client.HTTPException) as error:
        raise Gone from error
    except ValueError as error:
        raise StoreError(f"{served.url} (process {served.pid}): its answer is no JSON") from error
    finally:
        connection.close()


def _read(said: Mapping[str, Any]) -> Answer:
    results = said["results"]
    marked = {one["id"]: [_span(word) for word in one.get("highlights") or ()] for one in results}
    # Of the same fields and meaning (tests/cli/test_asking.py), and here at once.
    return Answer(cast("list[index.Hit]", [_hit(one) for one in results]), marked)


def _hit(said: Mapping[str, Any]) -> Hit:
    text = None if said.get("document") is None else said["document"]["text"]
    passages = tuple(
        PassageHit(one["start"], one["end"], one["relevance_score"], tuple(map(_match, one.get("matches", ()))))
        for one in said["passages"]
    )
    return Hit(said["id"], said["relevance_score"], said["normalised_score"], text, said.get("payload"), passages)


def _match(said: Mapping[str, Any]) -> Match:
    return Match(_span(said["query"]), _span(said["document"]), said["similarity"], said["weight"])


def _span(said: Mapping[str, int]) -> Span:
    return said["start"], said["end"]
