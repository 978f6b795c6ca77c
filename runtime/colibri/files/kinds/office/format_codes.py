"""The code of a number format as tokens, and which of its sections holds for a number."""

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

_TOKEN = re.compile(r'"([^"]*)"?|\\(.)|[_*].?|(\[[^\]]*\]?)|(am/pm|a/p|general|e[+-]|y+|m+|d+|h+|s+|[^"])', re.I | re.S)
_CONDITION = re.compile(r"\[([<>=]{1,2})(-?[\d.]+)\]")
Token = tuple[str, bool]
"""A piece of a format, and whether it stands for itself."""
Section = tuple[Token, ...]


@lru_cache(1_024)
def sections(code: str) -> tuple[tuple[Section, str], ...]:
    """Tokens of each section, and its condition."""
    split: list[list[Token]] = [[]]
    conditions = [""]
    for found in _TOKEN.finditer(code):
        quoted, escaped, bracket, plain = found.groups()
        if plain == ";":
            split.append([])
            conditions.append("")
        elif quoted is not None or escaped is not None:
            split[-1].append((quoted or escaped or "", True))
        elif bracket is not None and _CONDITION.fullmatch(bracket):
            conditions[-1] = bracket
        elif bracket is not None and bracket.startswith("[$"):
            split[-1].append((bracket[2:].rstrip("]").partition("-")[0], True))
        elif bracket is not None:
            split[-1].append((bracket.lower(), False))
        elif plain is not None:
            split[-1].append((plain, False))
    return tuple((tuple(section), condition) for section, condition in zip(split, conditions, strict=True))


def chosen(parts: tuple[tuple[Section, str], ...], number: Decimal) -> tuple[Section, bool]:
    """The section for a number, and whether its sign is still to be shown."""
    free = [section for section, condition in parts[:3] if not condition] or [()]
    if any(condition for _, condition in parts):
        return next((section for section, condition in parts if _holds(condition, number)), free[-1]), True
    if number < 0 and len(free) > 1:
        return free[1], False
    return free[2 if number == 0 and len(free) > 2 else 0], True


def _holds(condition: str, number: Decimal) -> bool:
    found = _CONDITION.fullmatch(condition)
    if found is None:
        return False
    try:
        limit = Decimal(found[2])
    except InvalidOperation:
        return False
    less, equal, more = number < limit, number == limit, number > limit
    return {"<": less, "<=": less or equal, "=": equal, ">": more, ">=": more or equal}.get(found[1], not equal)
