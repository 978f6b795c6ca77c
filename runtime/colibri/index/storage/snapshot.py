"""What a reader sees: the segments of one commit, mapped. A newer commit makes another, of the maps that still hold."""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from colibri.errors import StoreDamaged
from colibri.index.storage import segments
from colibri.index.storage.catalogue import fact_crc
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import Segment, read_segments
from colibri.vectors import Offsets

_KEPT = 4
_MOST_PLACES = 1 << 19  # 4 MB
_LONGEST_NAME = 1 << 16


class Selections:
    """What the last few filters kept, segment -> places: who types asks with one filter again and again, and to look
    into 20,000 payloads takes 50 ms. Threads may share it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Mapping[int, Offsets]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> dict[int, Offsets] | None:
        """What a filter of this name kept."""
        with self._lock:
            found = self._kept.get(name)
            if found is None:
                return None
            self._kept.move_to_end(name)
            return dict(found)

    def keep(self, name: str, places: Mapping[int, Offsets]) -> None:
        """places: nobody writes into them from now on"""
        if len(name) > _LONGEST_NAME or sum(map(len, places.values())) > _MOST_PLACES:
            return
        with self._lock:
            self._kept[name] = dict(places)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """commits  which commit it is. segments  by number, in order. selections  what the last filters kept of it."""

    commits: int
    segments: tuple[Segment, ...]
    selections: Selections = field(default_factory=Selections)

    @property
    def passages(self) -> int:
        """How many are left."""
        return sum(len(s.docs) if s.live is None else len(s.live) for s in self.segments)


class Snapshots:
    """The newest snapshot anybody asked for; threads may share it."""

    def __init__(self, folder: Path, layout: RowLayout, space_id: str) -> None:
        self._folder = folder
        self.layout = layout
        self._space_id = space_id
        self._newest = Snapshot(-1, ())
        self._lock = threading.Lock()

    def of(self, connection: sqlite3.Connection) -> Snapshot:
        """The snapshot of the commit that a transaction sees.

        Raises FileNotFoundError when files of it are gone, because a later commit moved what they held.
        """
        row = connection.execute("SELECT value, crc FROM meta WHERE name = 'commits'").fetchone()
        if row is None or row[1] != fact_crc("commits", row[0]):
            raise StoreDamaged("the index's own facts changed on disk ('commits'); `colibri index --repair` mends it")
        commits = int(row[0])
        with self._lock:
            before = self._newest
        if before.commits == commits:
            return before
        known = {segment.number: segment for segment in before.segments}
        found = Snapshot(
            commits,
            tuple(
                segments.opened(self._folder, committed, self.layout, self._space_id, known.get(committed.number))
                for committed in read_segments(connection)
            ),
        )
        with self._lock:
            if self._newest.commits < commits:
                self._newest = found
        return found

    def forget(self) -> None:
        """Let go of every map."""
        with self._lock:
            self._newest = Snapshot(-1, ())
