"""The end of a server, from the signal to the last answer: in which order it stops, and what its log says of that."""

import asyncio
import logging
import signal
import time
from collections.abc import Set

from colibri.server.settings import Settings
from colibri.server.work import Work

log = logging.getLogger(__name__)

Tasks = Set["asyncio.Task[None]"]


class Ending:
    """First /ready says 503, and for `drain_seconds` after SIGTERM that is all, because a load balancer still sends
    requests. Then nothing new is taken, and the listener stays open, so that /ready goes on saying so, until what runs
    is finished or `grace_seconds` are over. A second signal ends the first part, a second Ctrl-C all of it.
    """

    def __init__(self, work: Work, settings: Settings) -> None:
        self._work = work
        self._settings = settings
        self._signal = 0
        self._closes = 0.0
        self._cut = 0
        self._told = False
        self._left: Tasks | None = None

    def begin(self, number: int) -> None:
        """A signal came. Called in its handler, so nothing is logged here."""
        if self._signal:
            self._closes = min(self._closes, time.monotonic())  # whoever says it twice has no load balancer to wait for
            return
        self._signal = number
        self._work.ending = True
        # Ctrl-C comes from a person who looks on.
        drain = self._settings.drain_seconds if number == signal.SIGTERM else 0.0
        self._closes = time.monotonic() + drain
        self._work.closed = not drain

    def over(self, tasks: Tasks) -> bool:
        """Whether the listener can close. tasks: the requests that are answered just now."""
        if not self._told:
            self._told = True
            name = signal.Signals(self._signal).name
            log.info("%s", name, extra={"fields": {"requests_left": len(tasks), "drain": self._settings.drain_seconds}})
        if time.monotonic() < self._closes:
            return False
        if self._left is None:
            self._work.closed = True
            self._left = set(tasks)
        self._cut = sum(not task.done() for task in self._left)
        return not self._cut or self.seconds_left <= 0

    @property
    def seconds_left(self) -> float:
        """Of the time in which requests may be finished."""
        return max(0.0, self._closes + self._settings.grace_seconds - time.monotonic())

    def done(self) -> None:
        """The last connection is closed."""
        log.info("done", extra={"fields": {"requests_cut_off": self._cut}})
