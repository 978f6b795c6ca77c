"""What one worker has to do, one look at a time."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from colibri.files.follow.worker import Worker

Look = Mapping[str, Any]


class Start(Protocol):
    """Starts a worker."""

    def __call__(self, hear: Callable[[dict[str, Any]], object]) -> Worker:
        """hear: called by a thread of its own with what it tells."""


class Lane:
    """look: under way; None: nothing is. filling: whether all that it has to do is known, and files are read.

    free_since: the clock's time at which a look ended, or the worker started; `began` at which `look` did
    """

    def __init__(
        self, start: Start, hear: Callable[["Lane", dict[str, Any]], object], clock: Callable[[], float]
    ) -> None:
        """hear: called by other threads, with this one and what its worker tells."""
        self._start = start
        self._hear = hear
        self._clock = clock
        self._worker: Worker | None = None
        self.look: Look | None = None
        self.filling = False
        self.began = self.free_since = 0.0

    @property
    def has_worker(self) -> bool:
        """Whether one is there."""
        return self._worker is not None

    def warm(self) -> None:
        """Have a worker, with its model."""
        self._started().warm()

    def begin(self, look: Look, *, hurried: bool = False) -> None:
        """Have a look begin. hurried: its worker interrupts it where it turns out to be long."""
        worker = self._started()
        self.look, self.filling, self.began = look, False, self._clock()
        worker.look({**look, "hurried": True} if hurried else look)

    def interrupt(self) -> None:
        """Have the one under way end."""
        if self.look is not None and self._worker is not None:
            self._worker.interrupt()

    def ended(self) -> Look | None:
        """The look is over; which one."""
        look, self.look, self.filling = self.look, None, False
        self.free_since = self._clock()
        return look

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def _started(self) -> Worker:
        if self._worker is None:
            self._worker = self._start(lambda message: self._hear(self, message))
            self.free_since = self._clock()
        return self._worker
