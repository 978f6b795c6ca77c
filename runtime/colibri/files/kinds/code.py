"""Source code: where its functions, classes and sections begin, so that passages end there and carry their names.

By brackets or by indentation, with comments and strings blanked out before, in one walk over the file, for the
languages of grammars.py. It is no parser: a unit may be missed where a macro hides it, and nothing is ever refused.
"""

import re
from bisect import bisect_right
from dataclasses import replace

from colibri.files.kinds import plain
from colibri.files.kinds.brackets import Brackets
from colibri.files.kinds.grammars import LANGUAGES, language_of
from colibri.files.kinds.indents import Unit, by_ends, by_indentation, heads_of
from colibri.files.kinds.languages import Language
from colibri.files.kinds.lexer import INSIDE, LEXERS, blanked
from colibri.files.source import Source
from colibri.files.text import FileText, Place

_LINES_ABOVE = 60  # of a decorator over several lines, at most
_ONLY_CLOSES = re.compile(r"(?:[\s;,)\]}]|\b(?:end\w*|fi|done|esac)\b(?:[ \t]+[\w.\"]+)*)*", re.IGNORECASE)


def read(source: Source) -> FileText:
    """A file of source code as it is, with its units as places. Raises Unreadable for binary data."""
    found = plain.read(source)
    return replace(found, places=units(found.text, source.name))


def units(text: str, language: str) -> tuple[Place, ...]:
    """Where units begin, with their qualified names; "" where one ends and what follows is in none.

    language: its name ("python"), an ending (".py") or a file's name. None known: no places. Decorators and comments
    right above a unit belong to it.
    """
    named = language_of(language, text)
    if named is None:
        return ()
    grammar = LANGUAGES[named]
    code = blanked(text, LEXERS[grammar.lexer])
    heads = heads_of(text, code, grammar)
    if grammar.nesting == "brackets":
        found = Brackets(code, grammar).units(heads)
    else:
        found = (by_ends if grammar.nesting == "ends" else by_indentation)(code, heads, grammar)
    found = _in_sections(text, code, grammar, found)
    return _places(text, code, _above(text, code, grammar, found), grammar)


def _in_sections(text: str, code: str, grammar: Language, found: list[Unit]) -> list[Unit]:
    """Units of a section belong to it, though no bracket says so."""
    marks = list(grammar.sections.finditer(code))
    if not marks:
        return found
    begins = [match.start() for match in marks]
    sections = [
        Unit(match.start(), (match[1] or "").strip(), True, end=end)
        for match, end in zip(marks, [*begins[1:], len(text)], strict=True)
    ]
    for unit in found:
        place = bisect_right(begins, unit.start) - 1
        if place >= 0 and unit.start == begins[place]:
            unit.start = marks[place].end() + 1
        if unit.above is None and place >= 0 and sections[place].name:
            unit.above = sections[place]
    return sorted([*found, *(one for one in sections if one.name)], key=lambda unit: unit.start)


def _above(text: str, code: str, grammar: Language, found: list[Unit]) -> list[Unit]:
    """Units with their decorators, attributes and the comments right above them."""
    least = 0
    for unit in found:
        head = unit.start
        at, tentative, depth = head, 0, 0
        while at > least and tentative < _LINES_ABOVE:
            line = text.rfind("\n", 0, at - 1) + 1
            shown, hidden = text[line : at - 1], code[line : at - 1]
            if line < least or not shown.strip():
                break
            depth += sum(map(hidden.count, ")]}")) - sum(map(hidden.count, "([{"))
            at, tentative = line, tentative + 1
            blank = not hidden.strip()
            if depth <= 0 and (grammar.above.match(hidden.lstrip(" \t")) or (blank and INSIDE not in hidden)):
                unit.start, tentative, depth = line, 0, 0
            elif depth <= 0 and INSIDE not in hidden:
                break
        least = text.find("\n", head) + 1 or len(text)
    return found


def _places(text: str, code: str, found: list[Unit], grammar: Language) -> tuple[Place, ...]:
    """A place where each unit begins, and one where it ends and what holds it goes on."""
    places: list[Place] = []
    inner: list[Unit] = []

    def put(at: int, label: str) -> None:
        if places and places[-1].start == at:
            places.pop()
        if not (grammar.clauses and places and places[-1].label == label) and (label or places):
            places.append(Place(at, label))

    def close(before: int) -> None:
        while inner and inner[-1].end <= before:
            unit = inner.pop()
            until = min(before, inner[-1].end) if inner else before
            rest = _ONLY_CLOSES.match(code, unit.end)
            goes_on = rest.end() if rest else unit.end
            if goes_on < until:
                put(_line_after(text, unit.end, goes_on), _label(inner[-1], grammar) if inner else "")

    for unit in sorted(found, key=lambda one: one.start):
        close(unit.start)
        inner.append(unit)
        put(unit.start, _label(unit, grammar))
    close(len(text))
    return tuple(places)


def _line_after(text: str, end: int, goes_on: int) -> int:
    """Where the line begins on which something else goes on; there and then where it is the same line."""
    return max(text.rfind("\n", end, goes_on) + 1, 0) or goes_on


def _label(unit: Unit, grammar: Language) -> str:
    names = [unit.name]
    above = unit.above
    while above is not None:
        names.append(above.name)
        above = above.above
    shown = grammar.shown if len(names) == 1 and not unit.holds and "." not in unit.name else ""
    return shown + grammar.join.join(reversed(names))
