"""`colibri ui`."""

import webbrowser
from dataclasses import replace
from pathlib import Path

import click

from colibri.cli.grouped import MODEL, Grouped
from colibri.cli.index_place import IndexOptions, NamedPath, index_options, open_index
from colibri.cli.options import ModelOptions, model_options
from colibri.cli.serve import require_extra
from colibri.cli.terminal import echo, visible
from colibri.errors import InputError


@click.command(cls=Grouped, groups=MODEL, short_help="Search in the browser, on a page of this machine.")
@click.argument("paths", nargs=-1, type=NamedPath(), metavar="[FOLDER]...")
@index_options("--index")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of 127.0.0.1 to listen on. Default: any that is free.",
)
@click.option("--browser/--no-browser", default=True, help="Whether to open the page.  [default: browser]")
@model_options
def ui(paths: tuple[Path, ...], named: IndexOptions, port: int, browser: bool, asked: ModelOptions) -> None:
    """Search files on a page in the browser, which stays on this machine.

    \b
      colibri ui ~/Documents
      colibri ui --no-browser

    Ctrl-C ends it.
    """
    require_extra()
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
    from colibri import server
    from colibri.ui import serve_page

    place = named.place()

    def announce(address: str, token: str) -> None:
        echo(address)
        if browser:
            webbrowser.open(address)

    server.configure_logs()
    place = named.place()
    with open_index(place, asked, create=True) as opened:
        if paths:
            from colibri.cli.index_run import Run

            run = Run(opened, place, named.which.words, as_json=False, quiet=False)
            run.refresh(paths, {}, False, prune=False, yes=False)
        listener = server.bound("127.0.0.1", port)
        echo(visible(f"the page of {place}; Ctrl-C ends it"), err=True)
        serve_page(opened, lambda name: replace(asked, model=name, dim=None).load(), listener, announce)
