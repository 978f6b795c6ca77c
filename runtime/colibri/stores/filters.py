"""Filters over payloads as Qdrant's conditions, with the meaning that `colibri.index.where` gives them.

Conditions are what Qdrant's REST API takes, as plain dictionaries: the client and Edge's worker turn them into theirs.
A point of ours is asked for its facts (`facts`); a point that a client of the user's own wrote has none, and is asked
with Qdrant's conditions, as near as they come: there an empty list counts as no field. The field `id` is the document's
id, of a point without one of ours the point's own, unless the payload has a field of that name.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from colibri.index import check_where
from colibri.stores import facts

Condition = dict[str, Any]
Strings = Callable[[str], set[str]]
"""Every string that a field holds in some document of the store; of the field ID every document's id."""

FACTS = "_colibri.facts"
ID = "_colibri.id"
PASSAGE = "_colibri.passage"

NOTHING: Condition = {"key": FACTS, "match": {"value": "!"}}  # no fact is that
FOREIGN: Condition = {"is_empty": {"key": ID}}
OURS: Condition = {"must_not": [FOREIGN]}
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_COMPARED: dict[str, Callable[[str, str], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
    "prefix": lambda value, bound: value.startswith(bound),
    "contains": lambda value, bound: bound in value,
}


def compiled(where: Mapping[str, Any] | None, strings: Strings, *, foreign: bool) -> Condition | None:
    """A filter as a condition; None for none, or for one that keeps everything.

    strings  asked where strings are compared, which Qdrant cannot do
    foreign  whether there may be points of others

    Raises InputError or InputTypeError for what is no filter, before anything is asked.
    """
    if where is None:
        return None
    check_where(where)
    return _all_of(where, _Fields(strings, foreign)) if where else None


class _Fields:
    """Conditions on one field."""

    def __init__(self, strings: Strings, foreign: bool) -> None:
        self._strings = strings
        self._foreign = foreign

    def either(self, ours: Condition, native: Condition) -> Condition:
        """Of our points by their facts, of others as Qdrant has it."""
        if not self._foreign:
            return ours
        return {"should": [ours, {"must": [FOREIGN, native]}]}

    def one_of(self, path: str, values: list[Any]) -> Condition:
        """The field is one of these."""
        return self._or_id(path, self._one_of(path, values), [one for one in values if isinstance(one, str)])

    def _one_of(self, path: str, values: list[Any]) -> Condition:
        if not values:
            return NOTHING
        ours = {"key": FACTS, "match": {"any": list(dict.fromkeys(facts.equal(path, value) for value in values))}}
        return self.either(ours, {"should": [_native(path, value) for value in values]})

    def _or_id(self, path: str, of_payload: Condition, names: Iterable[str]) -> Condition:
        """The same, or of the field `id` where the payload has none: the document's id is one of the names."""
        wanted = list(dict.fromkeys(names))
        if path != "id" or not wanted:
            return of_payload
        named: Condition = {"key": ID, "match": {"any": wanted}}
        if self._foreign and (points := [point for name in wanted for point in point_ids(name)]):
            named = {"should": [named, {"must": [FOREIGN, {"has_id": points}]}]}
        return {"should": [of_payload, {"must": [named], "must_not": [self._exists(path)]}]}

    def exists(self, path: str) -> Condition:
        """There is such a field. A document has an id, always."""
        return {"must_not": [NOTHING]} if path == "id" else self._exists(path)

    def _exists(self, path: str) -> Condition:
        ours = {"key": FACTS, "match": {"value": facts.exists(path)}}
        key = json_path(path)
        return self.either(ours, {"should": [{"must_not": [{"is_empty": {"key": key}}]}, {"is_null": {"key": key}}]})

    def compared(self, path: str, operator: str, bound: Any) -> Condition:
        """$gt, $prefix and the like, without the $."""
        if isinstance(bound, str):
            holds = _COMPARED[operator]
            found, *names = (
                sorted(value for value in self._strings(asked) if holds(value, bound))
                for asked in ((path, ID) if path == "id" else (path,))
            )
            return self._or_id(path, self._one_of(path, found), *names or [[]])
        operator, bound = _finite(operator, float(bound))
        native = {"key": json_path(path), "range": {operator: bound}}
        ours = {"must": [{"key": FACTS, "match": {"value": facts.exists(path)}}, native]}
        return self.either(ours, native)


def _all_of(where: Mapping[str, Any], fields: _Fields) -> Condition:
    if not where:
        return {"must_not": [NOTHING]}
    return {"must": [_entry(name, value, fields) for name, value in where.items()]}


def _entry(name: str, value: Any, fields: _Fields) -> Condition:
    if name == "$and":
        return {"must": [_all_of(part, fields) for part in value]}
    if name == "$or":
        return {"should": [_all_of(part, fields) for part in value]}
    if name == "$not":
        return {"must_not": [_all_of(value, fields)]}
    if not isinstance(value, Mapping):
        return fields.one_of(name, [value])
    return {"must": [_condition(name, operator, given, fields) for operator, given in value.items()]}


def _condition(path: str, operator: str, given: Any, fields: _Fields) -> Condition:
    if operator == "$eq":
        return fields.one_of(path, [given])
    if operator == "$ne":
        return {"must_not": [fields.one_of(path, [given])]}
    if operator == "$in":
        return fields.one_of(path, list(given))
    if operator == "$nin":
        return {"must_not": [fields.one_of(path, list(given))]}
    if operator == "$exists":
        found = fields.exists(path)
        return found if given else {"must_not": [found]}
    return fields.compared(path, operator.removeprefix("$"), given)


def _native(path: str, value: Any) -> Condition:
    key = json_path(path)
    if value is None:
        return {"is_null": {"key": key}}
    if isinstance(value, bool | str):
        return {"key": key, "match": {"value": value}}
    if isinstance(value, int) and not -(1 << 53) <= value <= 1 << 53 and -(1 << 63) <= value < 1 << 63:
        return {"key": key, "match": {"value": value}}  # a range compares floats
    number = float(value)
    return {"key": key, "range": {"gte": number, "lte": number}} if abs(number) <= sys.float_info.max else NOTHING


def _finite(operator: str, bound: float) -> tuple[str, float]:
    """The same comparison by a number that JSON has: no payload holds an infinite one."""
    largest = sys.float_info.max
    if bound == float("inf"):
        return ("lte", largest) if operator in {"lt", "lte"} else ("gt", largest)
    if bound == float("-inf"):
        return ("gte", -largest) if operator in {"gt", "gte"} else ("lt", -largest)
    return operator, bound


def json_path(path: str) -> str:
    """A field as Qdrant names it: what is not plain stands between quotation marks."""
    return ".".join(part if _PLAIN.fullmatch(part) else f'"{part}"' for part in path.split("."))


def point_ids(name: str) -> list[str | int]:
    """The ids of points that a document id may be: a server's are UUIDs and whole numbers."""
    if name.isascii() and name.isdigit() and int(name) < 1 << 64 and str(int(name)) == name:
        return [int(name)]
    try:
        return [name] if str(UUID(name)) == name else []
    except ValueError:
        return []
