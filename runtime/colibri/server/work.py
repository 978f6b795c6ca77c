"""Who is served when: a bounded number of requests, each in slices that take turns.

A request is refused at once when the server is full; one that is admitted works slice by slice, first come first
served, so that a query never waits for the whole of somebody's 2,048 documents.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from colibri.server.problems import busy

T = TypeVar("T")

_NEWEST = 0.2  # weight of the last slice in the measured speed


class Work:
    """The queue in front of the encoders, and how fast they are."""

    def __init__(self, *, places: int, queue: int, wait_seconds: float) -> None:
        """places: slices that run at once. queue: requests that are admitted at once. wait_seconds: as in Settings."""
        self.places = places
        self.queue = queue
        self.admitted = 0
        self.running = 0
        self.closed = False
        """Set when the server ends: nothing new is admitted."""
        self._wait_seconds = wait_seconds
        self._turns = asyncio.Semaphore(places)
        self._owed = 0
        self._speed = 0.0

    @property
    def waiting_seconds(self) -> float:
        """How long what is admitted will take, at the speed of the last slices; 0 while none was measured."""
        return self._owed / self._speed if self._speed else 0.0

    def check(self, *, close: bool = False) -> None:
        """Raises Problem 503 when no request can be admitted. close: the request's body was not read."""
        if self.closed:
            raise busy("the server is shutting down", 5, close=True)
        if self.admitted >= self.queue:
            raise busy(f"{self.admitted} requests are under way, this server takes no more", self._retry(), close=close)

    @contextmanager
    def admit(self, cost: int) -> Iterator["Ticket"]:
        """Room for one request while the context lasts. cost: characters of its texts, and some for each.

        Raises Problem 503, with the time after which to ask again, when there is none.
        """
        self.check()
        if self.admitted and self.waiting_seconds > self._wait_seconds:
            raise busy(f"{self.waiting_seconds:.0f} s of work are ahead of this request", self._retry())
        ticket = Ticket(self, cost)
        self.admitted += 1
        self._owed += cost
        try:
            yield ticket
        finally:
            self.admitted -= 1
            self._owed -= ticket.left

    def _retry(self) -> float:
        return max(1.0, self.waiting_seconds / 2)

    async def turn(self, ticket: "Ticket", cost: int, work: Callable[[], Awaitable[T]]) -> T:
        """Wait for a place, do it, and note how long it took."""
        asked = time.perf_counter()
        async with self._turns:
            began = time.perf_counter()
            ticket.waited += began - asked
            self.running += 1
            try:
                return await work()
            finally:
                took = (time.perf_counter() - began) / self.running
                self.running -= 1
                done = min(cost, ticket.left)
                ticket.left -= done
                self._owed -= done
                if took > 0:
                    speed = cost / took
                    self._speed += (speed - self._speed) * (_NEWEST if self._speed else 1)


class Ticket:
    """One admitted request."""

    def __init__(self, work: Work, cost: int) -> None:
        self._work = work
        self.left = cost
        """Of its cost, what is not done."""
        self.waited = 0.0
        """Seconds its slices waited for their turn, together."""

    async def turn(self, cost: int, work: Callable[[], Awaitable[T]]) -> T:
        """Do one slice when its turn comes."""
        return await self._work.turn(self, cost, work)


def cost_of(texts: list[str]) -> int:
    """What texts are expected to take: their characters, and the frame of each."""
    return sum(map(len, texts)) + 16 * len(texts)
