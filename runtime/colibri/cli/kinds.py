"""`colibri index --kinds`: which files are read, which are named and passed by."""

import click

from colibri import machine
from colibri.cli.terminal import echo, echo_json
from colibri.files import NOT_READ, READ, Kind


def show(as_json: bool) -> None:
    """On stdout."""
    if as_json:
        echo_json([_entry(kind) for kind in READ + NOT_READ])
        return
    for kind in READ:
        echo(kind.name + ("" if kind.installed else f"  (needs colibri-edge[{kind.extra}])"))
        _endings(kind)
    for extra in sorted({kind.extra for kind in READ if not kind.installed}):
        echo(f"\ncolibri-edge[{extra}]: {machine.install_command(extra)}")
    echo("\nnot read, only counted:")
    for kind in NOT_READ:
        if kind.endings:
            echo(kind.name)
            _endings(kind)


def _endings(kind: Kind) -> None:
    echo(click.wrap_text(" ".join(kind.endings), 100, "    ", "    "))


def _entry(kind: Kind) -> dict[str, object]:
    return {
        "name": kind.name,
        "endings": kind.endings,
        "read": kind.read,
        "extra": kind.extra or None,
        "installed": kind.read and kind.installed,
    }
