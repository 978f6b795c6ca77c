"""Translations (gettext's .po and .pot): each message with what it is translated to.

Left: comments, the message before a change, obsolete entries, the header (its facts are kept).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from colibri.files.kinds.decoded import decoded
from colibri.files.source import Source
from colibri.files.text import Builder, FileText

_CHARSET = re.compile(rb"Content-Type:[^\"\n]*?charset=([\w.:+-]+)", re.IGNORECASE)
_LINE = re.compile(r"(?:(msgctxt|msgid_plural|msgid|msgstr(?:[ \t]*\[[ \t]*\d+[ \t]*\])?)[ \t]*)?\"(.*)\"")
_ESCAPE = re.compile(r"\\([abfnrtv\\\"'?]|[0-7]{1,3}|x[0-9A-Fa-f]{1,2})")
_ESCAPES = {"a": "", "b": "", "f": "\n", "n": "\n", "r": "", "t": "\t", "v": "\n"}
_MOST_REMARKS = 10


@dataclass
class _Entry:
    """A message: the line it begins in, and its strings by their keywords."""

    line: int
    strings: dict[str, str] = field(default_factory=dict)
    last: str = ""


def read(source: Source) -> FileText:
    """Messages and translations, a paragraph each; places are lines of the file."""
    charset = _CHARSET.search(source.data)
    text = decoded(source.data, charset[1].decode("ascii") if charset else None)
    builder = Builder()
    facts: dict[str, str] = {}
    for entry in _entries(text, builder):
        strings = entry.strings
        if not strings.get("msgid") and "msgctxt" not in strings:
            facts = facts or dict(_facts(strings.get("msgstr", "")))
            continue
        builder.place(f"line {entry.line}")
        builder.block("\n".join(dict.fromkeys(value.strip("\n") for value in strings.values() if value.strip())))
    return builder.done(
        title=facts.get("project-id-version"),
        author=facts.get("last-translator"),
        language=(facts.get("language") or "").replace("_", "-") or None,
        created=_iso(facts.get("pot-creation-date", "")),
        modified=_iso(facts.get("po-revision-date", "")),
    )


def _entries(text: str, builder: Builder) -> Iterator[_Entry]:
    entry: _Entry | None = None
    odd: list[int] = []
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None or not (found[1] or entry):
            odd.append(number)
            continue
        keyword = found[1]
        begins = keyword == "msgctxt" or (keyword == "msgid" and (entry is None or entry.last != "msgctxt"))
        if begins:
            if entry is not None:
                yield entry
            entry = _Entry(number)
        entry = entry or _Entry(number)
        entry.last = keyword or entry.last
        entry.strings[entry.last] = entry.strings.get(entry.last, "") + _ESCAPE.sub(_unescaped, found[2])
    if entry is not None:
        yield entry
    for number in odd[:_MOST_REMARKS]:
        builder.remark(f"line {number} is no part of a message")
    if len(odd) > _MOST_REMARKS:
        builder.remark(f"{len(odd) - _MOST_REMARKS:,} more lines are no part of a message")


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] == "x":
        return chr(int(code[1:], 16))
    return chr(int(code, 8)) if code[0].isdigit() else _ESCAPES.get(code, code)


def _facts(header: str) -> Iterator[tuple[str, str]]:
    for line in header.split("\n"):
        name, _, value = line.partition(":")
        # What nobody filled in stands in capitals: "FULL NAME <EMAIL@ADDRESS>".
        if value.strip() and not re.search(r"FULL NAME|EMAIL@ADDRESS|YEAR-MO-DA|PACKAGE VERSION", value):
            yield name.strip().lower(), value.strip()


def _iso(text: str) -> str | None:
    for form in ("%Y-%m-%d %H:%M%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M", "%Y-%m-%d"):
        try:
            return datetime.strptime(text.strip(), form).isoformat()
        except ValueError:
            continue
    return None
