"""The ways to serve; what they stand on, the protocol's package, is loaded by whoever calls one: a second of work."""

from typing import TYPE_CHECKING

from colibri.assistants.library import Library

if TYPE_CHECKING:
    from starlette.applications import Starlette


def run_stdio(library: Library) -> None:
    """Serve on stdin and stdout until stdin ends. Whatever else prints on stdout goes to stderr meanwhile."""
    from colibri.assistants.tools import server  # noqa: PLC0415

    server(library).run("stdio")


def http_app(library: Library, *, any_host: bool, port: int | None = None) -> "Starlette":
    """An ASGI application with the one route /mcp, without sessions.

    any_host: False answers only who calls this machine by its own name for itself, and no page of another origin
    port: where it listens; a page at another port of this machine is of another origin. None: any port is its own
    """
    from colibri.assistants.tools import http  # noqa: PLC0415

    return http(library, any_host=any_host, port=port)
