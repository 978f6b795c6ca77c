"""What a reader sees: the segments of one commit, mapped. A newer commit makes another, of the maps that still hold."""

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path

from colibri.errors import StoreDamaged
from colibri.index.storage import segments
from colibri.index.storage.catalogue import fact_crc
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.segments import Segment, read_segments


@dataclass(frozen=True, eq=False)
class Snapshot:
    """commits  which commit it is. segments  by number, in order."""

    commits: int
    segments: tuple[Segment, ...]

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
