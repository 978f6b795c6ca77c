"""Rows of any kind of file as documents: which field is the text, what names a row, and what happens to the others."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from colibri.files.kinds.chat import chat_of
from colibri.files.text import FileText, Part, Passed


class Row(NamedTuple):
    """A row: its line, its fields by name, remarks on it, and how many characters it has in the file."""

    line: int
    fields: dict[str, Any]
    remarks: tuple[str, ...]
    size: int


DEEPEST = 100
_LONGEST_ID = 2_000  # characters: an index takes 4,096, and the file's path stands before it
_LARGEST_FIELDS = 15 << 20  # characters of JSON: an index takes 16 MB with what it adds
_TOO_MANY = 8  # names that a message lists
_INTEGERS = range(-(2**63), 2**64)  # what a reader of JSON must take


def parts(
    rows: Callable[[], Iterable[Row | Passed]], text_field: str | None, id_field: str | None
) -> Iterator[Part | Passed]:
    """Documents of rows, in their order.

    The text is the field `text_field`, else "text", else a chat, else all strings in the row. Where two rows have one
    id the last one stays, at its own line. Without ids a row is named by its line, and where several begin in one, as
    in an array that was written without line ends, the second is "1.2". rows: is called twice where there are ids, so
    that no row has to be kept.
    """
    last = {} if id_field is None else _last_lines(rows(), id_field)
    before, begun = 0, 0
    for row in rows():
        if isinstance(row, Passed):
            yield row
            continue
        line, fields = row.line, row.fields
        before, begun = line, begun + 1 if line == before else 1
        own = str(line) if begun == 1 else f"{line}.{begun}"
        name = own if id_field is None else _id(fields, id_field)
        if name is None:
            yield passed(line, _no_id(fields, str(id_field)))
        elif last.get(name, line) != line:
            yield passed(line, f"its {id_field} {name!r} stands again in line {last[name]}, which is kept")
        else:
            yield _part(row, name, text_field)


def passed(line: int, why: str) -> Passed:
    """A row that is no document."""
    return Passed(name=f"line {line}", why=why)


def trouble(fields: object) -> str | None:
    """Why a row of JSON cannot be a document's fields; None where it can."""
    if not isinstance(fields, dict):
        return f"{_kind(fields)}, wanted an object"
    level: list[Any] = [fields]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for value in level:
            below += value.values() if isinstance(value, dict) else value
        if any(isinstance(value, float) and not math.isfinite(value) for value in below):
            return "holds NaN, Infinity or a number beyond what a float holds"
        level = [value for value in below if isinstance(value, dict | list)]
        if not level:
            return None
    return f"is nested more than {DEEPEST} levels deep"


def _last_lines(rows: Iterable[Row | Passed], id_field: str) -> dict[str, int]:
    last = {}
    for row in rows:
        if not isinstance(row, Passed) and (name := _id(row[1], id_field)) is not None:
            last[name] = row[0]
    return last


def _id(fields: dict[str, Any], id_field: str) -> str | None:
    found = fields.get(id_field)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    name = str(found)
    surrogates = any("\ud800" <= letter <= "\udfff" for letter in name)
    return None if surrogates or not 0 < len(name) <= _LONGEST_ID else name


def _no_id(fields: dict[str, Any], id_field: str) -> str:
    if id_field not in fields:
        return f"no field {id_field!r}; there is {_names(fields)}"
    return f"no id in field {id_field!r}: found {_kind(fields[id_field])}, wanted 1 to {_LONGEST_ID:,} characters"


def _part(row: Row, name: str, text_field: str | None) -> Part | Passed:
    line, fields, remarks, size = row
    named = text_field or ("text" if "text" in fields else None)
    chats = {key: chat for key in ([named] if named else fields) if (chat := chat_of(fields.get(key))) is not None}
    if len(chats) == 1:
        [(named, content)] = chats.items()
    elif named is None:
        content = FileText(text="\n".join(_strings(list(fields.values()))))
    elif isinstance(fields.get(named), str):
        content = FileText(text=fields[named])
    elif named in fields:
        return passed(line, f"no text in field {named!r}: found {_kind(fields[named])}")
    else:
        return passed(line, f"no field {named!r}; there is {_names(fields)}")
    if not content.text.strip():
        return passed(line, "holds no text" if named is None else f"field {named!r} is empty")
    title = fields.get("title") if named else None
    content = FileText(
        text=content.text,
        places=content.places,
        title=title if isinstance(title, str) else None,
        remarks=content.remarks + remarks,
    )
    others = {key: value for key, value in fields.items() if key != named}
    if size > _LARGEST_FIELDS and len(json.dumps(others)) > _LARGEST_FIELDS:
        return passed(line, f"has more than {_LARGEST_FIELDS >> 20} MB beside its text")
    return Part(name=name, content=content, fields=others, line=line)


def _strings(values: list[Any]) -> Iterator[str]:
    """Every string within, in the order of the file; chats with their roles."""
    waiting = values[::-1]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if value.strip():
                yield value
        elif isinstance(value, list | dict):
            if (chat := chat_of(value)) is not None:
                yield chat.text
            else:
                waiting += list(value.values() if isinstance(value, dict) else value)[::-1]


def kept_integer(digits: str) -> int | str:
    """A JSON integer; as its digits where other readers of JSON would refuse or round it."""
    if len(digits) > 20:
        return digits
    found = int(digits)
    return found if found in _INTEGERS else digits


def _kind(value: object) -> str:
    if value == "":
        return "an empty string"
    names = {dict: "an object", list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _names(fields: dict[str, Any]) -> str:
    listed = ", ".join(list(fields)[:_TOO_MANY])
    return f"{listed}, ..." if len(fields) > _TOO_MANY else listed or "none"
