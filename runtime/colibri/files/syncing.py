"""`Index.sync`: what `colibri index` does, for programs."""

import math
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from colibri import checks
from colibri.errors import InputError, InputTypeError, StoreError
from colibri.files.refresh import Refresh
from colibri.files.summary import Summary
from colibri.index import Index, Synced
from colibri.machine import progress_bar

PathName = str | os.PathLike[str]

BYTES_A_TOKEN = 4.0  # a first guess, for the bar
_LEAST_MEMORY = 64  # MB
_LEAST_PASSAGE = 8


def sync_files(
    index: Index,
    paths: PathName | Iterable[PathName] | None,
    options: dict[str, Any],
    *,
    reset: bool,
    prune: bool,
    progress: bool | Callable[[int], object],
) -> Synced:
    """See `Index.sync`. options: by their names there, None where they were not given."""
    named = _paths(paths)
    checked = {name: _CHECKS[name](name, value) for name, value in options.items() if value is not None}
    changes = {_STORED.get(name, name): value << 20 if name in _STORED else value for name, value in checked.items()}
    for name, value in (("reset", reset), ("prune", prune)):
        _flag(name, value)
    if not callable(progress):
        _flag("progress", progress)
    if not index.model_name:
        raise StoreError(f"{index.path}: holds vectors of another encoder, so that no file's text can be indexed there")
    work = Refresh(index)
    due = work.plan(named, changes, reset=reset)
    total = sum(one.size_bytes for one, _ in due)
    shown = bool(due) and progress is True
    with progress_bar(total, "indexing", shown, unit="", units_a_token=BYTES_A_TOKEN) as bar:
        summary = work.run(due, progress if callable(progress) else bar)
    lost = [path for path, one in work.gone.items() if one.lost]
    return _synced(index, work, summary, work.prune(lost) if prune and lost else 0)


def _synced(index: Index, work: Refresh, summary: Summary, pruned: int) -> Synced:
    pace = work.sync.pace
    return Synced(
        **vars(summary),
        moves=work.sync.planned.moved,
        gone=work.gone,
        pruned=pruned,
        said=work.said,
        documents=index.count(),
        tokens=pace.tokens,
        seconds=round(pace.seconds, 3),
    )


def _paths(given: object) -> list[Path]:
    if given is None:
        return []
    if isinstance(given, bytes) or not isinstance(given, str | os.PathLike | Iterable):
        raise InputTypeError(f"paths: found {type(given).__name__}, wanted a path or a list of paths")
    listed = [given] if isinstance(given, str | os.PathLike) else list(given)
    if not listed:
        raise InputError("paths: an empty list; None looks again at all that the index was made of")
    return [_path(one, i) for i, one in enumerate(listed)]


def _path(given: object, place: int) -> Path:
    found = os.fspath(given) if isinstance(given, str | os.PathLike) else given
    if not isinstance(found, str):
        raise InputTypeError(f"paths[{place}]: found {type(found).__name__}, wanted a path")
    if not found or "\0" in found:
        raise InputError(f"paths[{place}]: found {found!r}, wanted a file or folder ('.' is this one)")
    return Path(found)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InputTypeError(f"{name}: found {value!r}, wanted True or False")
    return value


def _globs(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise InputTypeError(f"{name}: found {type(value).__name__}, wanted a list of patterns, such as ['*.md']")
    if wrong := [one for one in value if not isinstance(one, str) or not one]:
        raise InputTypeError(f"{name}: found {wrong[0]!r}, wanted a pattern, such as '*.md'")
    return tuple(value)


def _at_least(least: int) -> Callable[[str, object], int]:
    def checked(name: str, value: object) -> int:
        if not checks.is_count(value) or value < least:
            raise InputError(f"{name}: found {value!r}, wanted a whole number from {least:,}")
        return int(value)

    return checked


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InputError(f"{name}: found {value!r}, wanted seconds above 0")
    return float(value)


def _field(name: str, value: object) -> str | None:
    if not isinstance(value, str):
        raise InputTypeError(f"{name}: found {type(value).__name__}, wanted a field's name, or '' for the default")
    return value or None


_CHECKS: dict[str, Callable[[str, object], Any]] = {
    "globs": _globs,
    "hidden": _flag,
    "ignore": _flag,
    "max_mb": _at_least(1),
    "max_seconds": _seconds,
    "max_memory_mb": _at_least(_LEAST_MEMORY),
    "text_field": _field,
    "id_field": _field,
    "split": _flag,
    "passage_tokens": _at_least(_LEAST_PASSAGE),
}
_STORED = {"max_mb": "max_bytes", "max_memory_mb": "max_memory_bytes"}
