"""What a filter can ask of a payload, as a list of short words that any engine compares exactly.

Qdrant's own conditions are not those of `colibri.index.where`: an empty list counts as no field, 2020 and 2020.0
differ, null in a list depends on the version, and strings have no order. So each of our points carries the facts of its
payload, and a filter asks for them: `year=2020`, `tags="b"`, `tags?` (there is such a field), `year:string` (one of its
values is a string). A fact of more than 120 characters is its hash.
"""

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

_LONGEST = 120  # characters of a word that stays readable in a payload
_UNNAMEABLE = '."\\\0'  # no filter can name a field with one of these (index.where)


def facts(payload: Mapping[str, Any] | None) -> list[str]:
    """Every fact of a payload, each once, in the order of its fields."""
    found: dict[str, None] = {}
    _add(payload or {}, "", found)
    return list(found)


def _add(level: Mapping[str, Any], before: str, found: dict[str, None]) -> None:
    for name, value in level.items():
        if not name or any(character in name for character in _UNNAMEABLE):
            continue
        path = before + name
        found[exists(path)] = None
        if isinstance(value, Mapping):
            _add(value, f"{path}.", found)
            continue
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, Mapping | list | tuple):
                continue
            found[equal(path, one)] = None
            if isinstance(one, str):
                found[has_string(path)] = None


def exists(path: str) -> str:
    """There is such a field, null included."""
    return _short(f"{path}?")


def has_string(path: str) -> str:
    """The field is a string, or a list with one."""
    return _short(f"{path}:string")


def equal(path: str, value: object) -> str:
    """The field has this value, or is a list with it. 1 and 1.0 are one value, 1 and true are two."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = _number(value)
    return _short(f"{path}={json.dumps(value)}")


def _number(value: int | float) -> int | float:
    """As SQLite compares: integers of 64 bits are exact, and larger ones are floats."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**63 else value
    if -(1 << 63) <= value < 1 << 63:
        return int(value)
    try:
        return float(value)
    except OverflowError:  # SQLite reads such a number as infinite
        return float("inf") if value > 0 else float("-inf")


def _short(word: str) -> str:
    if len(word) <= _LONGEST and word.isascii():
        return word
    return "#" + blake2b(word.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
