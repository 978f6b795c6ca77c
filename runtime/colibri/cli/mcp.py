"""`colibri mcp`."""

import os
import signal
from contextlib import suppress
from importlib import util
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from colibri import machine
from colibri.cli.grouped import MODEL, Grouped
from colibri.cli.index_place import IndexName, IndexOptions, NamedPath, is_index, open_index
from colibri.cli.options import ModelOptions, model_options
from colibri.cli.terminal import echo
from colibri.errors import InputError, MissingExtra, StoreError

if TYPE_CHECKING:
    from colibri.assistants import Library

DEFAULT_PORT = 8090


@click.command(cls=Grouped, groups=MODEL, short_help="Let assistants search, over MCP.")
@click.option(
    "--index",
    "folders",
    type=NamedPath(),
    metavar="FOLDER",
    multiple=True,
    help="Folder of an index; may be given several times. Default: as `colibri search` finds it.",
)
@click.option(
    "--name",
    "names",
    type=IndexName(),
    metavar="NAME",
    multiple=True,
    help="One of your own indexes, by its name; may be given several times.",
)
@click.option("--http", is_flag=True, help="Streamable HTTP at /mcp in place of stdin and stdout.")
@click.option("--host", default="127.0.0.1", show_default=True, help="With --http: address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="With --http: port to listen on; 0: any that is free, which the first line of output names.",
)
@click.option(
    "--keys-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --http: ask for the keys of this file (see `colibri keys`), of the scope search.",
)
@model_options
def mcp(
    folders: tuple[Path, ...],
    names: tuple[str, ...],
    http: bool,
    host: str,
    port: int,
    keys_file: Path | None,
    asked: ModelOptions,
) -> None:
    """Let an assistant search and read your indexes, over the Model Context Protocol. It changes nothing.

    An assistant's program starts it and speaks to it on stdin and stdout; how to tell it to: docs/mcp.md. Its tools:
    search, read_passage, list_indexes.

    \b
      colibri mcp
      colibri mcp --name default --name work
      colibri mcp --index notes.index --index papers.index --http --port 8090

    It ends when stdin does, or by SIGTERM or Ctrl-C.
    """
    given = {"--host": host != "127.0.0.1", "--port": port != DEFAULT_PORT, "--keys-file": keys_file is not None}
    if not http and any(given.values()):
        raise InputError(f"{next(name for name in given if given[name])} is of a server: give --http as well")
    _require_extra()
    from colibri.assistants import Library

    library = Library(_places(folders, names), lambda place: open_index(place, asked, create=False))
    if http:
        _serve_http(library, host, port, keys_file)
        return
    _serve_stdio(library)


def _places(folders: tuple[Path, ...], names: tuple[str, ...]) -> dict[str, Path]:
    """Every index by what the assistant calls it. One that is not there is refused now, when whoever set it up is told
    so, and not when the assistant asks."""
    from colibri.assistants import named

    wanted = [IndexOptions(name=name) for name in names] + [IndexOptions(folder=folder) for folder in folders]
    known = wanted or [IndexOptions()]
    given = {}
    for one in known:
        place = one.existing(quiet=True)
        if not is_index(place):
            raise StoreError(f"{place.absolute()}: holds no index; `colibri index PATH` makes one")
        given[place] = one.which.name
    return named(list(given), given)


def _serve_stdio(library: "Library") -> None:
    from colibri.assistants import run_stdio

    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)
    run_stdio(library)
    library.close()


def _end(number: int, frame: FrameType | None) -> None:
    """At once: a thread of the protocol's package waits for a line of stdin, and nothing would end that wait. Nothing
    is ever written, so nothing is left half-done."""
    with suppress(OSError):
        echo("interrupted" if number == signal.SIGINT else "terminated", err=True)
    os._exit(128 + number)


def _serve_http(library: "Library", host: str, port: int, keys_file: Path | None) -> None:
    from colibri import server
    from colibri.assistants import http_app

    keys = None if keys_file is None else server.KeyRing(keys_file)
    listener = server.bound(host, port)
    if keys is None and not server.is_loopback(listener):
        raise InputError(f"{host}: others can reach that address; give --keys-file FILE (`colibri keys add NAME`)")
    app = http_app(library, any_host=keys is not None, port=listener.getsockname()[1])
    shown = f"{server.url(listener)}/mcp gives {', '.join(library.names)} to assistants"
    try:
        server.run_foreign(
            app if keys is None else server.Gate(app, keys, "search"), listener, lambda: click.echo(shown)
        )
    finally:
        library.close()


def _require_extra() -> None:
    """Raises MissingExtra, naming what to install."""
    if util.find_spec("mcp") is None or util.find_spec("mcp_types") is None:
        raise MissingExtra(f"no mcp of version 2.3 or newer (colibri-edge[mcp]): {machine.install_command('mcp')}")
