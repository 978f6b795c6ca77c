"""Files that must not go through a fork open.

SQLite knows in its own memory which locks a process has on a file, and a child inherits what it knows but no lock: what
the child opens beside an inherited connection is locked by nobody (https://www.sqlite.org/howtocorrupt.html, 2.6). When
the parent ends, the next process that closes the file takes its log away, and with it what the child committed.
"""

import os
import threading
import weakref
from typing import Protocol


class Open(Protocol):
    """What has such files."""

    def before_fork(self) -> None:
        """Close those that nobody uses, and open none until `after_fork`."""

    def after_fork(self) -> None:
        """In the parent, and in the child: go on."""


_alive: "weakref.WeakSet[Open]" = weakref.WeakSet()
_told: list[Open] = []
_forking = threading.Lock()


def tell(one: Open) -> None:
    """Of every fork, as long as it lives."""
    _alive.add(one)


def _before() -> None:
    _forking.acquire()  # two threads may fork at once
    for one in list(_alive):
        one.before_fork()
        _told.append(one)


def _after() -> None:
    while _told:
        _told.pop().after_fork()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
