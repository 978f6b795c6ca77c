"""Which documents a search is about: --in, --kind, --since, --until and --where as one filter."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from colibri.cli.fields import KindOfFile, Where
from colibri.cli.when import moment
from colibri.errors import InputError

Condition = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    """What a command was told about which documents count. All of the options must hold, of several --in or --kind
    one."""

    inside: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    filters: tuple[str, ...] = ()

    def where(self, now: datetime | None = None) -> Condition | None:
        """As the index takes it; None: every document counts. Raises InputError."""
        conditions: list[Condition] = []
        if self.inside:
            conditions.append(_one_of([_below(folder) for folder in self.inside]))
        if self.kinds:
            conditions.append(_one_of([of_kind(word) for said in self.kinds for word in said.split(",")]))
        if bounds := self._bounds(now or datetime.now().astimezone()):
            conditions.append({"file.mtime_ns": bounds})
        conditions += (parsed(self.filters) or {"$and": []})["$and"]
        return {"$and": conditions} if conditions else None

    def _bounds(self, now: datetime) -> Condition:
        found: Condition = {}
        for name, said, operator in (("--since", self.since, "$gte"), ("--until", self.until, "$lt")):
            if said is not None:
                try:
                    found[operator] = moment(said, now, end=operator == "$lt")
                except InputError as error:
                    raise InputError(f"{name}: {error}") from error
        if len(found) == 2 and found["$gte"] >= found["$lt"]:
            raise InputError(f"--since {self.since} is after --until {self.until}: no file changed between them")
        return found


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options, which the command gets as one argument, `about`: FilterOptions."""

    @wraps(command)
    def collected(**given: Any) -> None:
        names = [field.name for field in fields(FilterOptions)]
        command(about=FilterOptions(**{name: given.pop(name) for name in names}), **given)

    options = [
        click.option(
            "--in",
            "inside",
            multiple=True,
            metavar="FOLDER",
            type=click.Path(),
            help="Only what lies in this folder, or is this file.",
        ),
        click.option(
            "--kind",
            "kinds",
            type=KindOfFile(),
            multiple=True,
            help="Only files of a kind: pdf, py, mail (see `colibri index --kinds`).",
        ),
        click.option("--since", metavar="TIME", help="Only files changed since then: 2025, 2025-01, yesterday, 7d."),
        click.option("--until", metavar="TIME", help="Only files changed until then, a day or month with its end."),
        click.option(
            "--where",
            "filters",
            type=Where(),
            multiple=True,
            help="Keep documents by payload: file.suffix=md, or JSON.",
        ),
    ]
    for option in reversed(options):
        collected = option(collected)
    return collected


def parsed(filters: Sequence[str]) -> Condition | None:
    """Filters of --where as one. Raises InputError."""
    conditions: list[Any] = []
    for text in filters:
        if text.lstrip().startswith("{"):
            try:
                conditions.append(json.loads(text))
            except (ValueError, RecursionError) as error:
                raise InputError(f"--where {text}: not JSON ({error})") from error
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--where {text}: wanted FIELD=VALUE or JSON")
        conditions.append({name: _value(value)})
    return {"$and": conditions} if conditions else None


def _value(text: str) -> Any:
    """A JSON scalar, or else the text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(found, dict | list) else found


def _one_of(conditions: list[Condition]) -> Condition:
    return conditions[0] if len(conditions) == 1 else {"$or": conditions}


def _below(folder: str) -> Condition:
    if not folder:
        raise InputError("--in: an empty path; wanted a folder ('.' is this one)")
    given = os.path.abspath(os.path.expanduser(folder))  # noqa: PTH100, PTH111 - not resolved: an index has names as given
    shown = given.encode("utf-8", "backslashreplace").decode()  # as `files` writes them
    inner = shown if shown.endswith(os.sep) else shown + os.sep
    return {"$or": [{"file.path": shown}, {"file.path": {"$prefix": inner}}]}


def unknown_folders(place: Path, folders: Sequence[str]) -> list[str]:
    """Those of --in of which the index in a folder holds no document."""
    from colibri.index import Index

    if not folders:
        return []
    with Index.open(place, create=False) as index:
        return [folder for folder in folders if not index.count(_below(folder))]


def said_of_folders(unknown: Sequence[str]) -> list[str]:
    """A sentence on each."""
    lines = []
    for folder in unknown:
        there = os.path.lexists(os.path.expanduser(folder))  # noqa: PTH111 - as `_below` has it
        hint = "`colibri index` with it adds what it holds" if there else "there is no such file or folder"
        lines.append(f"--in {folder}: the index holds nothing of it; {hint}")
    return lines


def of_kind(word: str) -> Condition:
    """Files of a kind: by a word of its name, wherever they lie (`pdf` are all PDFs, also in archives and whatever
    their names end in), or by the ending of their names (`md`). Raises InputError for what is neither."""
    from colibri.files import ALSO, NOT_READ, READ, words_of

    wanted = word.strip().casefold().removeprefix(".")
    named = set(ALSO.get(wanted, ()))
    kinds = [kind for kind in READ if kind.name in named or wanted in words_of(kind.name)]
    endings = {one for kind in READ for one in kind.endings if one.startswith(".")}
    suffixes = sorted(one.removeprefix(".") for one in {*named, f".{wanted}"} & endings)
    if not kinds and not suffixes:
        names = sorted({*ALSO, *(one for kind in READ for one in words_of(kind.name))})
        why = "such files are not read, so that none is found"
        if wanted not in {kind.name.casefold() for kind in NOT_READ}:
            why = _why_no_kind(wanted, names, sorted(one.removeprefix(".") for one in endings))
        raise InputError(f"--kind {word}: {why}")
    readers = [f"{kind.name} {version}" for kind in kinds for version in range(1, kind.version + 1)]
    found: list[Condition] = [{"file.suffix": {"$in": suffixes}}] if suffixes else []
    found += [{"file.reader": {"$in": readers}}] if readers else []
    return _one_of([*found, *map(_innermost, readers)])


def _innermost(reader: str) -> Condition:
    """What read a file inside another: "zip 1, PDF 2"."""
    return {"file.reader": {"$contains": f", {reader}"}, "$not": {"file.reader": {"$contains": f", {reader},"}}}


def _why_no_kind(wanted: str, names: list[str], endings: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(wanted, names, 1) or difflib.get_close_matches(wanted, endings, 1)
    nearest = f"; the nearest is {close[0]}" if close else ""
    return f"no kind or ending of files{nearest}; `colibri index --kinds` has all"
