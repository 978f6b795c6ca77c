"""`colibri ui`."""

import webbrowser
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from colibri.cli.grouped import MODEL, Grouped
from colibri.cli.index_place import IndexOptions, NamedPath, index_options, open_index
from colibri.cli.options import ModelOptions, model_options
from colibri.cli.serve import require_extra
from colibri.cli.terminal import echo, visible
from colibri.errors import InputError, StoreError

if TYPE_CHECKING:
    from colibri.machine import Served


@click.command(cls=Grouped, groups=MODEL, short_help="Search in the browser, on a page of this machine.")
@click.argument("paths", nargs=-1, type=NamedPath(), metavar="[PATH]...")
@index_options("--index")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of 127.0.0.1 to listen on. Default: any that is free.",
)
@click.option(
    "--browser/--no-browser", default=True, help="Whether to open the page in the browser.  [default: browser]"
)
@model_options
def ui(paths: tuple[Path, ...], named: IndexOptions, port: int, browser: bool, asked: ModelOptions) -> None:
    """Search files on a page in the browser, and keep the index fresh while it is open.

    Folders and files that are named are indexed first, at low priority, while one searches; those that the index was
    made of are followed. The page is for this machine and whoever has its address, whose last part is a token that
    changes with every start; nothing leaves the machine. An index has one page: a second `colibri ui` opens the first
    one's. It goes on until Ctrl-C.

    \b
      colibri ui ~/Documents
      colibri ui                    # what was indexed before
      colibri ui --no-browser       # prints the address alone
    """
    require_extra("desktop")
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
    place = named.place()
    from colibri.machine import find

    if (found := find(place, page=True)) is not None:
        _open_first(found, place, paths, port, browser)
        return
    from colibri import server
    from colibri.files import Refresh
    from colibri.index import may_write
    from colibri.ui import READ_ONLY, serve_page

    listener = server.bound("127.0.0.1", port)
    with open_index(place, asked, create=True) as opened:
        alone = not may_write(place)
        if alone and paths:
            raise StoreError(f"{place}: {READ_ONLY}; without PATH, `colibri ui` does that")
        if paths:  # one that cannot be indexed would keep the others out, where nobody is told
            Refresh(opened).check(paths, {})

        def ready(address: str, once: str) -> None:
            echo(address)
            echo(visible(f"the page of {place}; Ctrl-C ends it"), err=True)
            if alone:
                echo(READ_ONLY, err=True)
            if browser:
                _show(once)

        found = serve_page(
            opened,
            lambda name: replace(asked, model=name, dim=None).load(keep=False),
            listener,
            ready,
            paths=[path.absolute() for path in paths],
            options={name: value for name, value in asdict(asked).items() if name not in {"model", "dim"}},
        )
    if found is not None:
        _open_first(found, place, paths, port, browser)


def _open_first(found: "Served", place: Path, paths: tuple[Path, ...], port: int, browser: bool) -> None:
    """Open the page that another process has of this index, and tell it of the folders."""
    from colibri.files import shown
    from colibri.ui import ask_page, page_address

    for path in paths:
        ask_page(found, "add", {"path": shown(path.absolute())})
    echo(page_address(found.url, token=found.token or ""))
    echo(visible(f"the page of {place} is open already (process {found.pid})"), err=True)
    if port and port != urlsplit(found.url).port:
        echo(f"it stays at {found.url}: --port {port} is not applied; end that process to open it there", err=True)
    if browser:
        _show(page_address(found.url, code=ask_page(found, "code", {})["code"]))


def _show(address: str) -> None:
    """Open it in the user's browser, where there is one."""
    try:
        shown = webbrowser.open(address)
    except (webbrowser.Error, OSError):
        shown = False
    if not shown:
        echo("no browser could be opened here: open that address yourself", err=True)
