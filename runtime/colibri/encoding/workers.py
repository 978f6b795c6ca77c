"""Worker threads: texts are tokenised ahead, run longest first, and delivered in their order.

The caller's own thread reads the texts, so that a generator may use what belongs to its thread (a database cursor);
one thread tokenises, others run. At most three windows of texts exist at once, however many are still to come. The
threads live as long as the call. Where texts run together, a task is a batch of them.
"""

import atexit
import threading
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from colibri.encoding.session import Interrupt, Interrupted
from colibri.errors import ColibriError, InputError
from colibri.tokens import Encoded

T = TypeVar("T")
Item = TypeVar("Item")

_TEXTS = 256  # in a window: enough that the longest first leaves no worker idle for long at its end
_CHARACTERS = 1 << 22  # or so many characters: offsets take 16 bytes a character and more
_WINDOWS = 3  # one delivered, one run, one tokenised
_INLINE_TOKENS = 512  # up to here a lone text is run by the caller: a thread takes 0.1 ms, and Ctrl-C can wait so long
_WAKE_SECONDS = 1.0  # Windows does not interrupt a wait without an end


@dataclass
class Outcome(Generic[T]):
    """What became of one text."""

    index: int
    made: dict[int, T] = field(default_factory=dict)
    """Of each of its entries (a text cut into windows has several), by its place; in the order they were done."""
    error: ColibriError | None = None
    """Why the text has none. Some entries may have been made before."""


@dataclass
class _Window(Generic[T]):
    texts: list[str]
    outcomes: list[Outcome[T]]
    left: int
    """Entries still to be run, or the whole window while it is not tokenised."""


_Task = tuple[_Window[T], int, int, Encoded]  # window, place of the text in it, place of the entry, the entry


class Together(Protocol[T]):
    """What runs several entries at once."""

    def groups(self, entries: Sequence[Encoded]) -> list[list[int]]:
        """Indices of those that run together, in the order in which they shall begin."""

    def run(self, entries: Sequence[Encoded], interrupt: Interrupt) -> list[T]:
        """What is made of each."""


class Job(Generic[T]):
    """One call: an iterator of outcomes that `stop` ends from any thread."""

    def __init__(
        self,
        texts: Iterable[str],
        tokenise: Callable[[list[str]], list[list[Encoded]]],
        run: Callable[[Encoded, Interrupt], T],
        workers: int | Callable[[], int],
        together: Together[T] | None = None,
        *,
        characters: int | None = None,
    ) -> None:
        """tokenise: texts -> the entries of each. run: one entry -> what is made of it. workers: threads at
        most; asked again now and then.
        together: runs several entries at once; None: each runs alone.
        characters: of the texts in a window at most, but for its last; None: as many as memory bears. Outcomes come
        out window by window."""
        self._texts = iter(texts)
        self._tokenise = tokenise
        self._run = run
        self._workers = workers
        self._together = together
        self._characters = _CHARACTERS if characters is None else characters
        self.tell: Callable[[int, T], object] | None = None
        """Called in the thread that iterates with the text's index and what was made of each entry, as soon as it is,
        in any order."""
        self._made: list[tuple[int, T]] = []  # and not told yet
        self._changed = threading.Condition()
        self._interrupt = Interrupt()
        self._untokenised: deque[_Window[T]] = deque()
        self._tasks: deque[list[_Task[T]]] = deque()
        self._threads: list[threading.Thread] = []
        self._started_workers = 0
        self._read = 0
        self._crash: BaseException | None = None
        _JOBS.add(self)

    def stop(self) -> None:
        """End it: runs under way end between two operators, and whoever iterates gets Interrupted."""
        self._interrupt.set()
        with self._changed:
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for its threads, after `stop`."""
        for thread in self._threads:
            thread.join()

    def __iter__(self) -> Generator[Outcome[T]]:
        """Outcomes in the order of the texts. However the iteration ends, no thread of it is left."""
        try:
            windows: deque[_Window[T]] = deque()
            if (first := self._window()) is not None:
                windows.append(first)
                if len(first.texts) == 1:
                    second = self._window()
                    if second is None:
                        yield self._alone(first)
                        return
                    windows.append(second)
            for window in windows:
                self._submit(window)
            yield from self._in_windows(windows)
        finally:
            self.stop()
            self.join()

    def _in_windows(self, windows: deque[_Window[T]]) -> Iterator[Outcome[T]]:
        while windows:
            while len(windows) < _WINDOWS and (window := self._window()) is not None:
                windows.append(window)
                self._submit(window)
            yield from self._delivered(windows.popleft())

    def _delivered(self, window: _Window[T]) -> list[Outcome[T]]:
        """The window's outcomes, once there are all."""
        while True:
            with self._changed:
                while window.left and not self._made and not self._interrupt.happened:
                    self._changed.wait(_WAKE_SECONDS)
                made, self._made = self._made, []
            if not made:
                break
            self._tell(made)
        if self._crash is not None:
            raise self._crash
        if window.left:
            raise Interrupted
        return window.outcomes

    def _tell(self, made: Sequence[tuple[int, T]]) -> None:
        if self.tell is not None:
            for index, one in made:
                self.tell(index, one)

    def _window(self) -> _Window[T] | None:
        """The next texts, read in the caller's thread."""
        texts: list[str] = []
        characters = 0
        for text in islice(self._texts, _TEXTS):
            texts.append(text)
            characters += len(text) if isinstance(text, str) else 0  # what is none is refused when it is tokenised
            if characters >= self._characters:
                break
        if not texts:
            return None
        outcomes: list[Outcome[T]] = [Outcome(self._read + i) for i in range(len(texts))]
        self._read += len(texts)
        return _Window(texts, outcomes, 1)

    def _alone(self, window: _Window[T]) -> Outcome[T]:
        """A single text: nobody to share with, nothing to wait for."""
        tasks = self._tokenised(window)
        if sum(len(encoded.ids) for *_, encoded in tasks) > _INLINE_TOKENS:
            self._hand_out(window, tasks)
            return self._delivered(window)[0]
        for group in self._groups(tasks):
            self._tell(self._run_group(group))
        return window.outcomes[0]

    def _submit(self, window: _Window[T]) -> None:
        with self._changed:
            self._untokenised.append(window)
            self._changed.notify_all()
        if not self._threads:
            self._start(self._tokenise_ahead)

    def _hand_out(self, window: _Window[T], tasks: list[_Task[T]]) -> None:
        groups = self._groups(tasks)
        with self._changed:
            self._tasks.extend(groups)
            window.left = len(tasks)
            self._changed.notify_all()
        workers = self._workers if isinstance(self._workers, int) else self._workers()
        for _ in range(min(workers, len(groups)) - self._started_workers):
            self._started_workers += 1
            self._start(self._run_tasks)

    def _start(self, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Interrupted:
                pass
            except BaseException as error:  # a bug, or what Rust calls a panic: it belongs to the caller
                self._crash = error
                self.stop()

        thread = threading.Thread(target=guarded, name="colibri", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _tokenise_ahead(self) -> None:
        while (window := self._next(self._untokenised)) is not None:
            self._hand_out(window, self._tokenised(window))

    def _tokenised(self, window: _Window[T]) -> list[_Task[T]]:
        """The window's entries. A text that cannot be tokenised gets its error, and the others are done one by one."""
        try:
            entries: list[list[Encoded] | ColibriError] = [*self._tokenise(window.texts)]
        except Exception:  # tokenizers raises bare Exception
            entries = [self._tokenised_alone(text) for text in window.texts]
        tasks: list[_Task[T]] = []
        for place, (outcome, found) in enumerate(zip(window.outcomes, entries, strict=True)):
            if isinstance(found, ColibriError):
                outcome.error = found
                continue
            tasks += [(window, place, i, encoded) for i, encoded in enumerate(found)]
        window.texts = []
        return tasks

    def _tokenised_alone(self, text: str) -> list[Encoded] | ColibriError:
        try:
            return self._tokenise([text])[0]
        except ColibriError as error:
            return error
        except Exception as error:  # as above
            return InputError(f"cannot be tokenised ({error})")

    def _run_tasks(self) -> None:
        while (group := self._next(self._tasks)) is not None:
            made = self._run_group(group)
            window = group[0][0]
            with self._changed:
                window.left -= len(group)
                if self.tell is not None:
                    self._made += made
                if not window.left or self._made:
                    self._changed.notify_all()

    def _groups(self, tasks: list[_Task[T]]) -> list[list[_Task[T]]]:
        """Those that run together, the longest first."""
        if self._together is None:
            return [[task] for task in sorted(tasks, key=lambda task: -len(task[3].ids))]
        groups = self._together.groups([encoded for *_, encoded in tasks])
        return [[tasks[i] for i in group] for group in groups]

    def _run_group(self, group: list[_Task[T]]) -> list[tuple[int, T]]:
        """What was made of those that did not fail, and of which text."""
        if self._together is not None and len(group) > 1:
            try:
                made = self._together.run([encoded for *_, encoded in group], self._interrupt)
            except ColibriError:  # each alone: one that fails does not take the others along
                pass
            else:
                for (window, place, entry, _), one in zip(group, made, strict=True):
                    window.outcomes[place].made[entry] = one
                return [(task[0].outcomes[task[1]].index, one) for task, one in zip(group, made, strict=True)]
        return [one for task in group for one in self._run_task(task)]

    def _run_task(self, task: _Task[T]) -> list[tuple[int, T]]:
        window, place, entry, encoded = task
        outcome = window.outcomes[place]
        try:
            outcome.made[entry] = self._run(encoded, self._interrupt)
        except ColibriError as error:
            outcome.error = error
            return []
        return [(outcome.index, outcome.made[entry])]

    def _next(self, queue: deque[Item]) -> Item | None:
        with self._changed:
            while not queue and not self._interrupt.happened:
                self._changed.wait()
            return None if self._interrupt.happened else queue.popleft()


_JOBS: "weakref.WeakSet[Job[Any]]" = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """An iterator that somebody still holds must not compute while the interpreter goes away."""
    for job in list(_JOBS):
        job.stop()
        job.join()
