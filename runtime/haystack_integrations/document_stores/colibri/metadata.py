"""What the metadata of many documents has: kinds, least and most, distinct values."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

Meta = Mapping[str, Any]

_KINDS = {bool: "boolean", int: "int", float: "float"}


def key_of(field: str) -> str:
    """A field's name with or without Haystack's "meta." before it."""
    return field.removeprefix("meta.")


def kinds(metas: Iterable[Meta]) -> dict[str, dict[str, str]]:
    """Each field's {"type": "boolean" | "int" | "float" | "keyword"}; the last value's, as Haystack has it."""
    found: dict[str, dict[str, str]] = {}
    for meta in metas:
        for key, value in meta.items():
            if value is not None:
                found[key] = {"type": _KINDS.get(type(value), "keyword")}
    return found


def extremes(metas: Iterable[Meta], field: str) -> dict[str, Any]:
    """The field's {"min", "max"} among numbers, or among strings; None where there are none, or both kinds."""
    key = key_of(field)
    values = [meta[key] for meta in metas if isinstance(meta.get(key), int | float | str)]
    if not values or len({isinstance(value, str) for value in values}) == 2:
        return {"min": None, "max": None}
    return {"min": min(values), "max": max(values)}


def distinct(metas: Iterable[Meta], field: str) -> list[Any]:
    """The field's values, each once, by their texts; 1, 1.0, "1" and True are four."""
    key = key_of(field)
    found: dict[str, Any] = {}
    for meta in metas:
        value = meta.get(key)
        if value is not None:
            found.setdefault(json.dumps(value, sort_keys=True), value)  # that is where they differ
    return [found[text] for text in sorted(found, key=lambda text: (str(found[text]), text))]
