"""Fields of filters: which of them no document has, and the nearest that some have; and their completion."""

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


class Where(click.types.StringParamType):
    """A filter; what is completed is the name of its field."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """Fields of the first documents of the index that is meant."""
        from click.shell_completion import CompletionItem

        from colibri.index import Index

        try:
            place = which(ctx.params.get("index_folder"), ctx.params.get("index_name")).path
            with Index.open(place, create=False) as index:
                some = islice(index.payloads(), _LOOKED_AT)
                names = {name for _, payload in some for name in _names(payload or {})}
        except ColibriError:  # there is nothing to complete
            return []
        return [CompletionItem(f"{name}=") for name in sorted(names) if name.startswith(incomplete)]


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
                known.update(_names(payload or {}))
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


def _names(payload: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[str]:
    for name, value in payload.items():
        if "." in name:  # no filter reaches it
            continue
        yield before + name
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _names(value, f"{before}{name}.", depth + 1)
