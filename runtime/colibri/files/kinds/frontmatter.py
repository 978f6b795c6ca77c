"""What a text says of itself at its head: YAML and TOML front matter, fields of reStructuredText, org and AsciiDoc."""

import re
from typing import NamedTuple

from colibri.files.kinds.dates import iso_date

_YAML_ENDS = ("---", "...")
_ENTRY = re.compile(r"[\"']?([A-Za-z][\w .-]{0,30}?)[\"']?\s*[:=]\s*(.*)")
_ITEM = re.compile(r"\s*-\s+(?:name:\s*)?(.+)")
_ORG_KEY = re.compile(r"\s*#\+(title|author|date|language):\s*(.+)", re.IGNORECASE)
_FIELD = re.compile(r":([A-Za-z][\w -]{0,30}):\s+(.+)")
_FACTS = {
    "title": ("title",),
    "author": ("author", "authors", "by", "creator"),
    "language": ("lang", "language", "locale"),
    "created": ("date", "created", "published", "pubdate", "publishdate", "created_at"),
    "modified": ("modified", "updated", "lastmod", "last_modified", "updated_at", "last_updated"),
}
_HEAD_LINES = 200


class FrontMatter(NamedTuple):
    """facts: fields of FileText. end: the first line that is not of it, from 0."""

    facts: dict[str, str]
    end: int


def front_matter(lines: list[str]) -> FrontMatter:
    """Of a Markdown file: between `---` (YAML) or `+++` (TOML)."""
    first = lines[0].rstrip() if lines else ""
    ends = _YAML_ENDS if first == "---" else ("+++",) if first == "+++" else ()
    for number, line in enumerate(lines[1:_HEAD_LINES], 1):
        if line.rstrip() in ends:
            return FrontMatter(facts_of(_entries(lines[1:number])), number + 1)
    return FrontMatter({}, 0)


def org_head(lines: list[str]) -> FrontMatter:
    """`#+TITLE:` and its like."""
    found = [found.groups() for line in lines[:_HEAD_LINES] if (found := _ORG_KEY.fullmatch(line))]
    return FrontMatter(facts_of({key.lower(): value for key, value in found}), 0)


def fields(lines: list[str]) -> FrontMatter:
    """`:Author: name` at the head of reStructuredText and AsciiDoc."""
    found = [found.groups() for line in lines[:_HEAD_LINES] if (found := _FIELD.fullmatch(line))]
    return FrontMatter(facts_of({key.lower(): value for key, value in reversed(found)}), 0)


def facts_of(entries: dict[str, str]) -> dict[str, str]:
    """Fields of FileText from named values."""
    facts: dict[str, str] = {}
    for fact, names in _FACTS.items():
        value = next((entries[name] for name in names if entries.get(name)), "")
        if fact in {"created", "modified"}:
            value = iso_date(value) or ""
        elif fact == "language":
            value = value.replace("_", "-")
        if value:
            facts[fact] = value
    return facts


def _entries(lines: list[str]) -> dict[str, str]:
    """Keys without indentation; of lists and of values that go on below, the items joined."""
    entries: dict[str, str] = {}
    key = ""
    for line in lines:
        if found := None if line[:1].isspace() else _ENTRY.fullmatch(line.rstrip()):
            key = found[1].lower().replace(" ", "_")
            entries[key] = _value(found[2])
        elif key and (item := _ITEM.fullmatch(line)):
            entries[key] = ", ".join(filter(None, (entries[key], _value(item[1]))))
        elif key and entries[key] in {">", "|", ">-", "|-", ""} and line.strip():
            entries[key] = line.strip()
    return entries


def _value(text: str) -> str:
    text = text.strip()
    if text[:1] == "[" and text[-1:] == "]":
        return ", ".join(part for entry in text[1:-1].split(",") if (part := _value(entry)))
    if text[:1] in {'"', "'"} and text[-1:] == text[:1]:
        return text[1:-1]
    return text.split(" #")[0].rstrip()
