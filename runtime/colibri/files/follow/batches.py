"""Paths at which something happened, until they have been quiet for a moment and are looked at together."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

QUIET_SECONDS = 0.3
"""A file that is being written is not read yet; beside watchfiles's own step, which has passed before."""
TOGETHER_SECONDS = 5.0
"""What is quiet waits for what is not, since both may be one move; but not longer than this."""
BUSY_SECONDS = 30.0
"""What is never quiet is looked at nevertheless, so often."""
_LOOKS, _LOOK_SECONDS = 20, 30.0  # of one path at once, and then so far apart: a log, a data base
_FRUITLESS, _LONGEST_WAIT = 3, 60.0
_FORGOTTEN_SECONDS = 600.0
_LONG_SECONDS = 1.5
_MOST = 50_000


@dataclass
class _Waiting:
    """first, last: when something happened there. held: until when it is not looked at in any case."""

    first: float
    last: float
    held: float = -math.inf


class Batches:
    """All times are of one clock, in seconds."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._looks: dict[str, tuple[float, float]] = {}  # how many are left, and when that was so
        self._fruitless: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[str]:
        return iter(self._waiting)

    def add(self, paths: Iterable[str], now: float) -> None:
        """Something happened at each of these."""
        for path in paths:
            one = self._waiting.get(path)
            if one is None:
                self._waiting[path] = _Waiting(now, now, now + self._wait(path, now))
            else:
                one.last = now

    @property
    def too_many(self) -> bool:
        """Whether a look at all would be simpler."""
        return len(self._waiting) > _MOST

    def clear(self) -> None:
        """All is looked at in another way."""
        self._waiting.clear()

    def ready(self, now: float) -> list[str]:
        """What is to be looked at now: none of those that belong together while others of them are not quiet. They are
        waited for no more."""
        together = now >= self._together_at()
        ripe = [path for path, one in self._waiting.items() if _ripe_at(one) <= now and (together or _apart(one))]
        for path in ripe:
            del self._waiting[path]
            left, _ = self._left(path, now)
            self._looks[path] = (left - 1, now)
        return ripe

    def next_time(self) -> float | None:
        """When to ask; None: when something more happened."""
        if not self._waiting:
            return None
        return min([self._together_at(), *(_ripe_at(one) for one in self._waiting.values() if _apart(one))])

    def _together_at(self) -> float:
        """When those that may belong together are looked at."""
        some = [one for one in self._waiting.values() if not _apart(one)]
        if not some:
            return math.inf
        times, first = [_ripe_at(one) for one in some], min(one.first for one in some)
        return min(max(times), max(min(times), first + TOGETHER_SECONDS))

    def looked(self, paths: Sequence[str], now: float, *, found: bool) -> None:
        """They were looked at. found: whether that changed the index. Folders whose changes lead to nothing (a cache)
        are looked at later and later."""
        for folder in {os.path.dirname(path) for path in paths}:  # noqa: PTH120
            count, _ = (0, 0.0) if found else self._fruitless.get(folder, (0, 0.0))
            if found:
                self._fruitless.pop(folder, None)
            else:
                self._fruitless[folder] = (count + 1, now)
        self._forget(now)

    def _wait(self, path: str, now: float) -> float:
        """How long a path has to wait before it is looked at again."""
        count, when = self._fruitless.get(os.path.dirname(path), (0, now))  # noqa: PTH120
        wait = 0.0
        if count > _FRUITLESS and now - when < _FORGOTTEN_SECONDS:
            wait = min(QUIET_SECONDS * 2.0 ** min(count - _FRUITLESS, 16), _LONGEST_WAIT)
        left, _ = self._left(path, now)
        return max(wait, (1 - left) * _LOOK_SECONDS if left < 1 else 0.0)

    def _left(self, path: str, now: float) -> tuple[float, float]:
        left, when = self._looks.get(path, (float(_LOOKS), now))
        return min(left + (now - when) / _LOOK_SECONDS, float(_LOOKS)), now

    def _forget(self, now: float) -> None:
        """What does not matter any more, when it has become much."""
        if len(self._looks) > _MOST:
            self._looks = {path: one for path, one in self._looks.items() if self._left(path, now)[0] < _LOOKS}
        if len(self._fruitless) > _MOST:
            self._fruitless = {
                folder: one for folder, one in self._fruitless.items() if now - one[1] < _FORGOTTEN_SECONDS
            }


def _ripe_at(one: _Waiting) -> float:
    return max(min(one.last + QUIET_SECONDS, one.first + BUSY_SECONDS), one.held)


def _apart(one: _Waiting) -> bool:
    """Whether nothing else waits for it: it has to wait itself, or is being written for long."""
    return one.held > one.last or one.last - one.first > _LONG_SECONDS
