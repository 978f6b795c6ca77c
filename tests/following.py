"""A follower in a thread of a test's process, and what it tells."""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from colibri import Index
from colibri.files import Follower, State
from watcher import awaited


class Following:
    """One in a thread, and what it tells."""

    def __init__(self, place: Path, **options: Any) -> None:
        self.states: list[State] = []
        self._told: queue.SimpleQueue[State | Mapping[str, Any]] = queue.SimpleQueue()
        self.follower = Follower(place, on_change=self._changed, on_look=self._looked, **options)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.follower.run, args=(self.stop,))

    def _changed(self, state: State) -> None:
        self.states.append(state)
        self._told.put(state)

    def _looked(self, done: Mapping[str, Any]) -> None:
        self._told.put(done)

    def looked(self) -> Mapping[str, Any]:
        """What the next look did."""
        while True:
            found = awaited(self._told)
            if not isinstance(found, State):
                return found

    def until(self, wanted: Callable[[State], bool]) -> State:
        """The next state of a kind."""
        while True:
            found = awaited(self._told)
            if isinstance(found, State) and wanted(found):
                return found


@contextmanager
def following(place: Path, **options: Any) -> Iterator[Following]:
    """It runs inside."""
    one = Following(place, **options)
    one.thread.start()
    try:
        yield one
    finally:
        one.stop.set()
        one.thread.join()


def texts(place: Path) -> dict[str, str]:
    """Of an index that is whole, by their files' names."""
    with Index.open(place, create=False) as index:
        assert index.verify().clean
        return {Path(one.id).name: one.text or "" for one in index.documents()}
