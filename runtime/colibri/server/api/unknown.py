"""A field that a request of our own routes does not have: named, with the known one that was meant."""

import difflib
import re
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec

from colibri.server.problems import Problem, invalid

_MEANT = {
    "k": "top_n",  # of /v1/rerank, which has Jina's words
    "size": "k",
    "limit": "k",
    "n_results": "k",
    "filter": "where",
    "filters": "where",
    "q": "query",
    "input": "query",
    "explain": "spans",
    "highlight": "spans",
    "metadata": "payload",
    "content": "text",
}
"""Other search engines' words whose letters do not tell."""


def unknown_field(name: str, at: str, kind: type[Any]) -> Problem:
    """422. at: where in the request, as msgspec says it: `documents[0]`. kind: what was decoded."""
    known = _struct_at(kind, at).__struct_fields__
    near = [_MEANT[name]] if _MEANT.get(name) in known else difflib.get_close_matches(name, known, 1, 0.5)
    meant = f"; the nearest there is, is {near[0]}" if near else ""
    place = f"{at}.{name[:100]}".lstrip(".")
    return invalid(place, f"unknown field{meant} (of {', '.join(known)})", "unknown_field")


def _struct_at(kind: type[Any], at: str) -> type[msgspec.Struct]:
    found = kind
    for part in filter(None, re.sub(r"\[.*?\]", "", at).split(".")):
        found = next(_structs(get_type_hints(found).get(part)), kind)
    return found


def _structs(hint: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for part in get_args(hint):
        yield from _structs(part)
