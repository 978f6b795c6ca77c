"""Keeps an index fresh for as long as a program runs."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, Literal

from colibri.errors import StoreLocked
from colibri.files.follow.notices import Heard
from colibri.files.follow.state import State
from colibri.files.follow.watching import Look, Watching
from colibri.files.follow.worker import Worker, started
from colibri.files.followed import LOCK
from colibri.files.walk import shown, within
from colibri.index import Index, by_one_alone

KEPT_SECONDS = 60.0
"""How long the process that indexes, and its model, wait for more to do."""
_FIRST_RETRY, _LAST_RETRY = 2.0, 600.0
_NOT_AGAIN = frozenset({"InputError", "InputTypeError"})  # what was asked cannot be done
_STANDBY_SECONDS = 30.0

_Kind = Literal["stop", "pause", "resume", "hold", "release", "look", "give up", "work", "told"]


class Follower:
    """Follows the folders of one index: `run` until it is to stop, in a thread of the program's own or its main one.

    Everything else may be called by any thread, at any time, and returns at once. Work is done by another process, at
    low priority, which ends a minute after the last of it; in this process where none can be started.
    """

    def __init__(
        self,
        place: Path,
        *,
        options: Mapping[str, Any] | None = None,
        limits: Mapping[str, Any] | None = None,
        on_change: Callable[[State], object] | None = None,
        on_look: Callable[[Mapping[str, Any]], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """place: the folder of an index, which is there.

        options    of `colibri.load`, beside the model and its width, which are the index's: values that JSON takes
        limits     of reading a file, likewise: fields of `Wanted` that are of a run
        on_change  called with every new state, in the thread that runs
        on_look    called after every look, likewise, with what it did, as `colibri index --json` has it
        """
        self.state = State()
        self._place = place
        self._options = options or {}
        self._limits = limits or {}
        self._on_change = on_change or (lambda state: None)
        self._on_look = on_look or (lambda found: None)
        self._clock = clock
        self._index: Index
        self._events: SimpleQueue[tuple[_Kind, Any]] = SimpleQueue()
        self._worker: Worker | None = None
        self._free_since = 0.0
        self._under_way: Look | None = None
        self._waiting: list[Look] = []
        self._paused = False
        self._holds = 0  # of those that change the index meanwhile; none of them ends a pause, nor a pause them
        self._runs = False
        self._stopping: list[Event] = []  # of those that wait until nothing is under way
        self._watching: Watching | None = None
        self._failures = 0
        self._retry_at = -math.inf
        self._next_try = -math.inf

    def pause(self, wait_seconds: float = 0.0) -> bool:
        """Stop working; what is committed stays, and what changes meanwhile is looked at by `resume`.

        wait_seconds: for so long at most, until nothing is under way. Returns whether that is so.
        """
        return self._stopped("pause", wait_seconds)

    def resume(self) -> None:
        """Go on."""
        self._events.put(("resume", None))

    @contextmanager
    def held(self, wait_seconds: float = 0.0) -> Iterator[bool]:
        """Work stands still inside, whether it is paused or not, and by how many; gives what `pause` returns."""
        try:
            yield self._stopped("hold", wait_seconds)
        finally:
            self._events.put(("release", None))

    def _stopped(self, kind: _Kind, wait_seconds: float) -> bool:
        stopped = Event()
        self._events.put((kind, stopped))
        return not self._runs or stopped.wait(wait_seconds)

    def look_now(
        self, paths: Sequence[Path] = (), given: Mapping[str, Any] | None = None, *, reset: bool = False
    ) -> None:
        """Look at files and folders that are new to the index or known to it, or at all that it was made of.

        given, reset  as `colibri index` has them, see `Refresh.plan`
        """
        look = {"paths": [shown(path.absolute()) for path in paths], "given": dict(given or {}), "reset": reset}
        self._events.put(("look", look))

    def give_up(self, path: Path) -> None:
        """Do not look at a file or folder that was asked for and waits, since it is taken out of the index."""
        self._events.put(("give up", shown(path.absolute())))

    def run(self, stop: Event, *, standby: bool = True) -> None:
        """Look at everything, then follow, until `stop` is set.

        standby  where another program follows the folders of this index already: whether to wait for its end, and do
                 meanwhile what `look_now` asks alone. False: raise StoreLocked

        Raises what ends it on a signal as it comes; the process that works is ended in any case.
        """
        Thread(target=self._wait_for, args=(stop,), daemon=True).start()
        with ExitStack() as stack:
            self._index = stack.enter_context(Index.open(self._place, create=False))
            stack.callback(self._end)
            self._runs = True
            self._lead(stack, standby)
            while True:
                with suppress(Empty):
                    kind, value = self._events.get(timeout=self._seconds_left())
                    while kind != "stop":
                        self._handle(kind, value)
                        kind, value = self._events.get_nowait()
                    return
                self._act(stack)

    def _wait_for(self, stop: Event) -> None:
        stop.wait()
        self._events.put(("stop", None))

    def _lead(self, stack: ExitStack, standby: bool) -> None:
        """Be the one that follows, unless another is."""
        said = f"{self._place}: another program follows its folders already"
        try:
            stack.enter_context(by_one_alone(self._place / LOCK, said))
        except StoreLocked:
            if not standby:
                raise
            self._next_try = self._clock() + _STANDBY_SECONDS
            self._change(note="another program keeps this index fresh; this one goes on with it when that ends")
            return
        self._watching = Watching(self._index, self._told, self._clock())
        stack.callback(self._watching.close)

    def _heard(self, message: Mapping[str, Any]) -> None:
        self._events.put(("work", message))

    def _told(self, what: Heard, value: Any) -> None:
        self._events.put(("told", (what, value)))

    def _seconds_left(self) -> float:
        """Until something has to be done without being told."""
        times = [self._next_try if self._watching is None else self._watching.next_time()]
        if self._waiting and self._under_way is None and not self._still:
            times.append(self._retry_at)
        if self._worker is not None and self._under_way is None:
            times.append(self._free_since + KEPT_SECONDS)
        return max(min(times) - self._clock(), 0.0)

    def _act(self, stack: ExitStack) -> None:
        """Do what is due by now."""
        now = self._clock()
        if self._watching is None and now >= self._next_try:
            self._lead(stack, standby=True)
        if self._watching is not None:
            self._waiting += self._watching.due(now)
            self._change(watching=self._watching.told, note=self._watching.note)
        free = self._under_way is None and not self._still
        if free and self._waiting and now >= self._retry_at:
            self._begin(self._waiting.pop(0))
        elif free and self._worker is None and self._watching is not None and self._watching.expects_files:
            self._start().warm()  # it is there when what changes has been quiet for a moment
        elif self._worker is not None and self._under_way is None and now >= self._free_since + KEPT_SECONDS:
            self._end_worker()

    def _start(self) -> Worker:
        self._worker = started(self._place, self._options, self._limits, self._heard)
        self._free_since = self._clock()
        return self._worker

    def _begin(self, look: Look) -> None:
        worker = self._worker or self._start()
        self._under_way = look
        some: list[str] = look.get("paths") or look.get("changed") or []
        root = some[0] if len(some) == 1 else None
        self._change(phase="looking", root=root, file=None, done=0, total=0, per_s=None, left_s=None)
        worker.look(look)

    def _handle(self, kind: _Kind, value: Any) -> None:
        if kind == "told":
            if self._watching is not None:
                self._watching.heard(value[0], value[1], self._clock())
        elif kind != "work":
            self._wished(kind, value)
        elif "done" in value and isinstance(value["done"], Mapping):
            self._ended(value["done"])
        elif "failed" in value:
            self._failed(value)
        elif "interrupted" in value:
            self._again()
        elif not self._still:
            self._change(**value)

    @property
    def _still(self) -> bool:
        return self._paused or self._holds > 0

    def _wished(self, kind: _Kind, value: Any) -> None:
        """What somebody called for."""
        if kind == "look":
            self._waiting.append(value)
            self._retry_at = -math.inf
        elif kind == "give up":
            self._waiting = [left for one in self._waiting if (left := _without(one, value)) is not None]
        else:
            if kind in {"pause", "resume"}:
                self._paused = kind == "pause"
            else:
                self._holds += 1 if kind == "hold" else -1
            if value is not None:
                self._stopping.append(value)
            if self._under_way is None:
                self._rest()
            elif self._still and self._worker is not None:
                self._worker.interrupt()

    def _ended(self, done: Mapping[str, Any]) -> None:
        look, self._under_way = self._under_way, None
        self._failures, self._free_since = 0, self._clock()
        if self._watching is not None and look is not None:
            self._watching.looked(look, done, self._free_since)
        if done["long"]:
            self._end_worker()  # it gave way to all else, for good, and the next save is not to wait
        self._rest(error=None)
        self._on_look(done)

    def _failed(self, message: Mapping[str, Any]) -> None:
        if message["kind"] in _NOT_AGAIN and self._under_way is not None:
            asked = "given" in self._under_way  # by somebody, who has to ask another thing
            self._under_way = None if asked else {"paths": []}
        self._again()
        if message["kind"] == "ended":
            self._end_worker()
        wait = _FIRST_RETRY * 4**self._failures if self._failures or message["kind"] != "ended" else 0.0
        self._failures += 1
        self._retry_at = self._clock() + min(wait, _LAST_RETRY)
        self._change(phase="failed", error=message["failed"], file=None)

    def _again(self) -> None:
        """What was under way is to be done first."""
        if self._under_way is not None:
            self._waiting.insert(0, self._under_way)
        self._under_way, self._free_since = None, self._clock()
        self._rest()

    def _rest(self, **more: Any) -> None:
        while self._stopping:
            self._stopping.pop().set()
        phase = "paused" if self._paused else "idle"
        self._change(phase=phase, root=None, file=None, done=0, total=0, per_s=None, left_s=None, **more)

    def _end(self) -> None:
        self._runs = False
        self._end_worker()
        self._rest()

    def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def _change(self, **changes: Any) -> None:
        after = replace(self.state, **changes)
        if after != self.state:
            self.state = after
            self._on_change(after)


def _without(look: Look, given_up: str) -> Look | None:
    """A look that was asked for, without what lies there; None where that was all of it."""
    paths: list[str] = look.get("paths", [])
    if not paths:  # at all there is
        return look
    kept = [path for path in paths if not within(path, given_up)]
    return {**look, "paths": kept} if kept else None
