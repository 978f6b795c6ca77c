"""Results for a terminal: where each hit stands, and the lines around what answers the query."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colibri.cli.links import linked
from colibri.cli.terminal import TEXT, visible
from colibri.cli.width import Cells, cells, wrapped
from colibri.cli.window import Spans, window

if TYPE_CHECKING:
    from colibri.index import Hit, PassageHit

GONE = "file is gone"
_ENDS = {0x0B: " ", 0x0C: " ", 0x0D: "\n", 0x85: "\n"}
_NARROWEST = 30  # columns

Marks = Callable[["Hit", "PassageHit"], Spans]


@dataclass
class Line:
    """A line of a snippet: its number in the file (0: it begins no line there), and its pieces, those to be bold
    marked."""

    number: int
    pieces: list[tuple[str, bool]]

    @property
    def text(self) -> str:
        return "".join(piece for piece, _ in self.pieces)


def columns() -> int:
    """Of the terminal, or as COLUMNS says; 80 where nobody knows, as in a pipe."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return max(int(said), _NARROWEST)
    try:
        found = os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0
    except (OSError, ValueError):
        found = 0
    return max(found, _NARROWEST) if found else 80


def listing(hits: Sequence["Hit"], base: Path | None = None, marks: Marks | None = None) -> list[str]:
    """Results for a terminal; files below `base` are named from there. marks: what to show in bold of a passage."""
    from colibri.files import numbers_lines, place, shown_passage

    lines = []
    for number, hit in enumerate(hits, 1):
        found = place(hit)
        where = click.style(visible(str(found).removeprefix(f"{base}/")), fg="cyan")
        mark = f"  ({GONE})" if gone(hit) else ""
        fit = "" if hit.fit is None else f" {hit.fit}"
        lines.append(f"{number}. {hit.normalised:.3f}{fit}  {linked(where, None if mark else path_of(hit))}{mark}")
        passage = shown_passage(hit)
        if hit.text is not None and passage is not None:
            marked = _bold(hit, passage) if marks is None else marks(hit, passage)
            line = found.line if numbers_lines(hit) else None
            shown = snippet_lines(hit.text, passage, marked, line)
            lines += _fitted(shown, columns(), numbered=line is not None)
    return lines


def path_of(hit: "Hit") -> str | None:
    """The file that a hit is of, as its index has it."""
    file = (hit.payload or {}).get("file")
    path = file.get("path") if isinstance(file, dict) else None
    return path if isinstance(path, str) else None


def gone(hit: "Hit") -> bool:
    """Whether a hit is of a file that is not there any more; one that cannot be looked at may be."""
    from colibri.files import is_gone

    path = path_of(hit)
    return path is not None and is_gone(path)


def snippet(text: str, passage: "PassageHit") -> list[str]:
    """Lines of the passage around what matters most, with that in bold, indented among themselves as they are."""
    from colibri.explain import highlights

    lines = snippet_lines(text, passage, highlights(passage.matches, text))
    return ["".join(click.style(piece, bold=True) if bold else piece for piece, bold in line.pieces) for line in lines]


def _bold(hit: "Hit", passage: "PassageHit") -> Spans:
    from colibri.explain import highlights

    return highlights(passage.matches, hit.text or "")


def snippet_lines(text: str, passage: "PassageHit", marked: Spans, line: int | None = None) -> list[Line]:
    """The same as lines with their numbers. line: the one that is said to hold the answer, and so is shown."""
    start, end = window(text, passage.start, passage.end or len(text), marked, line)
    begin = text.rfind("\n", 0, start) + 1
    lead = text[begin:start]  # a passage begins with its first word, not with its line
    pieces = [("" if lead.strip() else lead, False), ("…" if start > passage.start else "", False)]
    at = start
    for first, last in marked:
        if first >= at and last <= end:
            pieces += [(text[at:first], False), (text[first:last], True)]
            at = last
    pieces += [(text[at:end], False), ("…" if end < passage.end else "", False)]
    return _dedented(list(_lines(pieces, text.count("\n", 0, start) + 1)))


def _lines(pieces: Sequence[tuple[str, bool]], number: int) -> Iterator[Line]:
    """Pieces of a text as lines, which may end in any way; nothing else in them steers a terminal."""
    line = Line(number, [])
    for piece, bold in pieces:
        for i, part in enumerate(piece.replace("\r\n", "\n").split("\n")):
            if i:
                yield line
                number += 1
                line = Line(number, [])
            for j, inner in enumerate(part.translate(_ENDS).split("\n")):  # ends that do not count as lines
                if j:
                    yield line
                    line = Line(0, [])
                line.pieces.append((visible(inner, TEXT), bold))
    yield line


def _dedented(lines: Sequence[Line]) -> list[Line]:
    """Lines that hold something, without the indentation that all of them share and what is blank at their ends."""
    found = []
    for line in lines:
        whole = line.text
        if not whole.strip():
            continue
        width = len(whole) - len(whole.lstrip())
        lead, rest = whole[:width].expandtabs(4), _cut(line.pieces, width, len(whole.rstrip()))
        found.append((lead, Line(line.number, rest)))
    shared = min((len(lead) for lead, _ in found), default=0)
    return [Line(line.number, [(lead[shared:], False), *line.pieces]) for lead, line in found]


def _cut(pieces: Sequence[tuple[str, bool]], start: int, end: int) -> list[tuple[str, bool]]:
    """Characters start to end - 1 of pieces."""
    found, at = [], 0
    for piece, bold in pieces:
        if part := piece[max(start - at, 0) : max(end - at, 0)]:
            found.append((part, bold))
        at += len(piece)
    return found


def _fitted(lines: Sequence[Line], width: int, *, numbered: bool) -> list[str]:
    """Lines that are no wider: longer ones go on below, indented as they are. numbered: each begins with the number
    that it has in its file, where there are several."""
    digits = len(str(max((line.number for line in lines), default=0))) if numbered and len(lines) > 1 else 0
    found = []
    for line in lines:
        text = line.text
        indent = min(len(text) - len(text.lstrip(" ")), width // 2)
        for i, part in enumerate(wrapped(cells(line.pieces), width - 3 - (digits + 2 if digits else 0), indent)):
            number = f"{line.number if line.number and not i else '':>{digits}}  " if digits else ""
            found.append(f"   {click.style(number, dim=True) if number.strip() else number}{_styled(part)}".rstrip())
    return found


def _styled(part: Cells) -> str:
    runs = groupby(part, key=lambda cell: cell[1])
    return "".join(
        click.style(piece, bold=True) if bold else piece
        for bold, run in runs
        for piece in ("".join(character for character, _ in run),)
    )


def entry(hit: "Hit") -> dict[str, Any]:
    """A hit for --json."""
    from dataclasses import asdict

    from colibri.files import place

    found = place(hit)
    made = {**asdict(hit), "place": str(found), "line": found.line, "label": found.label or None}
    return {**made, "gone": GONE} if gone(hit) else made
