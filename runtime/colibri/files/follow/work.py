"""One look at folders, as the process does it that follows them: what is asked, what is told meanwhile and at the end.

Both are JSON, a line each.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from colibri.errors import ColibriError
from colibri.files.configuration import configured
from colibri.files.looking import Job
from colibri.files.presence import real
from colibri.files.refresh import Refresh
from colibri.files.roots import current_roots
from colibri.files.walk import Found, shown
from colibri.index import Index
from colibri.machine import Progress

_TOLD_SECONDS = 0.2  # between two words on how far it is
_LONG_FILES, _LONG_BYTES = 256, 1 << 20
_HURRIED_BYTES = 16 << 20  # of one look that hurries, as are as many files as make one long: another save waits for it
_MOST_HURRIED_FILES, _MOST_HURRIED_BYTES = 8_192, 256 << 20  # that are looked at so, a part after the other
_NAMED = 20  # files that are named at the end
_MOST_SKIPPED = 1_000
_BYTES_A_TOKEN = 4.0  # a first guess

Tell = Callable[[dict[str, Any]], object]


class Interrupted(BaseException):
    """Whoever asked for the work wants no more of it: what was committed stays. long: because it is too long."""

    def __init__(self, *, long: bool = False) -> None:
        super().__init__()
        self.long = long


class Work:
    """Looks at folders for one index, again and again, with one model."""

    def __init__(
        self,
        place: Path,
        options: Mapping[str, Any],
        give_way: Callable[[], object] = lambda: None,
        *,
        limits: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """options: of `colibri.load`, beside the model and its width, which are the index's. give_way: called when a
        look turns out to be long work, which should not be in anybody's way; a save is indexed at once. limits: of
        reading a file (fields of `Wanted`), of all looks."""
        self._place = place
        self._options = dict(options)
        self._limits = dict(limits or {})
        self._give_way = give_way
        self._clock = clock
        self._index: Index | None = None

    def close(self) -> None:
        """Let go of the index."""
        if self._index is not None:
            self._index.close()
            self._index = None

    def warm(self) -> None:
        """Load the model."""
        self._opened().count_tokens("")

    def _opened(self) -> Index:
        if self._index is None:
            self._index = Index.open(self._place, create=False, load=self._load)
        return self._index

    def run(self, asked: Mapping[str, Any], tell: Tell, unwanted: Callable[[], bool]) -> dict[str, Any]:
        """One look.

        asked     changed: paths at which something happened; or paths (none: all roots), given and reset as
                  `Refresh.plan` takes them; hurried: that it does a part where it turns out to be long, and is
                  interrupted where it is very long
        tell      called with what changed in the look's state
        unwanted  whether to end it now

        Returns what was done, as `colibri index --json` has it; "rest": that there is more, to be asked for as
        "hurried" again or "later", when nothing else is under way. Raises Interrupted, and ColibriError.
        """
        index, began = self._opened(), self._clock()
        work = Refresh(index, clock=self._clock)
        due = _planned(index, work, asked, self._limits)
        size = sum(one.size_bytes for one, _ in due)
        planned = len(due)
        if asked.get("hurried"):
            if planned > _MOST_HURRIED_FILES or size > _MOST_HURRIED_BYTES or (planned and not (due := _part(due))):
                raise Interrupted(long=True)
            size = sum(one.size_bytes for one, _ in due)
        long = len(due) > _LONG_FILES or size > _LONG_BYTES
        if long:
            self._give_way()
        progress = Progress(size, "indexing", units_a_token=_BYTES_A_TOKEN, clock=self._clock)
        told = _Told(due, progress, tell, unwanted, self._clock, long=long)
        ended = work.run(told, progress)
        return {
            **asdict(ended),
            "skipped": dict(list(ended.skipped.items())[:_MOST_SKIPPED]),
            "remarks": dict(list(ended.remarks.items())[:_MOST_SKIPPED]),
            "files": [shown(one.path) for one, _ in due[:_NAMED]],
            "moves": dict(list(work.sync.planned.moved.items())[:_MOST_SKIPPED]),
            "gone": {path: asdict(one) for path, one in work.gone.items()},
            "said": work.said,
            "tokens": work.sync.pace.tokens,
            "seconds": round(self._clock() - began, 3),
            "documents": index.count(),
            "long": long,
            # What cannot be read is due again: it must not keep the rest from being reached.
            "rest": None if len(due) == planned else "hurried" if 2 * ended.indexed > len(due) else "later",
        }

    def _load(self, source: Any) -> Any:
        from colibri.model import load  # noqa: PLC0415 - a look that finds nothing new needs none

        return load(source, **self._options)


def _planned(
    index: Index, work: Refresh, asked: Mapping[str, Any], limits: Mapping[str, Any]
) -> list[tuple[Found, Job]]:
    if "changed" in asked:
        return work.plan_changed(asked["changed"], limits)
    if not asked["paths"] and not configured(index.path).roots and not current_roots(index):
        return []  # not filled from files, or not yet
    given = {**limits, **asked.get("given", {})}
    if "globs" in given:
        given["globs"] = tuple(given["globs"])
    return work.plan([Path(real(path)) for path in asked["paths"]], given, reset=asked.get("reset", False))


def _part(due: Sequence[tuple[Found, Job]]) -> list[tuple[Found, Job]]:
    """The first files that together are not long; one that is long alone is none of them."""
    some: list[tuple[Found, Job]] = []
    size = 0
    for one, job in due:
        if one.size_bytes > _HURRIED_BYTES:
            continue
        size += one.size_bytes
        if len(some) == _LONG_FILES or size > _HURRIED_BYTES:
            break
        some.append((one, job))
    return some


class _Told(Iterable[tuple[Found, Job]]):
    """Files of a look, of which it is told how far they are."""

    def __init__(
        self,
        due: list[tuple[Found, Job]],
        progress: Progress,
        tell: Tell,
        unwanted: Callable[[], bool],
        clock: Callable[[], float],
        *,
        long: bool,
    ) -> None:
        self._due = due
        self._long = long
        self._progress = progress
        self._tell = tell
        self._unwanted = unwanted
        self._clock = clock
        self._begun = self._last = clock()
        self._done = 0
        progress.show = self._show

    def __iter__(self) -> Iterator[tuple[Found, Job]]:
        if self._due:
            roots = sorted({job.path for _, job in self._due})
            self._tell({"phase": "indexing", "total": len(self._due), "done": 0, "roots": roots, "long": self._long})
        for at, (one, job) in enumerate(self._due):
            if self._unwanted():
                raise Interrupted
            self._done = at
            self._say({"file": shown(one.path), "root": job.path})
            yield one, job
        self._done = len(self._due)

    def _show(self) -> None:
        if self._unwanted():
            raise Interrupted
        self._say({})

    def _say(self, more: dict[str, Any]) -> None:
        now = self._clock()
        if now - self._last < _TOLD_SECONDS:
            return
        self._last = now
        per_s = self._done / (now - self._begun) if self._done else None
        self._tell({**more, "done": self._done, "per_s": per_s, "left_s": self._progress.seconds_left})


def failure(error: BaseException) -> dict[str, Any]:
    """What is told of a look that failed."""
    known = isinstance(error, ColibriError | OSError)
    return {"failed": str(error) if known else f"{type(error).__name__}: {error}", "kind": type(error).__name__}
