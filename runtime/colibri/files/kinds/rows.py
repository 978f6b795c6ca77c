"""JSON lines, and arrays of JSON objects: each a document. A bad row costs itself alone, and is named with its line."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from colibri.files.kinds.decoded import decoded
from colibri.files.kinds.records import DEEPEST, Row, kept_integer, parts, passed, trouble
from colibri.files.source import Source
from colibri.files.text import Part, Passed

_SPACE = re.compile(r"[ \t\r\n\x1e]*")  # U+001E stands before each value of RFC 7464
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TOKENS = re.compile(rf"{_STRING}|[{{}}\[\]]", re.DOTALL)
_SCALAR = re.compile(rf'{_STRING}|[^,\]\[{{}}"\s]++', re.DOTALL)
_LONG = re.compile(r"\d{19}")


def rows(source: Source, text_field: str | None, id_field: str | None) -> Iterator[Part | Passed]:
    """Documents of a file of JSON lines, or of objects one after another, in an array or not. See records.parts."""
    text = decoded(source.data)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    yield from parts(lambda: _rows(text), text_field, id_field)


def holds_rows(source: Source) -> bool:
    """Whether a file of any JSON is rows: an array of objects, or an object a line; not one object over its lines."""
    text = decoded(source.data)
    start = _space(text, 0)
    if text.startswith("[", start):
        return text.startswith("{", _space(text, start + 1))
    first, _, rest = text[start:].partition("\n")
    return rest.startswith("{", _space(rest, 0)) and first.startswith("{") and isinstance(_value(first)[0], dict)


def _rows(text: str) -> Iterator[Row | Passed]:
    start = _space(text, 0)
    first, _, rest = text[start:].partition("\n")
    whole_line = not isinstance(_value(first)[0], ValueError | RecursionError)
    objects = text.startswith("{", _space(text, start + 1))
    if text.startswith("[", start) and (objects or not (whole_line and rest.strip())):
        yield from _values(text, start + 1, "]")
    elif not whole_line and _reaches_over_lines(text, start):
        yield from _values(text, start, "")
    else:
        yield from _lines(text)


def _lines(text: str) -> Iterator[Row | Passed]:
    for line, row in enumerate(text.split("\n"), 1):
        if stripped := row.strip(" \t\r\x1e"):
            yield _row(line, stripped)


def _values(text: str, at: int, closing: str) -> Iterator[Row | Passed]:
    """Values one after another, with or without commas. closing: the bracket at their end, "" where there is none."""
    line, counted = 1, 0
    while True:
        at = _space(text, at)
        while text.startswith(",", at):
            at = _space(text, at + 1)
        line, counted = line + text.count("\n", counted, at), at
        if at >= len(text):
            if closing:
                yield passed(line, "the file ends within its array")
            return
        if text[at] == closing:
            at = _space(text, at + 1)
            if text.startswith("[", at):
                at += 1
                continue
            if at < len(text):
                yield passed(line, "the array ends here, and what follows is not read")
            return
        end = _end(text, at)
        if end is None:
            yield passed(line, "not JSON; where it ends cannot be told, so nothing after it is read")
            return
        yield _row(line, text[at:end])
        at = end


def _end(text: str, at: int) -> int | None:
    """Where the value that begins here ends: at the bracket that closes it, without a look at what is inside."""
    if text[at] not in "{[":
        found = _SCALAR.match(text, at)
        return found.end() if found else None
    depth = 0
    for token in _TOKENS.finditer(text, at):
        letter = token[0][0]
        depth += (letter in "{[") - (letter in "}]")
        if depth == 0:
            return token.end()
    return None


def _row(line: int, text: str) -> Row | Passed:
    value, doubled = _value(text)
    if isinstance(value, RecursionError):
        return passed(line, f"is nested more than {DEEPEST} levels deep")
    if isinstance(value, ValueError):
        return passed(line, f"not JSON ({value})")
    if why := trouble(value):
        return passed(line, why)
    return Row(
        line,
        value,
        tuple(f"field {name!r} stands twice in one object; the last is kept" for name in doubled),
        len(text),
    )


def _value(text: str) -> tuple[Any, list[str]]:
    """What a JSON text says, or the error; large integers as their digits. Also the names given twice in an object."""
    doubled: list[str] = []

    def fields(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found):
            doubled.extend(name for name, times in Counter(name for name, _ in found).items() if times > 1)
        return made

    try:
        parse_int = kept_integer if _LONG.search(text) else None
        return json.loads(text, object_pairs_hook=fields, parse_int=parse_int), doubled
    except (ValueError, RecursionError) as error:
        return error, doubled


def _reaches_over_lines(text: str, start: int) -> bool:
    """Whether an object begins here that is right, though its first line is not one."""
    end = _end(text, start) if text.startswith("{", start) else None
    return end is not None and isinstance(_value(text[start:end])[0], dict)


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
