"""Who is served when: a bounded number of requests, each in slices that take turns.

A request is refused at once when the server is full; one that is admitted works slice by slice, first come first
served, so that a query never waits for the whole of somebody's 2,048 documents. Small slices of one kind that wait at
the same time share a turn: the threads of one encode the texts of many clients. Nothing waits for company.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from colibri.server.problems import busy, shutting_down

T = TypeVar("T")

_NEWEST = 0.2  # weight of the last slice in the measured speed


class Work:
    """The queue in front of the encoders, and how fast they are."""

    def __init__(self, *, places: int, queue: int, wait_seconds: float, texts: int = 1) -> None:
        """places: turns at once. queue: requests that are admitted at once. wait_seconds: as in Settings. texts: of
        slices that share a turn, together at most."""
        self.places = places
        self.texts = texts
        self.queue = queue
        self.admitted = 0
        self.running = 0
        self.ending = False
        """Set when the server has been told to end."""
        self.closed = False
        """Set when it does: nothing new is admitted."""
        self._wait_seconds = wait_seconds
        self._waiting: deque[Slice[Any]] = deque()
        self._owed = 0
        self._speed = 0.0

    @property
    def waiting_seconds(self) -> float:
        """How long what is admitted will take, at the speed of the last slices; 0 while none was measured."""
        return self._owed / self._speed if self._speed else 0.0

    def check(self, *, close: bool = False) -> None:
        """Raises Problem 503 when no request can be admitted. close: the request's body was not read."""
        if self.closed:
            raise shutting_down()
        if self.admitted >= self.queue:
            raise busy(f"{self.admitted} requests are under way, this server takes no more", self._retry(), close=close)

    def check_ready(self) -> None:
        """Raises Problem 503 when nobody should send another request here."""
        if self.ending:
            raise shutting_down()
        self.check()

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
            ticket.left = 0  # what it shared with others may go on

    def _retry(self) -> float:
        return max(1.0, self.waiting_seconds / 2)

    async def turn(self, piece: "Slice[T]") -> T:
        """What became of a slice, when its turn came. A cancellation takes it out, and ends work that was its alone."""
        self._waiting.append(piece)
        self._begin()
        try:
            return await piece.result
        except asyncio.CancelledError:
            if piece.batch is None:
                self._waiting.remove(piece)
            else:
                await piece.batch.leave(piece)
            raise

    def _begin(self) -> None:
        while self.running < self.places and self._waiting:
            batch = _Batch(self._together())
            self.running += 1
            batch.task = asyncio.create_task(self._run(batch))
            batch.task.add_done_callback(self._end)  # also where it is cancelled before it begins

    def _end(self, task: "asyncio.Task[None]") -> None:
        self.running -= 1
        self._begin()

    def _together(self) -> list["Slice[Any]"]:
        """The first that waits, and others of its kind while there is room."""
        first = self._waiting.popleft()
        found, room = [first], self.texts - len(first.texts)
        if first.kind is None or room <= 0:
            return found
        left: deque[Slice[Any]] = deque()
        for piece in self._waiting:
            if piece.kind == first.kind and len(piece.texts) <= room:
                found.append(piece)
                room -= len(piece.texts)
            else:
                left.append(piece)
        self._waiting = left
        return found

    async def _run(self, batch: "_Batch") -> None:
        pieces = list(batch.pieces)
        began = time.perf_counter()
        for piece in pieces:
            piece.ticket.waited += began - piece.asked
        try:
            results = await pieces[0].work([piece.texts for piece in pieces])
        except Exception as error:  # whatever it is, it belongs to who asked
            if len(batch.pieces) == 1:
                batch.pieces.pop().fail(error)
            for piece in reversed(batch.pieces):  # one of them is at fault: each alone
                piece.kind, piece.batch, piece.asked = None, None, time.perf_counter()
                self._waiting.appendleft(piece)
        else:
            self._note(pieces, time.perf_counter() - began)
            for piece, result in zip(pieces, results, strict=True):
                piece.succeed(result)

    def _note(self, pieces: list["Slice[Any]"], seconds: float) -> None:
        for piece in pieces:
            done = min(piece.cost, piece.ticket.left)
            piece.ticket.left -= done
            self._owed -= done
        if seconds > 0:
            speed = sum(piece.cost for piece in pieces) * self.running / seconds
            self._speed += (speed - self._speed) * (_NEWEST if self._speed else 1)


class Slice(Generic[T]):
    """Some texts of a request, and what is to be done with them."""

    def __init__(
        self,
        ticket: "Ticket",
        cost: int,
        work: Callable[[Sequence[Sequence[str]]], Awaitable[Sequence[T]]],
        texts: Sequence[str] = (),
        kind: Hashable | None = None,
    ) -> None:
        """work: the texts of this slice and of those that share its turn -> a result for each. kind: slices of one
        kind may share a turn, and the work of any of them does for all; None: this one is alone."""
        self.ticket, self.cost, self.work, self.texts, self.kind = ticket, cost, work, texts, kind
        self.asked = time.perf_counter()
        self.result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.batch: _Batch | None = None

    def succeed(self, result: T) -> None:
        """Tell who waits, if anybody does still."""
        if not self.result.done():
            self.result.set_result(result)

    def fail(self, error: Exception) -> None:
        """The same, of what went wrong."""
        if not self.result.done():
            self.result.set_exception(error)


class _Batch:
    """Slices that share a turn."""

    def __init__(self, pieces: list[Slice[Any]]) -> None:
        self.pieces = pieces
        self.task: asyncio.Task[None] | None = None
        for piece in pieces:
            piece.batch = self

    async def leave(self, piece: Slice[Any]) -> None:
        """One less that waits for it; without any it ends, and its place is free when this returns."""
        if piece in self.pieces:
            self.pieces.remove(piece)
        if not self.pieces and self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)


class Ticket:
    """One admitted request."""

    def __init__(self, work: Work, cost: int) -> None:
        self._work = work
        self.left = cost
        """Of its cost, what is not done."""
        self.waited = 0.0
        """Seconds its slices waited for their turn, together."""

    async def turn(
        self,
        cost: int,
        work: Callable[[Sequence[Sequence[str]]], Awaitable[Sequence[T]]],
        texts: Sequence[str] = (),
        kind: Hashable | None = None,
    ) -> T:
        """Do one slice when its turn comes. Arguments as in `Slice`."""
        return await self._work.turn(Slice(self, cost, work, texts, kind))


def cost_of(texts: list[str]) -> int:
    """What texts are expected to take: their characters, and the frame of each."""
    return sum(map(len, texts)) + 16 * len(texts)
