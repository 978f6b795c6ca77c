"""Looks that wait for their turn, and which of them need not wait for a long one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from colibri.files.walk import outermost, within

AGAIN_SECONDS = 15.0
"""After a look beside a long one, which may have read a file before it was saved and have committed that since."""

Look = Mapping[str, Any]


class Waiting:
    """In the order in which they begin."""

    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._beside: set[str] = set()  # looked at beside the long one that is under way
        self._again: set[str] = set()
        self._again_at = math.inf

    def __bool__(self) -> bool:
        return bool(self._looks)

    @property
    def asked(self) -> tuple[str, ...]:
        """Files and folders that somebody asked for."""
        return tuple(path for look in self._looks for path in asked_of(look))

    def add(self, looks: Sequence[Look]) -> None:
        """At the end; one that waits already does for two."""
        self._looks += [look for look in looks if look not in self._looks]

    def put_back(self, look: Look | None) -> None:
        """It is to be done first."""
        if look is not None:
            self._looks.insert(0, look)

    def give_up(self, path: str) -> None:
        """Nothing of those that were asked for is looked at there."""
        self._looks = [left for one in self._looks if (left := _without(one, path)) is not None]

    def first(self) -> Look:
        """To be begun now."""
        return self._looks.pop(0)

    @property
    def has_hurried(self) -> bool:
        """Whether one of them need not wait for a long one."""
        return any(_is_hurried(look) for look in self._looks)

    def hurried(self) -> Look:
        """The first such, to be begun now."""
        look = next(look for look in self._looks if _is_hurried(look))
        self._looks.remove(look)
        return look

    def postpone(self, look: Look) -> None:
        """It turned out to be long itself, and waits as all else does."""
        self._looks.append({**look, "later": True})

    def looked_beside(self, look: Look, now: float) -> None:
        """While a long one went on."""
        if not look.get("again"):
            self._again.update(look["changed"])
            self._again_at = min(self._again_at, now + AGAIN_SECONDS)
        self._beside.update(look["changed"])

    @property
    def again_at(self) -> float:
        """When to look again at what was looked at beside a long one."""
        return self._again_at

    def look_again(self, now: float) -> None:
        """At that, if it is time."""
        if now >= self._again_at:
            self.add([{"changed": outermost(self._again), "again": True}])
            self._again, self._again_at = set(), math.inf

    def long_one_ended(self) -> None:
        """What was looked at beside it is looked at once more: whatever it had read before, that is how files are."""
        if self._beside:
            self.put_back({"changed": outermost(self._beside), "again": True})
        self._beside, self._again, self._again_at = set(), set(), math.inf


def asked_of(look: Look | None) -> Sequence[str]:
    """Files and folders that a look was asked for by somebody."""
    if look is None or "given" not in look:
        return ()
    paths: Sequence[str] = look["paths"]
    return paths


def _is_hurried(look: Look) -> bool:
    return "changed" in look and not look.get("later")


def _without(look: Look, given_up: str) -> Look | None:
    """A look that was asked for, without what lies there; None where that was all of it."""
    paths: list[str] = look.get("paths", [])
    if not paths:  # at all there is, or at what changed
        return look
    kept = [path for path in paths if not within(path, given_up)]
    return {**look, "paths": kept} if kept else None
