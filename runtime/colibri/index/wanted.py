"""What a search is to give back: what callers of `search` choose, checked before any work."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from colibri import checks
from colibri.errors import InputError, InputTypeError
from colibri.index.asking import Mode, checked_mode
from colibri.index.document import id_list


def _goes_on() -> None:
    """Nobody gives a search up."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a search gives back.

    k          documents, behind the first `offset`
    where      a filter over payloads; ids: of documents that alone are scored
    min_score  least `normalised` of a hit
    exact      whether every passage is scored by its rows
    mode       by what documents are found; typing: whether the query is still being written
    going      called between its steps; may raise, which ends it
    """

    k: int
    where: Mapping[str, Any] | None = None
    ids: list[str] | None = None
    explain: bool = False
    passages: int = 3
    threads: int | None = None
    offset: int = 0
    min_score: float | None = None
    mode: Mode = "meaning"
    typing: bool = False
    exact: bool = False
    going: Callable[[], None] = _goes_on


def wanted_of(
    k: int,
    where: Mapping[str, Any] | None,
    explain: bool,
    ids: Iterable[str] | None,
    passages: int,
    threads: int | None,
    offset: int,
    min_score: float | None,
    mode: str = "meaning",
    typing: bool = False,
    exact: bool = False,
) -> Wanted:
    """Of what a caller gave. Raises InputError."""
    for name, value in (("k", k), ("passages", passages)):
        if not checks.is_count(value):
            raise InputError(f"{name}: found {value!r}, wanted a whole number from 1")
    if isinstance(ids, str):
        raise InputTypeError("ids: found str, wanted a list of ids")
    return Wanted(
        k=int(k),
        where=where,
        ids=None if ids is None else id_list(ids),
        explain=explain,
        passages=int(passages),
        threads=threads,
        offset=checks.whole("offset", offset),
        min_score=checks.optional_finite("min_score", min_score),
        mode=checked_mode(mode),
        typing=bool(typing),
        exact=bool(exact),
    )
