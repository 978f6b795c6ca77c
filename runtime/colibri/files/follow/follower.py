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
from colibri.files.follow.lane import Lane
from colibri.files.follow.notices import Heard
from colibri.files.follow.state import State
from colibri.files.follow.waiting import Look, Waiting, asked_of
from colibri.files.follow.watching import Watching
from colibri.files.follow.worker import Hear, Worker, started
from colibri.files.followed import LOCK
from colibri.files.walk import shown
from colibri.index import Index, by_one_alone

KEPT_SECONDS = 60.0
"""How long the process that indexes, and its model, wait for more to do."""
_BESIDE_SECONDS = 1.0
"""A look that fills the index for longer is not waited for by what changes meanwhile."""
_FIRST_RETRY, _LAST_RETRY = 2.0, 600.0
_NOT_AGAIN = frozenset({"InputError", "InputTypeError"})  # what was asked cannot be done
_STANDBY_SECONDS = 30.0

_Kind = Literal["stop", "pause", "resume", "hold", "release", "look", "give up", "work", "told"]


class Follower:
    """Follows the folders of one index: `run` until it is to stop, in a thread of the program's own or its main one.

    Everything else may be called by any thread, at any time, and returns at once. Work is done by another process, at
    low priority, which ends a minute after the last of it; in this process where none can be started. Beside a long
    look, as the first one at a large folder is, another such process looks at what changes meanwhile.
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
        self._main = Lane(self._start, self._heard, clock)
        self._beside = Lane(self._start, self._heard, clock)  # what hurries, while the other one fills the index
        self._beside_at = -math.inf
        self._waiting = Waiting()
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

    def _heard(self, lane: Lane, message: Mapping[str, Any]) -> None:
        self._events.put(("work", (lane, message)))

    def _told(self, what: Heard, value: Any) -> None:
        self._events.put(("told", (what, value)))

    def _start(self, hear: Hear) -> Worker:
        return started(self._place, self._options, self._limits, hear)

    @property
    def _lanes(self) -> tuple[Lane, Lane]:
        return self._main, self._beside

    @property
    def _busy(self) -> bool:
        return any(lane.look is not None for lane in self._lanes)

    def _seconds_left(self) -> float:
        """Until something has to be done without being told."""
        times = [self._next_try if self._watching is None else self._watching.next_time(), self._waiting.again_at]
        if not self._still and self._waiting and not self._busy:
            times.append(self._retry_at)
        if not self._still and self._waiting.has_hurried and self._may_hurry:
            times.append(self._beside_at)
        times += [lane.free_since + KEPT_SECONDS for lane in self._lanes if lane.has_worker and lane.look is None]
        return max(min(times) - self._clock(), 0.0)

    @property
    def _may_hurry(self) -> bool:
        """Whether something may be looked at beside what is looked at: not before it is known what that has to do,
        since what moved or left is found out by what the index had when it began."""
        return self._main.filling and self._beside.look is None

    def _act(self, stack: ExitStack) -> None:
        """Do what is due by now."""
        now = self._clock()
        if self._watching is None and now >= self._next_try:
            self._lead(stack, standby=True)
        if self._watching is not None:
            self._waiting.add(self._watching.due(now))
            self._change(watching=self._watching.told, note=self._watching.note)
        self._waiting.look_again(now)
        expected = self._watching is not None and self._watching.expects_files
        if not self._still and not self._busy:
            if self._waiting and now >= self._retry_at:
                self._begin(self._waiting.first())
            elif expected and not self._main.has_worker:
                self._main.warm()  # it is there when what changes has been quiet for a moment
        elif not self._still and self._may_hurry and now >= self._beside_at:
            if self._waiting.has_hurried:
                self._beside.begin(self._waiting.hurried(), hurried=True)
            elif expected and not self._beside.has_worker:
                self._beside.warm()
        for lane in self._lanes:
            if lane.has_worker and lane.look is None and now >= lane.free_since + KEPT_SECONDS:
                lane.close()

    def _begin(self, look: Look) -> None:
        some: list[str] = look.get("paths") or look.get("changed") or []
        root = some[0] if len(some) == 1 else None
        self._change(phase="looking", root=root, file=None, done=0, total=0, per_s=None, left_s=None)
        self._main.begin(look)

    def _handle(self, kind: _Kind, value: Any) -> None:
        if kind == "told":
            if self._watching is not None:
                self._watching.heard(value[0], value[1], self._clock())
        elif kind == "work":
            self._worked(*value)
        else:
            self._wished(kind, value)

    def _worked(self, lane: Lane, message: Mapping[str, Any]) -> None:
        """What a worker told."""
        if "done" in message and isinstance(message["done"], Mapping):
            self._ended(lane, message["done"])
        elif "failed" in message:
            self._failed(lane, message)
        elif "interrupted" in message:
            self._again(lane, long=message.get("long", False))
        elif lane is self._main and not self._still:
            if "roots" in message:
                self._fills(message)
            self._change(**{name: value for name, value in message.items() if name not in {"roots", "long"}})

    def _fills(self, message: Mapping[str, Any]) -> None:
        """It is known what the look has to do, and the roots are remembered."""
        self._main.filling = True
        self._beside_at = self._clock() + (0.0 if message["long"] else _BESIDE_SECONDS)
        if self._watching is not None:
            self._watching.begun(message["roots"], self._clock())

    @property
    def _still(self) -> bool:
        return self._paused or self._holds > 0

    def _wished(self, kind: _Kind, value: Any) -> None:
        """What somebody called for."""
        if kind == "look":
            self._waiting.add([value])
            self._retry_at = -math.inf
        elif kind == "give up":
            self._waiting.give_up(value)
        else:
            if kind in {"pause", "resume"}:
                self._paused = kind == "pause"
            else:
                self._holds += 1 if kind == "hold" else -1
            if value is not None:
                self._stopping.append(value)
            if self._still:
                for lane in self._lanes:
                    lane.interrupt()
        self._rest() if not self._busy else self._tell_asked()

    def _ended(self, lane: Lane, done: Mapping[str, Any]) -> None:
        look, now = lane.ended(), self._clock()
        if look is None:
            return
        self._failures = 0
        if self._watching is not None:
            self._watching.looked(look, done, now)
        if done["long"]:
            lane.close()  # it gave way to all else, for good, and the next save is not to wait
        if lane is self._beside:
            self._waiting.looked_beside(look, now)
        else:
            self._main_is_over()
        if done["rest"] == "hurried":
            self._waiting.add([look])
        elif done["rest"]:
            self._waiting.postpone(look)
        self._rest(error=None)
        self._on_look(done)

    def _main_is_over(self) -> None:
        """What goes on beside it, if anything does, is what is waited for now."""
        self._waiting.long_one_ended()
        if self._beside.has_worker:
            self._main, self._beside = self._beside, self._main
            self._beside.close()
            self._change(phase="looking", root=None, file=None, done=0, total=0, per_s=None, left_s=None)

    def _failed(self, lane: Lane, message: Mapping[str, Any]) -> None:
        look = lane.look
        if message["kind"] == "ended":
            lane.close()
        if lane is self._beside:  # it has time until the other one is over
            if look is not None:
                self._waiting.postpone(look)
            lane.ended()
            self._rest()
            return
        if message["kind"] in _NOT_AGAIN and look is not None:
            # asked for by somebody, who has to ask another thing
            lane.look = None if "given" in look else {"paths": []}
        self._again(lane)
        wait = _FIRST_RETRY * 4**self._failures if self._failures or message["kind"] != "ended" else 0.0
        self._failures += 1
        self._retry_at = self._clock() + min(wait, _LAST_RETRY)
        self._change(phase="paused" if self._paused else "failed", error=message["failed"], file=None)

    def _again(self, lane: Lane, *, long: bool = False) -> None:
        """What was under way is to be done first. long: it hurried, and turned out to be long itself."""
        look = lane.ended()
        if long and look is not None:
            self._waiting.postpone(look)
        else:
            self._waiting.put_back(look)
        if lane is self._main:
            self._main_is_over()
        self._rest()

    def _rest(self, **more: Any) -> None:
        """Say so, where nothing is under way."""
        if not self._busy:
            while self._stopping:
                self._stopping.pop().set()
            more |= {"phase": "paused" if self._paused else "idle", "root": None, "file": None}
            more |= {"done": 0, "total": 0, "per_s": None, "left_s": None}
        self._change(**more)
        self._tell_asked()

    def _tell_asked(self) -> None:
        under_way = [path for lane in self._lanes for path in asked_of(lane.look)]
        self._change(asked=tuple(dict.fromkeys([*under_way, *self._waiting.asked])))

    def _end(self) -> None:
        self._runs = False
        for lane in self._lanes:
            lane.close()
            lane.ended()
        self._rest()

    def _change(self, **changes: Any) -> None:
        after = replace(self.state, **changes)
        if after != self.state:
            self.state = after
            self._on_change(after)
