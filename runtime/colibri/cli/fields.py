"""Fields of filters: which of them no document has, and the nearest that some have; and what completes there."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colibri.errors import ColibriError
from colibri.own import nearest, which

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_MOST = 10_000  # names; a payload may hold any keys, such as dates
_DEEPEST = 12
_OF_EACH_DOCUMENT = frozenset({"id"})
_LOOKED_AT = 1_000  # documents, for names to complete
_MOST_VALUES = 20
_PLAIN = re.compile(r"[\w./+-]{1,60}")  # what no shell has to quote


class Where(click.types.StringParamType):
    """A filter; what is completed is the name of its field."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """Fields of the first documents of the index that is meant; of a single one also values, so that shells stop
        at its "=" and do not put a blank behind it."""
        from click.shell_completion import CompletionItem

        try:
            values = _values(which(ctx.params.get("index_folder"), ctx.params.get("index_name")).path)
        except ColibriError:  # there is nothing to complete
            return []
        name = incomplete.partition("=")[0]
        fitting = [name] if "=" in incomplete else sorted(one for one in values if one.startswith(incomplete))
        found = [f"{one}=" for one in fitting]
        if len(fitting) == 1:
            found += [f"{fitting[0]}={value}" for value in sorted(values.get(fitting[0], ()))[:_MOST_VALUES]]
        return [CompletionItem(one) for one in found if one.startswith(incomplete)]


class KindOfFile(click.types.StringParamType):
    """A kind of file, as `colibri search --kind` and the configuration take it."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """Kinds that are read, and the endings of their files' names."""
        from click.shell_completion import CompletionItem

        from colibri.files import ALSO, READ

        names = {kind.name.casefold() for kind in READ} | ALSO.keys()
        names |= {ending.lstrip(".") for kind in READ for ending in kind.endings if ending.startswith(".")}
        plain = sorted(name for name in names if _PLAIN.fullmatch(name))
        return [CompletionItem(name) for name in plain if name.startswith(incomplete.casefold())]


def unknown_fields(place: Path, where: Mapping[str, Any] | None, *, found: bool) -> dict[str, str | None]:
    """Fields of a filter that no document of the index in a folder has -> the nearest that some have.

    All documents are looked at before one is called unknown, none where something was found by conditions that hold
    only where their field is there.
    """
    from colibri.index import Index

    if found and not _could_hide(where):
        return {}
    asked = set(_asked(where or {})) - _OF_EACH_DOCUMENT
    known: set[str] = set()
    if not asked:
        return {}
    with Index.open(place, create=False) as index:
        for _, payload in index.payloads():
            asked = {name for name in asked if not _has(payload, name)}
            if not asked:
                return {}
            if len(known) < _MOST:
                known.update(name for name, _ in _fields(payload or {}))
    ends = {name.rpartition(".")[2]: name for name in sorted(known, reverse=True)}
    return {name: nearest(name, known) or ends.get(nearest(name, ends) or "") for name in sorted(asked)}


def said_of(unknown: Mapping[str, str | None]) -> list[str]:
    """A sentence on each."""
    lines = []
    for name, close in unknown.items():
        hint = f"; the nearest is {close}" if close else ""
        lines.append(f"no document has the field {name}{hint}")
    return lines


def _could_hide(where: Mapping[str, Any] | None) -> bool:
    """Whether a condition holds where its field is missing, so that a misspelt one finds all the more."""
    return any(word in repr(where) for word in ("$ne", "$nin", "$not", "$exists"))


def _values(place: Path) -> dict[str, set[str]]:
    """Field -> values of it that can be typed as they are, of fields that are no objects."""
    from colibri.index import Index

    found: dict[str, set[str]] = {}
    with Index.open(place, create=False) as index:
        for _, payload in islice(index.payloads(), _LOOKED_AT):
            for name, value in _fields(payload or {}):
                if not isinstance(value, Mapping):
                    own = found.setdefault(name, set())
                    own.update(str(one) for one in (value if isinstance(value, list) else [value]) if _is_plain(one))
    return found


def _is_plain(value: Any) -> bool:
    return type(value) in (str, int) and _PLAIN.fullmatch(str(value)) is not None


def _asked(where: Any) -> Iterator[str]:
    for name, value in where.items() if isinstance(where, Mapping) else ():
        if name == "$not":
            yield from _asked(value)
        elif name in {"$and", "$or"}:
            for part in value:
                yield from _asked(part)
        else:
            yield name


def _has(payload: Any, name: str) -> bool:
    for part in name.split("."):
        if not isinstance(payload, Mapping) or part not in payload:
            return False
        payload = payload[part]
    return True


def _fields(payload: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for name, value in payload.items():
        if "." in name:  # no filter reaches it
            continue
        yield before + name, value
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _fields(value, f"{before}{name}.", depth + 1)
