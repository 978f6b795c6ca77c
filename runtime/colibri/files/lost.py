"""Roots that are not there: gone, moved, or on a disk that is not mounted."""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from colibri.files.facts import Known
from colibri.files.presence import real
from colibri.files.roots import Root
from colibri.files.walk import within
from colibri.index import Gone

__all__ = ["CLOSED", "GONE", "NO_FILE", "Gone", "is_mount", "samples", "was", "why_gone"]

_SAMPLE = 200  # files that tell whether a folder is one that moved
GONE = "is gone"
NO_FILE = "is neither a file nor a folder"
CLOSED = "cannot be looked at"


def why_gone(path: str, known: Mapping[str, Known], mounts: Sequence[str]) -> str:
    """Why a root is not there to be indexed; "" it is. known, mounts: what the index has of it."""
    place = real(path)
    try:
        mode = Path(place).stat().st_mode
        if not stat.S_ISDIR(mode):
            return "" if stat.S_ISREG(mode) else NO_FILE
        with os.scandir(place) as entries:
            empty = next(entries, None) is None
    except (FileNotFoundError, NotADirectoryError):
        return GONE
    except OSError as error:
        return f"{CLOSED} ({error.strerror or error})"
    if path in mounts and not Path(place).is_mount():
        return "has nothing mounted any more"
    if empty and any(within(one, path) for one in known):
        return "is empty by now, as where a disk is not mounted"
    return ""


def is_mount(path: str, root: Root) -> bool:
    """Whether a root has a file system of its own, or had."""
    return path in root.mounts or Path(real(path)).is_mount()


def samples(known: Mapping[str, Known], roots: Iterable[str]) -> dict[str, list[tuple[str, Known]]]:
    """Some files of each root that is not there."""
    lost = [root for root in roots if why_gone(root, known, ())]
    return {root: [(one, entry) for one, entry in known.items() if within(one, root)][:_SAMPLE] for root in lost}


def was(path: str, lost: Mapping[str, list[tuple[str, Known]]]) -> str | None:
    """The root that is gone and was, as it looks, a folder that is new. lost: `samples`; of equals the first is it."""
    best, most = None, 0
    for old, own in lost.items():
        same = sum(_has(path + one.removeprefix(old), entry) for one, entry in own)
        if same > most and 2 * same >= len(own):
            best, most = old, same
    return best


def _has(path: str, entry: Known) -> bool:
    try:
        return Path(real(path)).stat().st_size == entry.facts.get("size_bytes")
    except (OSError, ValueError):
        return False
