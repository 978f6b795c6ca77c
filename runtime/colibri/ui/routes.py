"""The routes of the page and of what it asks for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from colibri.index import Index
from colibri.server import App, Problem, decode, exchange_of, invalid, json_response, route, unread
from colibri.ui.desk import Desk, passage
from colibri.ui.faults import told_whole
from colibri.ui.guard import Guard
from colibri.ui.messages import (
    CodeAnswer,
    CodeRequest,
    Done,
    FileRequest,
    Nothing,
    PassageRequest,
    PathRequest,
    SearchRequest,
    TokenAnswer,
)
from colibri.ui.opening import open_file, reveal
from colibri.ui.page_files import HEADERS, answer, page_files
from colibri.ui.searching import Searching
from colibri.ui.tending import Tending, passed_over

R = TypeVar("R")
K = TypeVar("K")
Answer = Callable[[App, Request], Awaitable[Response]]

_COST = 64


def add_page(app: App, desk: Desk, guard: Guard, *, at_root: bool = False) -> None:
    """The page at /ui/, and its JSON below /ui/api/. at_root: / leads there."""
    routes = _Routes(app, desk, guard)
    app.guard("/ui", guard.check_origin)
    app.add(routes.all())
    if at_root:
        app.add([route(app, "/", _to_page, open_to_all=True)])


async def _to_page(app: App, request: Request) -> Response:
    return RedirectResponse("/ui/", 307)


class _Routes:
    def __init__(self, app: App, desk: Desk, guard: Guard) -> None:
        self._app = app
        self._desk = desk
        self._guard = guard
        self._files = page_files()
        self._searching = Searching(desk)

    def all(self) -> list[Route]:
        """Every route. What is not offered is there all the same, and says so."""
        return [
            self._api("GET", "state", self.state),
            self._api("POST", "search", self.search),
            self._api("POST", "passage", self.passage),
            self._api("POST", "open", self.open),
            self._api("POST", "reveal", self.reveal),
            self._api("POST", "pause", self.pause),
            self._api("POST", "resume", self.resume),
            self._api("POST", "look", self.look),
            self._api("POST", "add", self.add),
            self._api("POST", "forget", self.forget),
            self._api("GET", "passed-over", self.passed_over),
            self._api("POST", "code", self.code),
            self._api("POST", "enter", self.enter, with_token=False),
            route(self._app, "/ui", self.page, open_to_all=True),
            route(self._app, "/ui/{name}", self.page, open_to_all=True),
        ]

    def _api(self, method: str, name: str, endpoint: Answer, *, with_token: bool = True) -> Route:
        async def checked(app: App, request: Request) -> Response:
            exchange_of(request).headers.update({**HEADERS, "cache-control": "no-store"})
            if with_token:
                self._guard.let_in(app, request)
            app.work.check(close=unread(request))
            return await endpoint(app, request)

        return route(self._app, f"/ui/api/{name}", checked, method=method, open_to_all=True)

    async def page(self, app: App, request: Request) -> Response:
        """A file of the page."""
        exchange_of(request).headers.update(HEADERS)
        name = request.path_params.get("name", "")
        if not name and request.scope.get("raw_path", b"/ui/").partition(b"?")[0] == b"/ui":
            return RedirectResponse("/ui/", 308)
        return answer(self._files, name, request)

    async def state(self, app: App, request: Request) -> Response:
        """What there is, and what is being indexed."""
        return json_response(await self._work(request, self._desk.state))

    async def search(self, app: App, request: Request) -> Response:
        """Files, best first. One that the page has given up ends."""
        async with self._asked(request, SearchRequest) as asked:
            with self._app.work.admit(_COST), told_whole(self._desk.index, "filters"):
                return json_response(await app.working(request, self._searching.search(asked)))

    async def passage(self, app: App, request: Request) -> Response:
        """A passage in its context."""
        async with self._asked(request, PassageRequest) as asked:
            return json_response(await self._work(request, lambda: passage(self._desk.index, asked)))

    async def open(self, app: App, request: Request) -> Response:
        """A file, by the program that this desktop has for it."""
        return await self._opened(request, open_file)

    async def reveal(self, app: App, request: Request) -> Response:
        """The folder of a file."""
        return await self._opened(request, reveal)

    async def _opened(self, request: Request, opens: Callable[[Index, str], None]) -> Response:
        async with self._asked(request, FileRequest) as asked:
            if not self._desk.can_open:
                raise Problem(403, "UI_FORBIDDEN", "files are on the server's machine, which opens none for others")
            await self._work(request, lambda: opens(self._desk.index, asked.id))
            return json_response(Done())

    async def pause(self, app: App, request: Request) -> Response:
        """No more indexing until `resume`."""
        return await self._tended(request, Nothing, lambda tending, _: tending.follower.pause())

    async def resume(self, app: App, request: Request) -> Response:
        """Go on."""
        return await self._tended(request, Nothing, lambda tending, _: tending.follower.resume())

    async def look(self, app: App, request: Request) -> Response:
        """Look at all folders now."""
        return await self._tended(request, Nothing, lambda tending, _: tending.follower.look_now())

    async def add(self, app: App, request: Request) -> Response:
        """One more folder."""
        return await self._tended(request, PathRequest, lambda tending, asked: tending.add(asked.path))

    async def forget(self, app: App, request: Request) -> Response:
        """A folder less."""
        return await self._tended(request, PathRequest, lambda tending, asked: tending.forget(asked.path))

    async def _tended(self, request: Request, kind: type[K], act: Callable[[Tending, K], object]) -> Response:
        """act: what it gives as a text is said."""
        async with self._asked(request, kind) as asked:
            tending = self._desk.tending
            if tending is None:
                why = self._desk.note or "this page only searches; who runs the server indexes"
                raise Problem(403, "UI_FORBIDDEN", why)
            said = await self._work(request, lambda: act(tending, asked))
            return json_response(Done(note=said) if isinstance(said, str) else Done())

    async def passed_over(self, app: App, request: Request) -> Response:
        """What is not in the index, and why."""
        offset, limit = (_number(request, name, *bounds) for name, bounds in _PARTS.items())
        return json_response(await self._work(request, lambda: passed_over(self._desk.index, offset, limit)))

    async def code(self, app: App, request: Request) -> Response:
        """For an address that is handed to a browser."""
        async with self._asked(request, Nothing):
            return json_response(CodeAnswer(code=self._guard.new_code()))

    async def enter(self, app: App, request: Request) -> Response:
        """The token, for whoever has a code."""
        async with self._asked(request, CodeRequest) as asked:
            return json_response(TokenAnswer(token=self._guard.exchange(asked.code)))

    @asynccontextmanager
    async def _asked(self, request: Request, kind: type[K]) -> AsyncIterator[K]:
        async with self._app.bodies.read(request) as body:
            yield decode(body, kind, self._app.settings)

    async def _work(self, request: Request, work: Callable[[], R]) -> R:
        """What it gives, in a thread. Problems of the index are said as the server's other routes do."""
        with self._app.work.admit(_COST), told_whole(self._desk.index, ""):
            found: R = await self._app.working(request, asyncio.to_thread(work))
            return found


_PARTS = {"offset": (0, 0, 1_000_000), "limit": (100, 1, 1_000)}
"""What is asked for where nothing is said, the least and the most."""


def _number(request: Request, name: str, usual: int, least: int, most: int) -> int:
    said = request.query_params.get(name)
    if said is None:
        return usual
    if not (said.isascii() and said.isdecimal() and len(said) < 8 and least <= int(said) <= most):
        raise invalid(name, f"wanted a whole number from {least:,} to {most:,}")
    return int(said)
