"""What an index holds of files, in memory: enough to count what each filter would keep, and none of their texts."""

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri.files import kind_of_reader
from colibri.index import Index

NO_FILE = "no file"
"""The kind of a document that no file gave."""
UNKNOWN = "unknown"
"""The language of a text that does not say, and that nothing recognised."""
_REST = 20.0
"""At most one part in so many of the time goes into reading it anew while the index changes."""
_UNKNOWN_TIME = np.iinfo(np.int64).min

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Held:
    """Files of one commit, sorted by path; documents that are of none come first, each for itself, their path "".

    kinds, languages   (n,) index into kind_names, language_names
    changed_ns         (n,) when the file was changed last; the least int64 there is where nobody knows
    readers            name of a kind -> what its files were read by, as payloads have it
    tongues            language -> how payloads spell it: "de" -> {"de", "de-AT"}
    """

    commits: int
    paths: list[str]
    kinds: Ints
    languages: Ints
    changed_ns: Ints
    kind_names: list[str]
    language_names: list[str]
    readers: dict[str, set[str]]
    tongues: dict[str, set[str]]

    def below(self, folder: str) -> slice:
        """The files of a folder, or the file of that name."""
        first = bisect_left(self.paths, folder)
        if first < len(self.paths) and self.paths[first] == folder:
            return slice(first, first + 1)
        start = inside(folder)
        return slice(bisect_left(self.paths, start), bisect_left(self.paths, start[:-1] + chr(ord(start[-1]) + 1)))


def inside(folder: str) -> str:
    """What every path in a folder begins with."""
    separator = "\\" if os.name == "nt" and "\\" in folder else "/"
    return folder if folder.endswith(separator) else folder + separator


class Holder:
    """The newest `Held` of an index. Threads may share it."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._held: Held | None = None
        self._not_before = 0.0

    def get(self) -> Held:
        """As of the newest commit; while many follow each other, of one of the last."""
        commits = self._index.commits()
        with self._lock:
            old = self._held
            if old is not None and (old.commits == commits or time.monotonic() < self._not_before):
                return old
            began = time.monotonic()
            self._held = found = held_by(self._index, commits)
            ended = time.monotonic()
            self._not_before = ended + _REST * (ended - began)
            return found


def held_by(index: Index, commits: int) -> Held:
    """Read it from the payloads."""
    files: dict[str, tuple[str, str, int]] = {}
    others: list[tuple[str, str, int]] = []
    readers: dict[str, set[str]] = {}
    tongues: dict[str, set[str]] = {}
    for _, payload in index.payloads():
        path, entry = _entry(payload, readers, tongues)
        if path is None:
            others.append(entry)
        else:
            files.setdefault(path, entry)
    paths = sorted(files)
    rows = [*others, *(files[path] for path in paths)]
    kind_names, kinds = _coded(row[0] for row in rows)
    language_names, languages = _coded(row[1] for row in rows)
    changed = np.array([row[2] for row in rows], np.int64)
    names = [""] * len(others) + paths
    return Held(commits, names, kinds, languages, changed, kind_names, language_names, readers, tongues)


def _entry(
    payload: Mapping[str, Any], readers: dict[str, set[str]], tongues: dict[str, set[str]]
) -> tuple[str | None, tuple[str, str, int]]:
    file = file_of(payload)
    path, reader, said = file.get("path"), file.get("reader"), file.get("language")
    kind = kind_of_reader(reader) if isinstance(path, str) else NO_FILE
    if isinstance(reader, str):
        readers.setdefault(kind, set()).add(reader)
    language = language_of(said)
    if isinstance(said, str):
        tongues.setdefault(language, set()).add(said)
    changed = file.get("mtime_ns")
    when = changed if isinstance(changed, int) and abs(changed) < 1 << 63 else _UNKNOWN_TIME
    return path if isinstance(path, str) else None, (kind, language, when)


def file_of(payload: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What a payload says of its file; nothing where it says none."""
    file = None if payload is None else payload.get("file")
    return file if isinstance(file, Mapping) else {}


def language_of(said: object) -> str:
    """The language alone of what a document says of itself: "de" of "de-AT"."""
    if not isinstance(said, str):
        return UNKNOWN
    found = said.replace("_", "-").split("-")[0].strip().lower()
    return found if 2 <= len(found) <= 3 and found.isascii() and found.isalpha() and found != "und" else UNKNOWN


def _coded(names: Iterator[str]) -> tuple[list[str], Ints]:
    codes: dict[str, int] = {}
    found = [codes.setdefault(name, len(codes)) for name in names]
    return list(codes), np.array(found, np.int64)
