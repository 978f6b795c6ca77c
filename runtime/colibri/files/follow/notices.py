"""What the system tells of changes in folders, by `watchfiles`, and when it does not.

Only that something happened at a path is taken from it: in one batch a new file and one that is gone look alike, a
folder that was moved in comes without what is in it, and of a queue that ran over it says nothing (findings/).

Under Linux each folder is watched by itself, those that a walk enters and no others. Left to itself watchfiles follows
links out of a folder, takes what is hidden or ignored along (a cache, node_modules), each for one of the watches that a
user has, and where one folder is closed leaves those after it unwatched (findings/). Other systems watch what lies in a
folder with it.
"""

import os
import sys
from collections.abc import Callable, Collection, Iterator
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

from colibri.errors import MissingExtra
from colibri.files.follow import limits
from colibri.files.presence import real
from colibri.machine import install_command

DEEP = sys.platform != "linux"
"""Whether folders are watched with all that lies in them."""
STEP_MS = 200
"""watchfiles looks so often whether something came, all the time: five wake-ups a second, some 20 ms of CPU a minute
(benchmarks/NOTES.md). What came is handed on when a step brought nothing new."""
_LONGEST_MS = 1_000
_LAST_STEPS = 2  # told after `finish`: the first may have been about to be told before what happened last
_ROUNDS = 5  # of asking which folders came while those before began to be watched

Heard = Literal["ready", "changed", "limited", "lost"]
Hear = Callable[[Heard, Any], object]


def check() -> None:
    """Raise MissingExtra where there is no watchfiles."""
    try:
        import watchfiles  # noqa: F401, PLC0415 - 0.1 s, for whoever follows folders
    except ImportError as error:
        raise MissingExtra(
            f"nothing tells of changes without watchfiles (colibri-edge[desktop]): {install_command('desktop')}"
        ) from error


class Notices:
    """A thread that listens, until `close`.

    It calls `hear` with ("ready", None) once, from when on nothing that happens in the folders is missed; ("changed",
    pairs of a path and whether something new may be there); ("limited", why) after the first where some folders are not
    watched; ("lost", why) when it is over.
    """

    def __init__(self, find: Callable[[], set[str]], files: Collection[str], hear: Hear) -> None:
        """find: the folders to watch, asked again until all that came meanwhile are (DEEP: those that hold the others).
        files: that are watched by the folder each is in, since a file that is saved anew is another one than before."""
        self._find = find
        self._files = frozenset(files)
        self._hear = hear
        self._closed, self._finishes = Event(), Event()
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it, within a step."""
        self._closed.set()
        self._thread.join()

    def finish(self) -> None:
        """End it when what happened by now has been told, within some steps."""
        self._finishes.set()

    @property
    def over(self) -> bool:
        """Whether nothing is told any more."""
        return not self._thread.is_alive()

    def _listen(self) -> None:
        try:
            folders = self._find()
            found = self._begun(folders)
            for _ in range(_ROUNDS):
                if (more := self._find()) <= folders:
                    break
                folders |= more
                found = self._begun(folders)
            self._hear("ready", None)
            if limits.watches_are_used_up():
                self._hear("limited", limits.watches_reached())
            left = _LAST_STEPS
            for changes in found:
                if self._closed.is_set():
                    return
                if changes:
                    self._hear("changed", changes)
                left -= self._finishes.is_set()
                if not left:
                    return
        except Exception as error:  # of its own kinds, OSError, what a system adds: each means that it tells no more
            if not self._closed.is_set():
                self._hear("lost", limits.explained(error))

    def _begun(self, folders: set[str]) -> Iterator[set[tuple[str, bool]]]:
        """What changes from now on; an empty set every step in which nothing did."""
        if DEEP:
            return _changes(folders)
        parents = {os.path.dirname(path) for path in self._files} - folders  # noqa: PTH120
        heard = _changes(folders | parents)
        return ({one for one in some if one[0] in self._files or _above(one[0]) not in parents} for some in heard)


def _changes(folders: set[str]) -> Iterator[set[tuple[str, bool]]]:
    """What changes once this has returned."""
    from watchfiles import Change, watch  # noqa: PLC0415

    found = watch(
        *(Path(real(path)) for path in sorted(folders) if _is_told(path)),
        watch_filter=None,
        debounce=_LONGEST_MS,
        step=STEP_MS,
        rust_timeout=1,
        yield_on_timeout=True,
        raise_interrupt=False,
        force_polling=False,  # else it reads all folders three times a second under WSL
        recursive=DEEP,
        ignore_permission_denied=True,  # of all errors: what is gone by now, closed, or one too many is left out
    )
    first: set[tuple[Change, str]] = next(found, set())  # comes after a step, when all folders are watched
    return ({(path, change is Change.added) for change, path in some} for some in chain([first], found))


def _above(path: str) -> str:
    return os.path.dirname(path)  # noqa: PTH120


def _is_told(path: str) -> bool:
    """Whether watchfiles takes a folder of this name."""
    try:
        real(path).encode()
    except UnicodeEncodeError:  # not UTF-8: looked at once a day, as its events could not be told
        return False
    return True
