"""The routes of the page and of what it asks for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from colibri.server import App, decode, exchange_of, json_response, route, told, unread
from colibri.ui.desk import Desk
from colibri.ui.guard import Guard
from colibri.ui.messages import PassageRequest, SearchRequest
from colibri.ui.page_files import HEADERS, answer, page_files

R = TypeVar("R")
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
        self._one = asyncio.Lock()

    def all(self) -> list[Route]:
        """Every route."""
        return [
            self._api("GET", "state", self.state),
            self._api("POST", "search", self.search),
            self._api("POST", "passage", self.passage),
            route(self._app, "/ui", self.page, open_to_all=True),
            route(self._app, "/ui/{name}", self.page, open_to_all=True),
        ]

    def _api(self, method: str, name: str, endpoint: Answer) -> Route:
        async def checked(app: App, request: Request) -> Response:
            exchange_of(request).headers.update({**HEADERS, "cache-control": "no-store"})
            self._guard.check_token(request)
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
        """Files, best first."""
        async with app.bodies.read(request) as body:
            asked = decode(body, SearchRequest, app.settings)
            return json_response(await self._work(request, lambda: self._desk.search(asked)))

    async def passage(self, app: App, request: Request) -> Response:
        """A passage in its context."""
        async with app.bodies.read(request) as body:
            asked = decode(body, PassageRequest, app.settings)
            return json_response(await self._work(request, lambda: self._desk.passage(asked)))

    async def _work(self, request: Request, work: Callable[[], R]) -> R:
        """What it gives, in a thread. Problems of the index are said as the server's other routes do."""
        with self._app.work.admit(_COST), told(self._desk.index, "filters"):
            found: Any = await self._app.working(request, asyncio.to_thread(work))
            return found  # type: ignore[no-any-return]
