"""`colibri index --watch`: goes on for as long as it is let, and says what it did."""

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from colibri.cli.index_place import open_index
from colibri.cli.options import ModelOptions
from colibri.cli.terminal import echo, echo_json, visible
from colibri.files import Follower, Refresh, State
from colibri.index import RowKind
from colibri.machine import counted

_LINE_SECONDS = 30.0  # between two words on long work, where nothing can be drawn
_DRAWN_SECONDS = 0.5
_NAMED = 5
_SHOWN = 20


def watch(
    place: Path,
    asked: ModelOptions,
    paths: Sequence[Path],
    changes: Mapping[str, Any],
    defaults: bool,
    *,
    rows: RowKind | None,
    pool: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Until Ctrl-C or SIGTERM. paths, changes, defaults: of the first look. rows, pool: of an index that is not there
    yet."""
    with open_index(place, asked, create=True, rows=rows, pool=pool) as opened:  # what cannot be is said at once
        if paths:
            Refresh(opened).check(paths, changes, reset=defaults)
    loaded = {name: value for name, value in asdict(asked).items() if name not in {"model", "dim"}}
    said = _Said(place, as_json=as_json, quiet=quiet)
    limits = {name: changes[name] for name in ("max_seconds", "max_memory_bytes") if name in changes}
    follower = Follower(place, options=loaded, limits=limits, on_change=said.changed, on_look=said.looked)
    if paths or changes or defaults:
        follower.look_now(paths, changes, reset=defaults)
    try:
        follower.run(threading.Event(), standby=False)
    except (KeyboardInterrupt, SystemExit) as stopped:
        said.ended()
        raise SystemExit(stopped.code if isinstance(stopped, SystemExit) else 130) from None


class _Said:
    """What a person, or with --json a program, is told."""

    def __init__(self, place: Path, *, as_json: bool, quiet: bool) -> None:
        self._place = place
        self._as_json = as_json
        self._quiet = quiet
        self._before = State()
        self._last = time.monotonic()
        self._drawn = 0
        self._looks = 0
        self._gone: set[str] = set()

    def changed(self, state: State) -> None:
        """A new state."""
        before, self._before = self._before, state
        if (state.watching, state.note) != (before.watching, before.note):
            self._event({"event": "watching" if state.watching else "not watching", "note": state.note})
            if state.note and not self._as_json:
                self._line(state.note, err=True)
        if state.error and state.phase == "failed" and (state.error, state.phase) != (before.error, before.phase):
            self._event({"event": "failed", "error": state.error})
            if not self._as_json:
                self._line(f"{state.error}; it is tried again", err=True)
        if state.phase == "indexing" and not (self._quiet or self._as_json):
            self._progress(state)

    def looked(self, done: Mapping[str, Any]) -> None:
        """A look ended."""
        self._looks += 1
        self._event({"event": "looked", **done, "index": str(self._place)})
        if self._as_json:
            return
        for line in _troubles(done, self._gone):
            self._line(line, err=True)
        self._gone = set(done["gone"])
        if not self._quiet and (self._looks == 1 or _did(done)):
            self._line(_report(done))
        if self._looks == 1 and not self._quiet:
            self._line(f"following the folders of {self._place}; Ctrl-C ends it")

    def ended(self) -> None:
        """By a signal."""
        self._event({"event": "ended"})
        if not (self._as_json or self._quiet):
            self._line(f"ended: all that was indexed is kept in {self._place}", err=True)

    def _event(self, event: dict[str, Any]) -> None:
        if self._as_json:
            echo_json(event)
            sys.stdout.flush()

    def _line(self, text: str, *, err: bool = False) -> None:
        if self._drawn:
            click.echo(f"\r{' ' * self._drawn}\r", nl=False, err=True)
            self._drawn = 0
        echo(visible(text), err=err)
        (sys.stderr if err else sys.stdout).flush()

    def _progress(self, state: State) -> None:
        terminal, now = sys.stderr.isatty(), time.monotonic()
        if now - self._last < (_DRAWN_SECONDS if terminal else _LINE_SECONDS):
            return
        self._last = now
        left = "" if state.left_s is None else f", about {state.left_s:,.0f} s left"
        text = f"indexing: {state.done:,} of {counted(state.total, 'file')}{left}"
        if not terminal:
            self._line(text, err=True)
            return
        click.echo(f"\r{text.ljust(self._drawn)}", nl=False, err=True)
        self._drawn = len(text)


def _did(done: Mapping[str, Any]) -> bool:
    return any(done[name] for name in ("indexed", "moved", "removed"))


def _report(done: Mapping[str, Any]) -> str:
    counts = [f"{done[name]:,} {name}" for name in ("indexed", "moved", "removed") if done[name]]
    counts += [f"{len(done['skipped']):,} skipped"] if done["skipped"] else []
    named = [Path(path).name for path in done["files"][:_NAMED]]
    if len(done["files"]) > _NAMED:
        named.append("…")
    names = f" ({', '.join(named)})" if named else ""
    held = counted(done["documents"], "document")
    return f"{time.strftime('%H:%M:%S')} {', '.join(counts) or 'nothing new'}{names}; {held}; {done['seconds']:.1f} s"


def _troubles(done: Mapping[str, Any], gone: set[str]) -> list[str]:
    """What was not read, and roots that are gone since the last look."""
    lines = list(done["said"])
    lines += [f"{path} {one['why']}: its documents stay" for path, one in done["gone"].items() if path not in gone]
    some = [f"skipped {path}: {why}" for path, why in done["skipped"].items()]
    some += [f"{path}: {one}" for path, said in done["remarks"].items() for one in said]
    lines += some[:_SHOWN]
    if len(some) > _SHOWN:
        lines.append(f"and {len(some) - _SHOWN:,} more (--stats names them)")
    return lines
