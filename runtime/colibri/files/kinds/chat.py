"""A conversation in a row of JSON: turns with a role and what was said, as the makers of chat models store them."""

import json
from typing import Any

from colibri.files.text import Builder, FileText

_ROLES = ("role", "from", "speaker", "author")
_SAID = ("content", "value", "text", "message", "parts")


def chat_of(value: object) -> FileText | None:
    """Turns as blocks "role: what was said", each with its place; None where the value is no chat."""
    if not isinstance(value, list) or not value:
        return None
    turns = [_turn(entry) for entry in value]
    if any(turn is None for turn in turns):
        return None
    builder = Builder()
    pictures = 0
    for number, turn in enumerate(turns, 1):
        role, said, others = turn or ("", "", 0)
        pictures += others
        builder.place(f"message {number}")
        builder.block(f"{role}: {said}" if said.strip() else "")
    if pictures:
        builder.remark(
            "1 part of a message is no text" if pictures == 1 else f"{pictures} parts of messages are no text"
        )
    return builder.done()


def _turn(entry: object) -> tuple[str, str, int] | None:
    """Who, what, and how many parts were no text."""
    if not isinstance(entry, dict):
        return None
    role = next((entry[key] for key in _ROLES if key in entry), None)
    role = role.get("role") if isinstance(role, dict) else role
    if not isinstance(role, str) or not any(key in entry for key in (*_SAID, "tool_calls", "function_call")):
        return None
    said: list[str] = []
    others = sum(_collect(entry.get(key), said) for key in _SAID)
    for call in [*(entry.get("tool_calls") or []), entry.get("function_call")]:
        said += _call(call)
    return role, "\n".join(said), others


def _collect(content: Any, said: list[str]) -> int:
    """Add the text of a message's content. Returns how many of its parts were none."""
    if isinstance(content, str):
        if content.strip():
            said.append(content)
        return 0
    if isinstance(content, list):
        return sum(_collect(part, said) for part in content)
    if not isinstance(content, dict):
        return 0
    if "input" in content and "name" in content:
        said += _call(content)
        return 0
    for key in ("text", "thinking", "parts", "content"):
        if isinstance(content.get(key), str | list):
            return _collect(content[key], said)
    return 1


def _call(call: Any) -> list[str]:
    """A tool that a model called, with what it gave it."""
    if not isinstance(call, dict):
        return []
    called = call.get("function", call)
    if not isinstance(called, dict) or not isinstance(called.get("name"), str):
        return []
    given = called.get("arguments", called.get("input", ""))
    return [f"{called['name']} {given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)}".strip()]
