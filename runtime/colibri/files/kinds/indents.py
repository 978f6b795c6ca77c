"""Where units of code begin and end by their lines: how far each is indented, or the words that close them."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from colibri.files.kinds.languages import Language
from colibri.files.kinds.lexer import INSIDE

DEEPEST = 4
_LINE = re.compile(r"(?m)^([ \t]*)[^ \t\n]")
_LONGEST_NAME = 100


class Head(NamedTuple):
    """What names a unit: where its first line begins, where its keyword and name end, and whether it holds others."""

    start: int
    end: int
    name: str
    holds: bool


@dataclass(slots=True, eq=False)
class Unit:
    """A function, a class, a section. holds: whether what stands in it may be a unit too. depth: 0 at the top."""

    start: int
    name: str
    holds: bool
    above: "Unit | None" = None
    end: int = -1

    @property
    def depth(self) -> int:
        return 0 if self.above is None else self.above.depth + 1


def heads_of(text: str, code: str, language: Language) -> list[Head]:
    """Lines that begin a unit by a keyword. code: `text` blanked."""
    found = []
    for match in language.heads.finditer(code):
        at = match.lastindex or 1
        name = " ".join(text[match.start(at) : match.end(at)].split())
        for pattern, put in language.rename:
            name = pattern.sub(put, name)
        if name and name not in language.never:
            found.append(Head(match.start(), match.end(), name[:_LONGEST_NAME], language.holds[at - 1]))
    return found


def may_stand(above: Unit | None, head: Head, language: Language) -> bool:
    """Whether a unit is one there: a variable within a function is none."""
    return above is None or ((above.holds or language.nested) and above.depth < DEEPEST)


def by_indentation(code: str, heads: list[Head], language: Language) -> list[Unit]:
    """A unit ends before the next line that is not further in, but for one that goes on with it: `end`, `)`, `else`."""
    found: list[Unit] = []
    inner: list[tuple[int, Unit]] = []
    waiting = {head.start: head for head in heads}
    last = 0
    for line in _LINE.finditer(code):
        inward, sign = line.end(1) - line.start(), line.end() - 1
        if code[sign] != INSIDE:
            goes_on = language.goes_on.match(code, sign) is not None
            while inner and (inner[-1][0] > inward or (inner[-1][0] == inward and not goes_on)):
                inner.pop()[1].end = last
            head = waiting.get(line.start())
            above = inner[-1][1] if inner else None
            if head and may_stand(above, head, language):
                found.append(Unit(head.start, head.name, head.holds, above))
                inner.append((inward, found[-1]))
        last = code.find("\n", sign)
    for _, unit in inner:
        unit.end = last
    return _ended(found, code)


def by_ends(code: str, heads: list[Head], language: Language) -> list[Unit]:
    """A unit lasts until the line that says so: `End Sub`, `end module`. Indentation means nothing."""
    found: list[Unit] = []
    inner: list[Unit] = []
    marks: list[tuple[int, Head | None]] = [(head.start, head) for head in heads]
    marks += [(match.end(), None) for match in language.ends.finditer(code)]
    for at, head in sorted(marks, key=lambda mark: mark[0]):
        if head is None:
            if inner:
                inner.pop().end = at
        elif may_stand(above := inner[-1] if inner else None, head, language):
            found.append(Unit(head.start, head.name, head.holds, above))
            inner.append(found[-1])
    return _ended(found, code)


def _ended(units: list[Unit], code: str) -> list[Unit]:
    """Where a file is cut, what is open goes to its end."""
    for unit in units:
        if unit.end < 0:
            unit.end = len(code)
    return units
