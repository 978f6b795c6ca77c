"""LlamaIndex's filters as Colibri's.

What a list means is `colibri.index.where`'s: a condition holds for a list when it holds for one of its elements.
"""

from collections.abc import Callable, Mapping
from typing import Any

from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
)

from colibri.compat.not_here import not_here
from colibri.errors import InputError, InputTypeError

Where = dict[str, Any]

_COMPARED = {
    FilterOperator.EQ: "$eq",
    FilterOperator.NE: "$ne",
    FilterOperator.GT: "$gt",
    FilterOperator.GTE: "$gte",
    FilterOperator.LT: "$lt",
    FilterOperator.LTE: "$lte",
    FilterOperator.CONTAINS: "$eq",
    FilterOperator.TEXT_MATCH: "$contains",
}
_LISTED = {FilterOperator.IN: "$in", FilterOperator.NIN: "$nin", FilterOperator.ANY: "$in"}


def as_where(filters: "MetadataFilters | Mapping[str, Any] | None") -> Where | None:
    """A `where` of MetadataFilters; one that is one already, and None, as they are.

    EQ NE GT GTE LT LTE IN NIN ANY ALL CONTAINS TEXT_MATCH and IS_EMPTY, joined by AND, OR and NOT (none of them holds),
    nested too. NE and NIN hold where there is no such field, as in LlamaIndex's own stores; IS_EMPTY where there is
    none, for null, "" and [].

    Raises NotHere for TEXT_MATCH_INSENSITIVE, InputTypeError for what is no filter, InputError for a value that its
    operator cannot take.
    """
    if filters is None:
        return None
    if isinstance(filters, MetadataFilters):
        return _joined(filters)
    if isinstance(filters, Mapping):
        return dict(filters)
    raise InputTypeError(f"filters: found {type(filters).__name__}, wanted MetadataFilters or a colibri.index.where")


def _joined(filters: MetadataFilters) -> Where:
    parts = [_joined(one) if isinstance(one, MetadataFilters) else _one(one) for one in filters.filters]
    if not parts:
        return {}
    condition = filters.condition or FilterCondition.AND
    joints: dict[FilterCondition, Callable[[], Where]] = {
        FilterCondition.AND: lambda: {"$and": parts},
        FilterCondition.OR: lambda: {"$or": parts},
        FilterCondition.NOT: lambda: {"$not": {"$or": parts}},
    }
    return joints[condition]()


def _one(given: MetadataFilter) -> Where:
    key, operator, value = given.key, given.operator, given.value
    if operator == FilterOperator.IS_EMPTY:
        return {"$or": [{key: {"$exists": False}}, {key: {"$in": [None, ""]}}]}
    if operator == FilterOperator.TEXT_MATCH_INSENSITIVE:
        not_here("TEXT_MATCH_INSENSITIVE", "a filter compares strings as they are", "use TEXT_MATCH, where case counts")
    if operator == FilterOperator.ALL or operator in _LISTED:
        if not isinstance(value, list):
            raise InputTypeError(f"filter {key} {operator.value}: found {type(value).__name__}, wanted a list")
        if operator != FilterOperator.ALL:
            return {key: {_LISTED[operator]: value}}
        return {"$and": [{key: {"$eq": one}} for one in value] or [{key: {"$exists": True, "$ne": None}}]}
    if value is None or isinstance(value, list):
        found = "None" if value is None else "a list"
        raise InputError(f"filter {key} {operator.value}: found {found}, wanted a string or a number; see IS_EMPTY, IN")
    return {key: {_COMPARED[operator]: value}}
