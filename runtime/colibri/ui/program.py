"""`colibri ui` from an open index to the end of its server."""

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from colibri.index import Index
from colibri.server import App, Models, Settings, run, url
from colibri.ui.desk import Desk
from colibri.ui.guard import Guard, own_hosts
from colibri.ui.questions import Questions
from colibri.ui.routes import add_page

if TYPE_CHECKING:
    from colibri.model import Colibri

_PLACES = 4


def serve_page(
    index: Index,
    load: "Callable[[str], Colibri]",
    listener: socket.socket,
    announce: Callable[[str, str], None],
) -> None:
    """Serve the page of an index on this machine until SIGTERM or Ctrl-C.

    load      loads the model of that name when the first question comes
    listener  a socket of 127.0.0.1 that does not listen yet
    announce  called with the page's address, its token in the fragment, and the token, when it answers
    """
    token = Guard.new_token()
    questions = Questions(index, load)
    app = App(Models([]), Settings(grace_seconds=2.0), any_host=False, places=_PLACES)
    desk = Desk(index, questions, can_open=True, can_change=True)
    add_page(app, desk, Guard(token=token, hosts=own_hosts(listener.getsockname()[1])), at_root=True)
    address = f"{url(listener)}/ui/"
    try:
        run(app, listener, lambda: announce(f"{address}#token={token}", token))
    finally:
        questions.close()
