"""Haystack's filters over a store of ours: what its own `document_matches_filter` says, narrowed by `where` before.

`where` and Haystack differ: there a list's element may meet a condition, here the whole value must; here True == 1, and
strings compare as dates. So `narrowed` gives a condition that all documents meet which the filter keeps, and perhaps
some others; what it lets through is then judged by Haystack's own function, in the version that is installed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from haystack import Document
from haystack.errors import FilterError
from haystack.utils.filters import document_matches_filter

from colibri.errors import InputError
from colibri.index import check_where

Filters = Mapping[str, Any]

_ORDERED = {">": "$gte", ">=": "$gte", "<": "$lte", "<=": "$lte"}
_COMPARISONS = {*_ORDERED, "==", "!=", "in", "not in"}
_LOGIC = {"AND", "OR", "NOT"}
_DEEPEST = 100  # Haystack's function calls itself, and Python gives up at 1,000
_DOCUMENTS = {one.name for one in fields(Document)}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
# SQLite may read a number of a payload's JSON a little otherwise than Python does.
_SLACK = 1e-9


def checked(filters: object) -> Filters | None:
    """Filters as they are; None where there are none. Raises FilterError, before any work, for what is none."""
    if filters is None or (isinstance(filters, Mapping) and not filters):
        return None
    _check(filters, 0)
    assert isinstance(filters, Mapping)
    return filters


def _check(given: object, depth: int) -> None:
    if not isinstance(given, Mapping):
        raise FilterError(f"filters: found {type(given).__name__}, wanted a mapping with field or conditions")
    if depth > _DEEPEST:
        raise FilterError(f"filters: nested more than {_DEEPEST} levels deep")
    known = _COMPARISONS if "field" in given else _LOGIC
    for key in ("operator", "value" if "field" in given else "conditions"):
        if key not in given:
            raise FilterError(f"filters: no {key!r} in {dict(given)!r:.200}")
    operator = given["operator"]
    if not isinstance(operator, str) or operator not in known:
        raise FilterError(f"filters: unknown operator {operator!r}; there is {', '.join(sorted(known))}")
    if "field" not in given:
        if not isinstance(given["conditions"], Sequence) or isinstance(given["conditions"], str | bytes):
            raise FilterError(f"filters: conditions are {type(given['conditions']).__name__}, wanted a list")
        for condition in given["conditions"]:
            _check(condition, depth + 1)
        return
    if not isinstance(given["field"], str):
        raise FilterError(f"filters: field {given['field']!r} is {type(given['field']).__name__}, wanted str")
    # Whether the installed version takes this value: it says so of any document that has the field.
    value = "2000-01-01" if isinstance(given["value"], str) else 0
    matches({**given, "field": "meta.probe"}, Document(content="", meta={"probe": value}))


def matches(filters: Filters, document: Document) -> bool:
    """Whether Haystack keeps the document. Raises FilterError where it cannot compare, whatever error it has for it."""
    try:
        return bool(document_matches_filter(dict(filters), document))
    except (TypeError, AttributeError, KeyError) as error:
        raise FilterError(f"{document.id!r}: cannot be compared with {dict(filters)!r:.200} ({error})") from error


def reads_content(filters: Filters | None) -> bool:
    """Whether a document's text decides."""
    if filters is None:
        return False
    if "field" in filters:
        return str(filters["field"]).partition(".")[0] == "content"
    return any(reads_content(one) for one in filters["conditions"])


def narrowed(filters: Filters | None) -> dict[str, Any] | None:
    """A `where` that holds for every document which the filters keep; None: nothing can be said of them."""
    where = None if filters is None else _narrowed(filters)
    if where is None:
        return None
    try:
        check_where(where)
    except InputError:  # too many values, too deep, a field's name that it cannot say
        return None
    return where


def _narrowed(filters: Filters) -> dict[str, Any] | None:
    if "field" in filters:
        return _comparison(filters["field"], filters["operator"], filters["value"])
    parts = [_narrowed(one) for one in filters["conditions"]]
    if filters["operator"] == "AND":
        known = [one for one in parts if one is not None]
        return {"$and": known} if known else None
    if filters["operator"] == "OR" and parts and None not in parts:
        return {"$or": parts}
    return None


def _comparison(field: str, operator: str, value: Any) -> dict[str, Any] | None:
    name = _in_payload(field)
    if name is None:
        return None
    if operator in _ORDERED:
        return _ordered(name, operator, value)
    if operator == "==":
        return _equal(name, value)
    if operator == "!=":
        return {name: {"$exists": True}} if value is None else None
    if operator == "in":
        parts = [_equal(name, one) for one in value]
        plain = [one for part in parts for one in part.get(name, {}).get("$in", [])]
        rest = [part for part in parts if "$in" not in part.get(name, {})]
        return {"$or": [{name: {"$in": plain}}, *rest]}
    return None


def _in_payload(field: str) -> str | None:
    """Its name in payloads; None: it is elsewhere, or `where` may take it for something else, as it does "id"."""
    root, dot, name = field.partition(".")
    if not dot and root not in _DOCUMENTS:
        root, name = "meta", field  # as Haystack has it
    return name if root == "meta" and name and name.partition(".")[0] != "id" else None


def _ordered(name: str, operator: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {name: {"$in": []}}
    if not _is_plain(value):
        return {name: {"$exists": True}}
    reach = abs(value) * _SLACK
    bound = value - reach if _ORDERED[operator] == "$gte" else value + reach
    return {"$or": [{name: {_ORDERED[operator]: bound}}, {name: {"$in": [True, False]}}]}


def _equal(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {"$or": [{name: None}, {name: {"$exists": False}}]}
    if isinstance(value, str) and not _DATE.match(value):
        return {name: {"$in": [value]}}
    if _is_plain(value) and value == int(value):  # True is 1, and 1.0 is 1
        return {name: {"$in": [int(value), *([bool(value)] if value in (0, 1) else [])]}}
    return {name: {"$exists": True}}


def _is_plain(value: object) -> bool:
    """Whether it is a number that SQLite has, too: no nan, nothing of more than 53 bits."""
    return isinstance(value, int | float) and abs(value) <= 1 << 53
