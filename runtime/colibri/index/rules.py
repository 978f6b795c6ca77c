"""How documents come into an index: what callers of `add` and `upsert` choose, checked."""

import math
from dataclasses import dataclass

from colibri import checks
from colibri.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How documents come in.

    replace         whether an id that is there is replaced; else it is an error
    keep_text       whether texts are stored
    passage_tokens  of long texts' passages; None: a text is one passage
    commit_every    seconds of work after which what is encoded is committed; None: all at the end, or nothing
    """

    replace: bool
    keep_text: bool
    passage_tokens: int | None
    overlap_tokens: int
    commit_every: float | None = None


def rules(
    replace: bool,
    split: bool,
    passage_tokens: int,
    overlap_tokens: int,
    keep_text: bool,
    commit_every: float | None = None,
) -> Rules:
    """Rules of what a caller gave. Raises InputError."""
    if commit_every is not None and not _is_seconds(commit_every):
        raise InputError(
            f"commit_every: found {commit_every!r}, wanted seconds above 0, or None for all of it in one transaction"
        )
    if not checks.is_count(passage_tokens):
        raise InputError(f"passage_tokens: found {passage_tokens!r}, wanted a whole number from 1")
    if overlap_tokens != 0 and not checks.is_count(overlap_tokens):
        raise InputError(f"overlap_tokens: found {overlap_tokens!r}, wanted a whole number from 0")
    return Rules(
        replace=replace,
        keep_text=keep_text,
        passage_tokens=passage_tokens if split else None,
        overlap_tokens=overlap_tokens,
        commit_every=commit_every,
    )


def _is_seconds(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and found > 0 and math.isfinite(found)
