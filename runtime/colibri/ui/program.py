"""`colibri ui` from an open index to the end of its server."""

import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from colibri.errors import ColibriError
from colibri.index import Index, may_write
from colibri.machine import Served, find
from colibri.machine import announce as announced
from colibri.server import App, Hints, Models, Settings, run, url
from colibri.ui.desk import Desk
from colibri.ui.guard import Guard, own_hosts
from colibri.ui.held import Holder
from colibri.ui.hits import add_hits
from colibri.ui.questions import Questions
from colibri.ui.routes import add_page
from colibri.ui.tending import Tending
from colibri.vectors import TokenVectors

if TYPE_CHECKING:
    from colibri.model import Colibri

READ_ONLY = "the index may only be read here: it can be searched, and is not kept fresh"
_PLACES = 4
_HINTS = Hints(
    other_host="this page answers only to this machine's own names, 127.0.0.1 and localhost",
    no_route="there is nothing here; the page is at /ui/, by the address that `colibri ui` prints",
)


def serve_page(
    index: Index,
    load: "Callable[[str], Colibri]",
    listener: socket.socket,
    ready: Callable[[str, str], None],
    *,
    paths: Sequence[Path] = (),
    options: Mapping[str, Any] | None = None,
) -> Served | None:
    """Serve the page of an index on this machine until SIGTERM or Ctrl-C, and keep the index fresh meanwhile.

    load      loads the model of that name when the first question comes
    listener  a socket of 127.0.0.1 that does not listen yet
    ready     called when it answers: the page's address with its token in the fragment, which only its user should see,
              and one for the command line of a browser, which is good once
    paths     to index first
    options   of `colibri.load`, for the process that indexes, as JSON takes them

    Where the index may only be read, the page searches it, and says that it is not kept fresh.

    Returns at once who has the page of this index already, where somebody has.
    """
    token = Guard.new_token()
    questions = Questions(index, load)
    tending = Tending(index, options or {}) if may_write(index.path) else None
    app = App(Models([]), Settings(grace_seconds=2.0), any_host=False, places=_PLACES, hints=_HINTS)
    guard = Guard(token=token, hosts=own_hosts(listener.getsockname()[1]))
    desk = Desk(
        index=index,
        encode=questions,
        tending=tending,
        can_open=True,
        holder=Holder(index),
        note=READ_ONLY if tending is None else None,
    )
    add_hits(app, index, questions, guard)
    add_page(app, desk, guard, at_root=True)

    def started() -> None:
        if tending is not None:
            tending.start(list(paths))
        threading.Thread(target=_warm, args=(desk, questions), daemon=True).start()
        ready(page_address(url(listener), token=token), page_address(url(listener), code=guard.new_code()))

    try:
        with announced(index.path, url(listener), token):
            first = find(index.path, page=True)  # of two that begin at once, the one that began first
            if first is not None and first.pid != os.getpid():
                return first
            run(app, listener, started)
            return None
    finally:
        if tending is not None:
            tending.stop()
        questions.close()


def add_search_page(app: App, index: Index, model: "Colibri", *, token: str | None, port: int | None) -> None:
    """The page beside the routes of `colibri serve`: it searches, opens nothing and changes nothing.

    token  what it is asked for; None: a key for searching, where the server has keys
    port   under which of its own names it answers alone; None: under any name
    """

    def encode(query: str) -> TokenVectors:
        return model.encode_queries([query], index.dim)

    desk = Desk(index=index, encode=encode, tending=None, can_open=False, holder=Holder(index))
    add_page(app, desk, Guard(token=token, hosts=None if port is None else own_hosts(port)))


def page_address(base: str, **fragment: str) -> str:
    """Where the page is opened. base: scheme, host and port. fragment: a token or a code, by its name."""
    return f"{base}/ui/#{urlencode(fragment)}" if fragment else f"{base}/ui/"


def _warm(desk: Desk, questions: Questions) -> None:
    """So that the first question does not wait for what it needs. What fails here is said when it is asked for."""
    with suppress(ColibriError, OSError):
        if desk.holder.get().paths:
            rows = questions("warm")
            best = desk.index.search(rows, 1, passages=1)
            desk.index.search(rows, 1, ids=[hit.id for hit in best], explain=True)
