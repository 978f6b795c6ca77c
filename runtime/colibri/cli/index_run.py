"""A run of `colibri index` over files: what it says while it works, at its end, and when it is interrupted."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from colibri.cli.terminal import echo, echo_json, visible
from colibri.files import Refresh, Summary, left_beside
from colibri.index import Index
from colibri.machine import counted, progress_bar

_SHOWN = 20  # skipped files and remarks, one a line
_ONE = {"links": "link", "pipes or devices": "pipe or device", "Colibri indexes": "Colibri index"}
_KINDS_SHOWN = 8  # endings that are counted apart
_BYTES_A_TOKEN = 4.0  # a first guess, for the bar


class Run:
    """Of one command."""

    def __init__(self, index: Index, place: Path, words: str, *, as_json: bool, quiet: bool) -> None:
        """words: how the command line names the index, where it has to."""
        self._index = index
        self._place = place
        self._words = words
        self._as_json = as_json
        self._quiet = quiet
        self._work = Refresh(index)

    def refresh(
        self, paths: Sequence[Path], changes: Mapping[str, Any], defaults: bool, *, prune: bool, yes: bool
    ) -> None:
        """All of it."""
        work = self._work
        try:
            due = work.plan(paths, changes, reset=defaults)
            self._say_before(prune)
            total = sum(one.size_bytes for one, _ in due)
            with progress_bar(
                total, "indexing", bool(due) and not self._quiet, unit="", units_a_token=_BYTES_A_TOKEN
            ) as done:
                summary = work.run(due, done)
        except (KeyboardInterrupt, SystemExit) as stopped:
            self._interrupted()
            if isinstance(stopped, SystemExit):
                raise
            raise SystemExit(130) from None
        pruned = self._prune(yes) if prune else 0
        self._report(summary, pruned)

    def _say_before(self, prune: bool) -> None:
        if self._as_json:
            return
        if not self._quiet:
            for line in self._work.said:
                echo(visible(line), err=True)
        if line := left_beside(self._index):
            echo(line, err=True)
        into = f" {self._words}" if self._words else ""
        for path, one in self._work.gone.items():
            held = f"{counted(one.documents, 'document')} of its {counted(one.files, 'file')}"
            stay = f"{held} {'stays' if one.documents == 1 else 'stay'}"
            stay += f" until `colibri index --prune{into}`" if one.lost else ""
            said = held if prune and one.lost else stay
            echo(visible(f"{path} {one.why}: {said}"), err=True)

    def _interrupted(self) -> None:
        pace, summary = self._work.sync.pace, self._work.sync.summary
        kept = f"{counted(pace.files, 'file')} indexed ({counted(pace.kept, 'token')})"
        if summary.unchanged:
            kept += f", {summary.unchanged:,} unchanged"
        echo(visible(f"interrupted: {kept}, kept in {self._place}; the same command goes on there"), err=True)

    def _prune(self, yes: bool) -> int:
        gone = {path: one for path, one in self._work.gone.items() if one.lost}
        if not gone:
            return 0
        ask = not yes and not self._as_json and sys.stdin.isatty() and sys.stderr.isatty()
        if ask:
            documents = sum(one.documents for one in gone.values())
            names = ", ".join(gone)
            if not click.confirm(
                visible(f"Take {counted(documents, 'document')} of {names} out of the index?"), err=True
            ):
                echo("nothing was taken out", err=True)
                return 0
        return self._work.prune(list(gone))

    def _report(self, summary: Summary, pruned: int) -> None:
        pace = self._work.sync.pace
        total = self._index.count()
        if self._as_json:
            gone = {path: asdict(one) for path, one in self._work.gone.items()}
            moved = self._work.sync.planned.moved
            own = {"tokens": pace.tokens, "seconds": round(pace.seconds, 3), "said": self._work.said}
            found = {**asdict(summary), "moves": moved, "gone": gone, "pruned": pruned, **own}
            echo_json({**found, "documents": total, "index": str(self._place)})
            return
        if self._quiet:
            return
        _say_passed(summary)
        if pruned:
            echo(f"{counted(pruned, 'document')} of what is gone taken out", err=True)
        moved_text = f"{summary.moved:,} moved, " if summary.moved else ""
        tokens = counted(pace.tokens, "token")
        rate = f"{tokens} in {pace.seconds:.1f} s, {pace.tokens / max(pace.seconds, 1e-9):,.0f} tokens/s"
        echo(
            f"{counted(summary.indexed, 'file')} indexed, {summary.unchanged:,} unchanged, {moved_text}"
            f"{summary.removed:,} removed, {len(summary.skipped):,} skipped; "
            f"{visible(str(self._place))} holds {counted(total, 'document')}; {rate}"
        )


def _say_passed(summary: Summary) -> None:
    skipped = [f"skipped {path}: {why}" for path, why in summary.skipped.items()]
    remarks = [f"{path}: {one}" for path, said in summary.remarks.items() for one in said]
    for lines in (skipped, remarks):
        for line in lines[:_SHOWN]:
            echo(visible(line), err=True)
        if len(lines) > _SHOWN:
            echo(f"and {len(lines) - _SHOWN:,} more (--json names all)", err=True)
    if summary.not_read:
        echo(visible(not_read(summary.not_read)), err=True)
    if summary.left_out:
        echo(left_out(summary.left_out), err=True)


def not_read(counts: Mapping[str, int]) -> str:
    """As in "11 files of 2 kinds not read: 8 .jpg, 3 .rtf; see --kinds"."""
    total, kinds = sum(counts.values()), sorted(counts, key=lambda name: (-counts[name], name))
    shown = [f"{counts[name]:,} {name}" for name in kinds[:_KINDS_SHOWN]]
    if len(kinds) > _KINDS_SHOWN:
        shown.append("…")
    return f"{counted(total, 'file')} of {counted(len(kinds), 'kind')} not read: {', '.join(shown)}; see --kinds"


def left_out(counts: Mapping[str, int]) -> str:
    """As in "left out, a folder counting as one: 12 by .gitignore, 1 link"."""
    found = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = [counted(count, _ONE.get(why, why), why) for why, count in found]
    return f"left out, a folder counting as one: {', '.join(shown)}"
