"""Asking the process that serves an index already, which has model and index in memory.

Nothing of NumPy or onnxruntime is loaded for that, and what shows an answer while it is waited for. Answers are those
of `POST /v1/search` with spans, so that what is shown is what a search of one's own would show.
"""

import json
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from colibri import __version__
from colibri.errors import InputError, StoreError

if TYPE_CHECKING:
    from colibri.cli.answered import Answer
    from colibri.machine import Served

_CONNECT_SECONDS = 1.0  # on this machine; longer, and nobody is there
_ANSWER_SECONDS = 10.0  # a search of one's own takes less: it has stopped (Ctrl-Z), or is overrun
_REFUSED = 422


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
    exact: bool,
    meanwhile: Callable[[], object],
) -> "Answer":
    """What a serving process finds. meanwhile: called once it has the question.

    Raises Gone, InputError for what it refuses, StoreError for what it cannot do.
    """
    path = "/ui/api/hits" if served.page else "/v1/search"
    body = {"query": query, "k": k, "where": where, "passages": passages, "spans": True, "mode": mode}
    body |= {"exact": True} if exact else {}  # which an older process does not know
    sent = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    with _sent(served, path, sent) as connection:
        meanwhile()
        status, said = _received(served, connection)
    if status != 200:
        detail = said.get("detail") if isinstance(said, dict) else None
        told = f"{served.url} (process {served.pid}) answered {status}: {detail or 'no reason'}"
        raise InputError(str(detail)) if status == _REFUSED and detail else StoreError(told)
    from colibri.cli.answered import read

    try:
        return read(said)
    except (TypeError, KeyError, ValueError) as error:
        told = f"{served.url} (process {served.pid}): its answer is none of Colibri {__version__}; start it again"
        raise StoreError(told) from error


def _sent(served: "Served", path: str, body: bytes) -> socket.socket:
    """A connection that has taken a question, over HTTP/1.0 by hand: http.client loads TLS and e-mail, a quarter of all
    of it."""
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
    try:
        connection.settimeout(_ANSWER_SECONDS)
        connection.sendall("\r\n".join(head).encode("latin-1") + body)
    except OSError as error:
        connection.close()
        raise _silent(served, error) from error
    return connection


def _received(served: "Served", connection: socket.socket) -> tuple[int, Any]:
    """Status and JSON of the answer."""
    try:
        said = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    except OSError as error:
        raise _silent(served, error) from error
    if not said:  # it ended meanwhile
        raise Gone
    return _parted(served, said)


def _silent(served: "Served", error: OSError) -> Exception:
    if isinstance(error, TimeoutError):
        return StoreError(f"{_named(served)} has not answered for {_ANSWER_SECONDS:g} s")
    return Gone()


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
