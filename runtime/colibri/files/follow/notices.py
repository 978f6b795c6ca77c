"""What the system tells of changes below folders, by `watchfiles`, and when it does not.

Only that something happened at a path is taken from it: in one batch a new file and one that is gone look alike, a
folder that was moved in comes without what is in it, and of a queue that ran over it says nothing (findings/).
"""

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

from colibri.errors import MissingExtra
from colibri.files.follow import limits
from colibri.files.presence import real
from colibri.machine import install_command

STEP_MS = 200
"""watchfiles looks so often whether something came, all the time: five wake-ups a second, some 4 ms of CPU a minute
(benchmarks/NOTES.md). What came is handed on when a step brought nothing new."""
_LONGEST_MS = 1_000

Heard = Literal["ready", "changed", "lost"]
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
    """Threads that listen, until `close`.

    They call `hear` with ("ready", None) when all are, from when on nothing that happens is missed; ("changed", pairs
    of a path and whether something new may be there); ("lost", why) when it is over, by one of them or all.
    """

    def __init__(self, folders: Sequence[str], files: Collection[str], hear: Hear) -> None:
        """folders: with all that lies in them. files: by the folder that each is in, since a file that is saved anew is
        another one than before."""
        self._hear = hear
        self._closed = Event()
        parents = sorted({os.path.dirname(path) for path in files})  # noqa: PTH120
        groups: list[tuple[Sequence[str], Collection[str] | None]] = [(folders, None), (parents, set(files))]
        self._groups = [group for group in groups if group[0]]
        self._ready = 0
        self._threads = [Thread(target=self._listen, args=group, daemon=True) for group in self._groups]
        for thread in self._threads:
            thread.start()
        if not self._threads:
            hear("ready", None)

    def close(self) -> None:
        """End them, within a step."""
        self._closed.set()
        for thread in self._threads:
            thread.join()

    def _listen(self, paths: Sequence[str], only: Collection[str] | None) -> None:
        try:
            for changes in _changes(paths, deep=only is None):
                if self._closed.is_set():
                    return
                if changes is None:
                    self._ready += 1
                    if self._ready == len(self._groups):
                        self._hear("ready", None)
                elif wanted := {(path, new) for path, new in changes if only is None or path in only}:
                    self._hear("changed", wanted)
        except Exception as error:  # of its own kinds, OSError, what a system adds: each means that it tells no more
            if not self._closed.is_set():
                self._hear("lost", limits.explained(error))


def _changes(paths: Sequence[str], *, deep: bool) -> Iterable[set[tuple[str, bool]] | None]:
    """None, then what changed since; an empty set where nothing did, so that whoever listens may end."""
    from watchfiles import Change, watch  # noqa: PLC0415

    found = watch(
        *(Path(real(path)) for path in paths),
        watch_filter=None,
        debounce=_LONGEST_MS,
        step=STEP_MS,
        rust_timeout=1,
        yield_on_timeout=True,
        raise_interrupt=False,
        force_polling=False,  # else it reads all folders three times a second under WSL
        recursive=deep,
        ignore_permission_denied=True,
    )
    first: set[tuple[Change, str]] = next(found, set())  # comes after a step, when all folders are watched
    yield None
    for some in chain([first], found):
        yield {(path, change is Change.added) for change, path in some}
