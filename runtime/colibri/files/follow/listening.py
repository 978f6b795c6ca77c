"""Who listens to which folders: one to all of them, and some more to folders that came since."""

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from colibri.errors import InputError
from colibri.files.follow import notices
from colibri.files.looking import owner, walked
from colibri.files.presence import real
from colibri.files.walk import Troubles, outermost
from colibri.files.wanted import Wanted

_MOST = 4  # each looks five times a second whether something came

Hear = Callable[[notices.Heard, tuple[int, Any]], object]


class Listening:
    """Not for several threads, but for `hear`, which others call: with what happened, and who says so."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._layers: dict[int, notices.Notices] = {}
        self._ending: dict[int, notices.Notices] = {}  # another listens in their place
        self._beginning: dict[int, set[str]] = {}  # not ready yet -> folders to be looked at when they are
        self._made = 0
        self._closed = 0  # the last one that was made when all were ended
        self._whole = 0  # the one that listens to all

    @property
    def ready(self) -> bool:
        """Whether somebody listens by now."""
        return len(self._layers) > len(self._beginning)

    @property
    def beginning(self) -> bool:
        """Whether somebody is about to."""
        return bool(self._beginning)

    @property
    def enough(self) -> bool:
        """Whether one should listen to all anew, rather than one more to what came."""
        return notices.DEEP or len(self._layers) >= _MOST

    def knows(self, number: int, what: notices.Heard) -> bool:
        """Whether it counts what somebody says: who was not ended since, and of who listened before what happened then,
        which may be told when another one has begun."""
        return number in self._layers or (what == "changed" and number > self._closed)

    def to_all(self, roots: Mapping[str, Wanted], came: Collection[str]) -> None:
        """Listen to these files and folders; whoever listens now goes on until that is ready. came: folders to be
        looked at then."""
        folders = [path for path in roots if os.path.isdir(real(path))]  # noqa: PTH112 - Path.is_dir may raise
        files = [path for path in roots if owner(path, folders) is None]
        self._begin(dict.fromkeys(folders, ()), roots, files, came)
        self._whole = self._made

    def to_more(self, roots: Mapping[str, Wanted], came: Collection[str]) -> None:
        """Listen to folders that came, too, and look at them when that is ready."""
        below: dict[str, list[str]] = {}
        for path in came:
            if (root := owner(path, roots)) is not None:
                below.setdefault(root, []).append(path)
        self._begin(below, roots, (), came)

    def began(self, number: int) -> tuple[set[str], bool]:
        """One is ready: what is to be looked at now, and whether it listens to all, so that those before it ended."""
        found = self._beginning.pop(number)
        if number != self._whole:
            return found, False
        self._ending = {one: layer for one, layer in self._ending.items() if not layer.over}
        for other in [one for one in self._layers if one < number]:
            layer = self._layers.pop(other)
            if other in self._beginning:
                found |= self._beginning.pop(other)
                layer.close()
            else:  # what came just before this one was ready only the other one has seen, and tells a step later
                self._ending[other] = layer
                layer.finish()
        return found, True

    def close(self) -> None:
        """End all."""
        for layer in (*self._layers.values(), *self._ending.values()):
            layer.close()
        self._closed = self._made
        self._layers.clear()
        self._ending.clear()
        self._beginning.clear()

    def _begin(
        self,
        below: Mapping[str, Collection[str]],
        roots: Mapping[str, Wanted],
        files: Collection[str],
        came: Collection[str],
    ) -> None:
        number = self._made = self._made + 1
        wanted = {path: roots[path] for path in below}

        def find() -> set[str]:
            return _folders(below, wanted)

        self._beginning[number] = set(came)
        self._layers[number] = notices.Notices(find, files, lambda what, value: self._hear(what, (number, value)))


def _folders(below: Mapping[str, Collection[str]], wanted: Mapping[str, Wanted]) -> set[str]:
    """Folders in which something may come that is wanted. below: roots -> the parts of each that are asked for."""
    if notices.DEEP:
        return set(outermost(below))
    troubles = Troubles()
    for root, parts in below.items():
        with suppress(InputError):  # gone by now, which is looked at every few seconds
            for _ in walked(Path(real(root)), replace(wanted[root], kinds=()), troubles, parts):
                pass
    tops = {part for root, parts in below.items() for part in parts or (root,)}
    return {path for path in troubles.entered if owner(path, tops) is not None}
