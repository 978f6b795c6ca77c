"""Filters over payloads, compiled to SQL whose every value and name is a bound parameter.

    {"lang": "en"}                            equal (of the same JSON type; 1 and 1.0 are equal, 1 and true are not)
    {"lang": {"$in": ["en", "de"]}}           one of these
    {"year": {"$gte": 2020, "$lt": 2024}}     $gt $gte $lt $lte: numbers with numbers, strings by code point
    {"author": {"$exists": True}}             there is such a field, null included
    {"lang": {"$ne": "en"}}                   not equal, or not there
    {"lang": {"$nin": ["en", "de"]}}          none of these, or not there
    {"name": {"$prefix": "ab"}}               a string that begins so, case counts; $contains: has it in it
    {"id": {"$prefix": "notes/"}}             the document's id, unless its payload has a field of that name
    {"$and": [...]}, {"$or": [...]}, {"$not": {...}}

Several entries of one mapping must all hold. "a.b" is field b of the object a. Where a field is a list, a condition
holds when it holds for one of its elements.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from colibri.errors import InputError, InputTypeError

Where = Mapping[str, Any]

_DEEPEST = 12  # SQLite's parser has a stack of 100, and a level of ours takes up to six
_JOINED = 200  # conditions in a row: SQLite nests them, and takes 1,000 levels
_MOST_VALUES = 30_000  # SQLite binds up to 32,766
_MOST_CONDITIONS = 1_000  # its time to prepare grows with the square of them: 0.1 s here, 5 s at 9,000
_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_STRING_TESTS = {"$prefix": "= 1", "$contains": "> 0"}
_ID = '$."id"'
_TYPES = {"number": "'integer', 'real'", "string": "'text'"}


@dataclass(frozen=True)
class _Path:
    """A field: the parameter that its JSON path is bound to, and whether it may be the document's id."""

    bound: str
    may_be_id: bool


class _Sql:
    """Text and values, in the order they are met."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._conditions = 0

    def path(self, name: str) -> "_Path":
        """A condition's field."""
        self._conditions += 1
        if self._conditions > _MOST_CONDITIONS:
            raise InputError(f"where: more than {_MOST_CONDITIONS:,} conditions; $in takes many values at once")
        path = _path(name)
        return _Path(self.bind(path), path == _ID)

    def bind(self, value: object) -> str:
        self.values.append(value)
        if len(self.values) > _MOST_VALUES:
            raise InputError(f"where: more than {_MOST_VALUES:,} values")
        return f"?{len(self.values)}"


def compiled(where: Where) -> tuple[str, list[object]]:
    """SQL over `documents.payload` and `documents.id` that is 1 or 0, and the values it binds.

    Raises InputError or InputTypeError for what is none of the forms above.
    """
    sql = _Sql()
    return _all_of(where, sql, 0), sql.values


def check_where(where: Where) -> None:
    """Refuse what is none of the forms above, as `compiled` does."""
    compiled(where)


def _all_of(where: object, sql: _Sql, depth: int) -> str:
    if not isinstance(where, Mapping):
        raise InputTypeError(f"where: found {type(where).__name__}, wanted a mapping such as {{'lang': 'en'}}")
    if depth > _DEEPEST:
        raise InputError(f"where: nested more than {_DEEPEST} levels deep")
    parts = [_entry(name, value, sql, depth) for name, value in where.items()]
    return _joined(parts, " AND ") if parts else "1"


def _joined(parts: list[str], joint: str) -> str:
    while len(parts) > 1:
        parts = [f"({joint.join(parts[at : at + _JOINED])})" for at in range(0, len(parts), _JOINED)]
    return parts[0]


def _entry(name: object, value: object, sql: _Sql, depth: int) -> str:
    if not isinstance(name, str):
        raise InputTypeError(f"where: field {name!r} is {type(name).__name__}, wanted str")
    if name in {"$and", "$or"}:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes) or not value:
            raise InputError(f"where: {name} wants a list of conditions")
        joint = " AND " if name == "$and" else " OR "
        return _joined([_all_of(part, sql, depth + 1) for part in value], joint)
    if name == "$not":
        return f"(NOT {_all_of(value, sql, depth + 1)})"
    if name.startswith("$"):
        raise InputError(f"where: unknown operator {name}; there is $and, $or, $not")
    path = sql.path(name)
    if not isinstance(value, Mapping):
        return _equal(path, value, sql)
    if not value:
        raise InputError(f"where: {name}: an empty condition")
    return f"({' AND '.join(_condition(path, name, operator, given, sql) for operator, given in value.items())})"


def _path(name: str) -> str:
    """A JSON path; names in it are quoted, so that only a quotation mark or a backslash could leave them."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"where: field {name!r} has a lone surrogate") from error
    if not name or any(not part for part in name.split(".")) or any(c in name for c in '"\\\0'):
        raise InputError(f"where: field {name!r}: wanted names between dots, without quotation marks or backslashes")
    return "$" + "".join(f'."{part}"' for part in name.split("."))


def _condition(path: _Path, name: str, operator: object, given: object, sql: _Sql) -> str:
    given = _plain(given)
    if operator in _COMPARISONS:
        kind = "number" if _is_number(given) else "string" if isinstance(given, str) else None
        if kind is None:
            raise InputTypeError(f"where: {name}: {operator} wants a number or a string, found {type(given).__name__}")
        bound = sql.bind(_bindable(given))
        return _any(path, _TYPES[kind], lambda value: f"{value} {_COMPARISONS[str(operator)]} {bound}")
    if operator in _STRING_TESTS:
        if not isinstance(given, str):
            raise InputTypeError(f"where: {name}: {operator} wants a string, found {type(given).__name__}")
        bound = sql.bind(_bindable(given))
        return _any(path, _TYPES["string"], lambda value: f"instr({value}, {bound}) {_STRING_TESTS[str(operator)]}")
    if operator == "$eq":
        return _equal(path, given, sql)
    if operator == "$ne":
        return f"(NOT {_equal(path, given, sql)})"
    if operator in {"$in", "$nin"}:
        if not isinstance(given, Sequence | set | frozenset) or isinstance(given, str | bytes):
            raise InputTypeError(f"where: {name}: {operator} wants a list, found {type(given).__name__}")
        one = " OR ".join(_grouped(path, [_plain(v) for v in given], sql)) or f"{path.bound} IS NULL"
        return f"({one})" if operator == "$in" else f"(NOT ({one}))"
    if operator == "$exists":
        if not isinstance(given, bool):
            raise InputTypeError(f"where: {name}: $exists wants True or False, found {given!r}")
        if path.may_be_id:
            return f"({path.bound} IS {'NOT ' if given else ''}NULL)"  # a path never is
        return f"(json_type(documents.payload, {path.bound}) IS {'NOT ' if given else ''}NULL)"
    raise InputError(
        f"where: {name}: unknown operator {operator!r}; there is $eq, $ne, $in, $nin, {', '.join(_COMPARISONS)}, "
        f"{', '.join(_STRING_TESTS)}, $exists"
    )


def _equal(path: _Path, value: object, sql: _Sql) -> str:
    if isinstance(value, list | tuple | Mapping):
        raise InputTypeError(f"where: found {type(value).__name__}, wanted a string, number, true, false or null")
    return _grouped(path, [_plain(value)], sql)[0]


def _grouped(path: _Path, values: list[object], sql: _Sql) -> list[str]:
    """Conditions that a field is one of the values, one for each JSON type among them."""
    parts = []
    for kind in ("number", "string"):
        own = [v for v in values if (_is_number(v) if kind == "number" else isinstance(v, str))]
        if own:
            bound = ", ".join(sql.bind(_bindable(value)) for value in own)
            parts.append(_any(path, _TYPES[kind], lambda value, bound=bound: f"{value} IN ({bound})"))  # type: ignore[misc]
    for constant, kind in ((True, "'true'"), (False, "'false'"), (None, "'null'")):
        if any(value is constant for value in values):
            parts.append(_any(path, kind, lambda _: "1"))
    for value in values:
        if not (value is None or isinstance(value, bool | str) or _is_number(value)):
            raise InputTypeError(f"where: found {type(value).__name__}, wanted a string, number, true, false or null")
    return parts


def _any(path: _Path, types: str, holds: Callable[[str], str]) -> str:
    """Whether it holds for the field, or for an element of it. Never NULL, so that NOT means what it says."""
    kind = f"json_type(documents.payload, {path.bound})"
    own = f"WHEN {kind} IS NULL THEN {holds('documents.id') if types == _TYPES['string'] else '0'} "
    return (
        f"(CASE {own if path.may_be_id else ''}"
        f"WHEN {kind} = 'array' THEN EXISTS (SELECT 1 FROM json_each(documents.payload, {path.bound}) AS e "
        f"WHERE e.type IN ({types}) AND {holds('e.value')}) "
        f"ELSE coalesce({kind} IN ({types}) AND {holds(f'json_extract(documents.payload, {path.bound})')}, 0) "
        "END)"
    )


def _plain(value: object) -> object:
    """numpy's scalars as Python's, as payloads hold them."""
    return value.item() if isinstance(value, np.generic) else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bindable(value: object) -> object:
    """SQLite's integers have 64 bits; it reads larger ones in JSON as floats, and so do we."""
    if isinstance(value, float) and math.isnan(value):
        raise InputError("where: nan is equal to nothing")
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        try:
            return float(value)
        except OverflowError as error:
            raise InputError("where: a number beyond 1e308") from error
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"where: {value[:80]!r} has a lone surrogate") from error
    return value
