"""What an index holds of files, in memory: enough to count what each filter would keep, and none of their texts."""

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri.files import kind_of_reader, noted_roots, owner
from colibri.index import Index

NO_FILE = "no file"
"""The kind of a document that no file gave."""
UNKNOWN = "unknown"
"""The language of a text that does not say, and that nothing recognised."""
_REST = 20.0
"""At most one part in so many of the time goes into reading it anew while an index changes..."""
_QUICK_SECONDS = 0.05
"""...that takes longer than that to read."""
_FOLDERS_KNOWN = 64  # roots and chosen ones, of 8 bytes a file
_UNKNOWN_TIME = int(np.iinfo(np.int64).min)

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Held:
    """Files of one commit, sorted by path; documents that are of none come first, each for itself, their path "".

    kinds, languages   (n,) index into kind_names, language_names
    changed_ns         (n,) when the file was changed last; the least int64 there is where nobody knows
    documents          (n,) of the file
    readers            name of a kind -> what its files were read by, as payloads have it
    tongues            language -> how payloads spell it: "de" -> {"de", "de-AT"}
    roots              folders and files that the index is made of -> documents of each
    """

    commits: int
    paths: list[str]
    kinds: Ints
    languages: Ints
    changed_ns: Ints
    documents: Ints
    kind_names: list[str]
    language_names: list[str]
    readers: dict[str, set[str]]
    tongues: dict[str, set[str]]
    roots: dict[str, int]
    _below: dict[str, tuple[slice, list[str], Ints]] = field(default_factory=dict, init=False)

    def below(self, folder: str) -> slice:
        """The files of a folder, or the file of that name."""
        first = bisect_left(self.paths, folder)
        if first < len(self.paths) and self.paths[first] == folder:
            return slice(first, first + 1)
        return slice(*(bisect_left(self.paths, end) for end in ends_of(folder)))

    def right_below(self, folder: str) -> tuple[slice, list[str], Ints]:
        """The files of a folder, the folders right below it, and which of those each file lies in: an index into them,
        their number for files of none. Worked out once: every letter that is typed counts them, and of 20,000 files it
        takes 9 ms."""
        known = self._below.get(folder)
        if known is None:
            own, start, codes = self.below(folder), inside(folder), dict[str, int]()
            places = [path.find(start[-1], len(start)) if path.startswith(start) else -1 for path in self.paths[own]]
            inner = [path[: max(end, 0)] for path, end in zip(self.paths[own], places, strict=True)]
            numbers = [codes.setdefault(one, len(codes)) if one else -1 for one in inner]
            found = np.array(numbers, np.int64)
            known = own, list(codes), np.where(found < 0, len(codes), found)
            if len(self._below) >= _FOLDERS_KNOWN:
                self._below.clear()
            self._below[folder] = known
        return known


def inside(folder: str) -> str:
    """What every path in a folder begins with."""
    separator = "\\" if os.name == "nt" and "/" not in folder else "/"
    return folder if folder.endswith(separator) else folder + separator


def ends_of(folder: str) -> tuple[str, str]:
    """The first path there could be in a folder, and the first that is behind all of them."""
    start = inside(folder)
    return start, start[:-1] + chr(ord(start[-1]) + 1)


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
            took = time.monotonic() - began
            self._not_before = began + took + (_REST * took if took > _QUICK_SECONDS else 0.0)
            return found


def held_by(index: Index, commits: int) -> Held:
    """Read it from the payloads. commits: of the index, before that."""
    read = _Reading()
    for _, payload in index.payloads():
        read.add(payload)
    paths = sorted(read.files)
    rows = [*read.others, *(read.files[path] for path in paths)]
    kind_names, kinds = _coded(row[0] for row in rows)
    language_names, languages = _coded(row[1] for row in rows)
    changed, documents = (np.array([row[at] for row in rows], np.int64) for at in (2, 3))
    names = [""] * len(read.others) + paths
    roots = dict.fromkeys(sorted(noted_roots(index)), 0)
    for path, said in read.roots.items():
        above = owner(path, roots) or said
        if above:
            roots[above] = roots.get(above, 0) + read.files[path][3]
    return Held(
        commits,
        names,
        kinds,
        languages,
        changed,
        documents,
        kind_names,
        language_names,
        read.readers,
        read.tongues,
        roots,
    )


class _Reading:
    """Payloads, one after the other. A row: kind, language, time, documents."""

    def __init__(self) -> None:
        self.files: dict[str, list[Any]] = {}
        self.others: list[list[Any]] = []
        self.roots: dict[str, str] = {}
        self.readers: dict[str, set[str]] = {}
        self.tongues: dict[str, set[str]] = {}

    def add(self, payload: Mapping[str, Any]) -> None:
        """One more."""
        file = file_of(payload)
        path, reader, said = file.get("path"), file.get("reader"), file.get("language")
        kind = (kind_of_reader(reader) or UNKNOWN) if isinstance(path, str) else NO_FILE
        if isinstance(reader, str):
            self.readers.setdefault(kind, set()).add(reader)
        language = language_of(said)
        if isinstance(said, str):
            self.tongues.setdefault(language, set()).add(said)
        if not isinstance(path, str):
            self.others.append([kind, language, _UNKNOWN_TIME, 1])
            return
        if path in self.files:
            self.files[path][3] += 1
            return
        changed, root = file.get("mtime_ns"), file.get("root")
        when = changed if isinstance(changed, int) and abs(changed) < 1 << 63 else _UNKNOWN_TIME
        self.files[path] = [kind, language, when, 1]
        self.roots[path] = root if isinstance(root, str) else ""


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


def _coded(names: Iterable[str]) -> tuple[list[str], Ints]:
    codes: dict[str, int] = {}
    found = [codes.setdefault(name, len(codes)) for name in names]
    return list(codes), np.array(found, np.int64)
