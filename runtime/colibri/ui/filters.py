"""Filters of the page: as a filter of the index, and how many files each choice would keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri.server import invalid
from colibri.ui.held import NO_FILE, UNKNOWN, Held, ends_of, inside
from colibri.ui.messages import Count, Counts, Filters

_MOST_FOLDERS = 200
_SPANS = {"day": 1, "week": 7, "month": 30, "year": 365}
"""Days back from now."""
_NS = 1_000_000_000
_LAST_NS, _FIRST_NS = (1 << 63) - 1, -(1 << 63) + 1

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Times:
    """Nanoseconds since 1970, both included; None: no end there."""

    since: int | None
    until: int | None


def times_of(filters: Filters) -> Times:
    """Raises Problem 422 for what is no day or time."""
    return Times(
        None if filters.since is None else _ns(filters.since, "filters.since", last=False),
        None if filters.until is None else _ns(filters.until, "filters.until", last=True),
    )


def _ns(text: str, field: str, *, last: bool) -> int:
    try:
        day: date | None = date.fromisoformat(text)
        when = datetime.fromisoformat(text)  # midnight here, of a day
    except ValueError:
        day = None
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            raise invalid(field, "wanted a day (2026-02-28) or a time (2026-02-28T17:30:00Z)") from None
    try:
        if day is None or not last:
            return _ns_of(when)
        return _ns_of(when + timedelta(days=1)) - 1
    except (OverflowError, OSError, ValueError):  # at the ends of the calendar another zone has none
        return _FIRST_NS if when.year < 1970 else _LAST_NS


def _ns_of(when: datetime) -> int:
    own = when if when.tzinfo is not None else when.astimezone()
    found = (own.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    return min(max(found, _FIRST_NS), _LAST_NS)


def where_of(filters: Filters, held: Held) -> dict[str, Any] | None:
    """The same as the index takes it; None: nothing is filtered."""
    conditions: list[dict[str, Any]] = []
    if filters.folders:
        conditions.append({"$or": [_in_folder(folder) for folder in dict.fromkeys(filters.folders)]})
    if filters.kinds:
        readers = sorted({reader for kind in filters.kinds for reader in held.readers.get(kind, ())})
        parts: list[dict[str, Any]] = [{"file.reader": {"$in": readers}}] if readers else []
        parts += [{"file.path": {"$exists": False}}] if NO_FILE in filters.kinds else []
        conditions.append({"$or": parts} if parts else _NOTHING)
    if filters.languages:
        conditions.append(_in_languages(filters.languages, held))
    times = times_of(filters)
    bounds = {name: value for name, value in (("$gte", times.since), ("$lte", times.until)) if value is not None}
    if bounds:
        conditions.append({"file.mtime_ns": bounds})
    return {"$and": conditions} if conditions else None


_NOTHING: dict[str, Any] = {"file.path": {"$in": []}}


def _in_folder(folder: str) -> dict[str, Any]:
    start, end = ends_of(folder)
    return {"$or": [{"file.path": folder}, {"file.path": {"$gte": start, "$lt": end}}]}


def _in_languages(languages: Sequence[str], held: Held) -> dict[str, Any]:
    said = sorted({one for language in languages for one in held.tongues.get(language, ())})
    parts: list[dict[str, Any]] = [{"file.language": {"$in": said}}] if said else []
    if UNKNOWN in languages:
        parts.append({"file.language": {"$exists": False}})
    return {"$or": parts} if parts else _NOTHING


def counts(held: Held, filters: Filters, now: datetime) -> Counts:
    """Files that each choice would have searched, the other filters as they are.

    folders: roots, those that are chosen, and the folders right below them; at most 200
    """
    masks = _masks(held, filters)
    all_but = {name: _all([mask for other, mask in masks.items() if other != name], held) for name in masks}
    return Counts(
        kinds=_named(held.kinds, held.kind_names, all_but["kinds"]),
        folders=_folders(held, all_but["folders"], [*held.roots, *filters.folders]),
        languages=_named(held.languages, held.language_names, all_but["languages"]),
        times=_times(held.changed_ns[all_but["times"]], now),
    )


def _masks(held: Held, filters: Filters) -> Mapping[str, Mask]:
    whole = np.ones(len(held.paths), np.bool_)
    folders = whole
    if filters.folders:
        folders = ~whole
        for folder in filters.folders:
            folders[held.below(folder)] = True
    times = times_of(filters)
    changed = whole
    if times.since is not None or times.until is not None:
        since = _FIRST_NS if times.since is None else times.since
        changed = (held.changed_ns >= since) & (held.changed_ns <= (_LAST_NS if times.until is None else times.until))
    return {
        "folders": folders,
        "kinds": _chosen(held.kinds, held.kind_names, filters.kinds) if filters.kinds else whole,
        "languages": _chosen(held.languages, held.language_names, filters.languages) if filters.languages else whole,
        "times": changed,
    }


def _chosen(codes: NDArray[np.int64], names: Sequence[str], chosen: Sequence[str]) -> Mask:
    return np.isin(codes, [i for i, name in enumerate(names) if name in chosen])


def _all(masks: Sequence[Mask], held: Held) -> Mask:
    found = np.ones(len(held.paths), np.bool_)
    for mask in masks:
        found &= mask
    return found


def _named(codes: NDArray[np.int64], names: Sequence[str], mask: Mask) -> list[Count]:
    sums = np.bincount(codes[mask], minlength=len(names)).tolist()
    found = [Count(value=name, count=count) for name, count in zip(names, sums, strict=True)]
    return sorted(found, key=lambda one: (-one.count, one.value))


def _folders(held: Held, mask: Mask, given: Sequence[str]) -> list[Count]:
    shown = dict.fromkeys(folder.rstrip(inside(folder)[-1]) or folder for folder in given)
    found: dict[str, int] = {}
    for folder in shown:
        own, names, codes = held.right_below(folder)
        found[folder] = int(mask[own].sum())
        sums = np.bincount(codes[mask[own]], minlength=len(names) + 1)[: len(names)].tolist()
        found |= {name: count for name, count in zip(names, sums, strict=True) if count and name not in shown}
    first = [Count(value=folder, count=found[folder]) for folder in shown]
    rest = [Count(value=folder, count=count) for folder, count in found.items() if folder not in shown]
    rest.sort(key=lambda one: (-one.count, one.value))
    return sorted([*first, *rest[:_MOST_FOLDERS]], key=lambda one: one.value)


def _times(changed: NDArray[np.int64], now: datetime) -> list[Count]:
    known = changed[changed >= _FIRST_NS]
    latest = int(now.timestamp()) * _NS
    starts = {name: latest - days * 86_400 * _NS for name, days in _SPANS.items()}
    found = [Count(value=name, count=int((known >= start).sum())) for name, start in starts.items()]
    return [*found, Count(value="older", count=int((known < starts["year"]).sum()))]
