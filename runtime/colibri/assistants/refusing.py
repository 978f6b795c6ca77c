"""What is wrong with a tool's arguments, in words: what was found, and what the tool's schema wants."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_SHOWN = 40  # characters of a value
_LINES = 5


def refusal(problems: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> str:
    """One line an argument. problems: as pydantic lists them, with `loc`, `type` and `input`. schema: of all arguments,
    as JSON schema."""
    lines: dict[str, str] = {}
    for problem in problems:
        name = str(problem["loc"][0]) if problem["loc"] else "arguments"
        if name not in lines:
            found = "missing, and required" if problem["type"] == "missing" else f"found {_found(problem['input'])}"
            lines[name] = f"{name}: {found}; wanted {_wanted(schema.get('properties', {}).get(name, {}))}"
    return "\n".join(lines.values())


def unknown(name: str, given: Iterable[str], schema: Mapping[str, Any]) -> str:
    """One line for each argument that a tool does not have; "" where it has all. Nothing of a tool that takes none:
    some clients make one up for it, and it means nothing else without."""
    taken: Mapping[str, Any] = schema.get("properties", {})
    lines = [f"{_short(one)}: no argument of {name}; it takes {', '.join(taken)}" for one in given if one not in taken]
    return "\n".join(lines[:_LINES]) if taken else ""


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _found(value: Any) -> str:
    if isinstance(value, str) and len(value) > _SHOWN:
        return f"{len(value):,} characters"
    return _short(json.dumps(value, ensure_ascii=False, default=str))


def _wanted(schema: Mapping[str, Any]) -> str:
    """By a schema of one argument; what may be left out has one of several."""
    kinds = schema.get("anyOf", [schema])
    return " or ".join(_kind(kind) for kind in kinds if kind.get("type") != "null")


def _kind(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if schema.get("type") == "integer":
        return f"a whole number{'' if least is None else f' from {least:,}'}{'' if most is None else f' to {most:,}'}"
    if schema.get("type") == "string":
        longest = schema.get("maxLength")
        return "text" if longest is None else f"text of up to {longest:,} characters"
    return "an object" if schema.get("type") == "object" else "what the tool's schema says"
