"""Documents on their way to a commit, which the writer's lock is not needed for.

A few wait in memory, so that adding one costs no more than it must; more of them in files of their own.
"""

import time

from colibri.index.core import Core
from colibri.index.storage.adoption import adopt
from colibri.index.storage.growing import Batch, there_is
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.staged import Staged


class Staging:
    """One call's documents; threads may not share it. To be closed, whatever happens."""

    def __init__(self, core: Core, layout: RowLayout, *, replace: bool, seconds: float | None) -> None:
        """layout: of the rows that come. replace: whether documents take the place of those of their ids; else
        InputError for an id that is there. seconds: of work after which what is there should be committed; None: when
        all of it is."""
        self._core = core
        self._layout = layout
        self._replace = replace
        self._seconds = seconds
        self._begun = core.clock()
        self._waiting: Batch | None = None
        self._files: Staged | None = None
        self._files_since = 0.0

    def knows(self, found_id: str) -> bool:
        """Whether there is a document of that id: in the index as it is now, or here."""
        here = self._files is not None and self._files.known([found_id]) is not None
        waits = self._waiting is not None and any(entry.id == found_id for entry in self._waiting.entries)
        return here or waits or self._core.known([found_id]) is not None

    def add(self, batch: Batch) -> None:
        """Documents of different ids. Raises InputError, StoreError."""
        if self._waiting is None and self._files is None:
            self._waiting = batch
            return
        if self._files is None:
            self._files_since = time.monotonic()
            self._files = self._core.staged(self._layout)
        if self._waiting is not None:
            waited, self._waiting = self._waiting, None
            self._write(self._files, waited)
        self._write(self._files, batch)

    def _write(self, files: Staged, batch: Batch) -> None:
        with self._core.staging():
            if not self._replace:
                ids = [entry.id for entry in batch.entries]
                known = files.known(ids) or self._core.known(ids)
                if known is not None:
                    raise there_is(known)
            files.add(batch)

    @property
    def is_due(self) -> bool:
        """Whether so much time has passed since the last commit that another is due."""
        return self._seconds is not None and self._core.clock() - self._begun >= self._seconds

    def commit(self) -> None:
        """All of it, in one transaction; then there is nothing here. Raises as `Index.add`."""
        if self._files is not None:
            self._adopt(self._files)
        elif self._waiting is not None:
            with self._core.writing(ready=self._layout) as transaction:
                transaction.add(self._waiting, replace=self._replace)
            self._waiting = None
        self._begun = self._core.clock()

    def _adopt(self, files: Staged) -> None:
        with self._core.staging():
            files.finish()
        # What took long to make is worth waiting for as long: a compaction may be under way.
        patience = max(self._core.lock.seconds, time.monotonic() - self._files_since)
        with self._core.writing(seconds=patience, ready=self._layout) as transaction:
            adopt(transaction, files, self._layout, replace=self._replace)
        self.close()

    def close(self) -> None:
        """Take away what was not committed."""
        if self._files is not None:
            self._files.close()
        self._files = self._waiting = None
