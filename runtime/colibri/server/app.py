"""The ASGI application: who may ask, what every answer carries, and what becomes of errors."""

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

from colibri.server.access.gate import check_key, found_key
from colibri.server.access.keys import KeyRing, KeyScope
from colibri.server.access.rates import Rates
from colibri.server.http import logs
from colibri.server.http.bodies import Bodies, unread
from colibri.server.http.exchange import ABANDONED, ANY_METHOD, UNKNOWN_ROUTE, ClientGone, Exchange, exchange_of
from colibri.server.http.metrics import Metrics
from colibri.server.http.paths import Paths
from colibri.server.models import Models
from colibri.server.problems import Problem
from colibri.server.settings import Settings
from colibri.server.work import Work

log = logging.getLogger(__name__)

T = TypeVar("T")

_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 << 20
_OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]", "::1")


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What is said where there is nothing, and what to do instead. As it stands: of `colibri serve`."""

    other_host: str = "without keys this server answers only to the name localhost; --without-keys lifts that"
    no_route: str = "there is no such route; GET /openapi.json lists them"


class App:
    """One server's state, and the ASGI application around its routes."""

    def __init__(
        self,
        models: Models,
        settings: Settings,
        *,
        keys: KeyRing | None = None,
        any_host: bool = True,
        places: int = 4,
        hints: Hints | None = None,
    ) -> None:
        """any_host: False refuses requests whose Host is not this machine's own name for itself, so that a web page
        cannot reach a server without keys under a name of its own. places: slices encoded at once."""
        self.models = models
        self.settings = settings
        self.keys = keys
        self.rates = Rates()
        self.bodies = Bodies(settings)
        self.metrics = Metrics(models.loaded)
        self.work = Work(
            places=places, queue=settings.queue, wait_seconds=settings.wait_seconds, texts=settings.slice_texts
        )
        self._any_host = any_host
        self._hints = hints or Hints()
        self._router = Router(redirect_slashes=False)  # to where its Host header says
        self._paths = Paths()
        self._guards: dict[str, Callable[[Scope], None]] = {}

    def guard(self, path: str, check: Callable[[Scope], None]) -> None:
        """Have a check of their own for requests of a path and all below, in place of that of their Host."""
        self._guards[path] = check

    def add(self, routes: Sequence[BaseRoute]) -> None:
        """More routes."""
        self._router.routes.extend(routes)
        self._paths.add(route.path for route in routes if isinstance(route, Route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange.of(scope)
        scope.update({"app": self, "colibri.exchange": exchange, "path": self._paths.plain(scope["path"])})
        sending = exchange.sender(send)
        try:
            try:
                self._check(scope)
                await self._router(scope, receive, sending)
            except HTTPException as error:
                raise _of_router(error, self._hints.no_route) from None
        except Problem as problem:
            await self._answer(problem, exchange, scope, receive, sending)
        except ClientGone:
            exchange.status = ABANDONED
            self.metrics.abandoned.inc()
        # A bug: the client gets an answer and the log the place. Not the message, which may quote a text.
        except Exception as error:
            frames = traceback.format_tb(error.__traceback__)
            log.error("%s", type(error).__name__, extra={"fields": {"request_id": exchange.request_id, "at": frames}})
            if exchange.status:
                raise ConnectionAbortedError("an answer broke off") from None
            bug = Problem(500, "INTERNAL_ERROR", "an error of the server; its log says where")
            await self._answer(bug, exchange, scope, receive, sending)
        finally:
            self._note(exchange)

    async def _answer(self, problem: Problem, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        exchange.code = problem.code
        exchange.headers |= problem.headers
        self.metrics.errors.labels(problem.code).inc()
        body = problem.body(exchange.request_id)
        if not problem.close:
            await Response(body, problem.status, media_type="application/json")(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        # Whoever is still sending would get a reset instead of the answer, if the connection were closed at once.
        await _discard(receive)
        await send({"type": "http.response.body", "body": b""})

    def _note(self, exchange: Exchange) -> None:
        fields = exchange.fields()
        self.metrics.requests.labels(exchange.route, _method(exchange), str(exchange.status)).inc()
        self.metrics.seconds.labels(exchange.route).observe(fields["seconds"])
        level = logging.DEBUG if exchange.route in {"/health", "/live", "/ready", "/metrics"} else logging.INFO
        logs.requests.log(level, "request", extra={"fields": fields})

    def _check(self, scope: Scope) -> None:
        for path, check in self._guards.items():
            if f"{scope['path']}/".startswith(f"{path}/"):
                check(scope)
                return
        self._check_host(scope)

    def _check_host(self, scope: Scope) -> None:
        if self._any_host:
            return
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name.lower() not in _OWN_HOSTS:
            raise Problem(421, "MISDIRECTED_REQUEST", self._hints.other_host, close=True)

    def authorise(self, request: Request, scope: KeyScope | None = None, *, header: str | None = None) -> None:
        """Refuse who has no key, where keys are wanted, one that is not for this, or asks too often.

        scope: which the key must have; None: any key will do. header: one that holds the key alone, in place of
        Authorization. Raises Problem 401, 403, 429.
        """
        if self.keys is None:
            return
        exchange = exchange_of(request)
        given = request.headers.getlist(header or "authorization")
        key = found_key(self.keys, given, alone=header)
        exchange.key = key
        check_key(key, scope, close=unread(request))
        exchange.headers |= self.rates.ask(key)

    def spend(self, request: Request, tokens: int) -> None:
        """Count tokens towards the limit of the request's key."""
        exchange = exchange_of(request)
        if exchange.key is not None:
            self.rates.spend(exchange.key, tokens)
            exchange.headers |= self.rates.headers(exchange.key)

    async def working(self, request: Request, work: Coroutine[Any, Any, T]) -> T:
        """The result of some work; it is ended when the client hangs up or time is over.

        Raises ClientGone, or Problem 504.
        """
        task = asyncio.create_task(work)
        gone = asyncio.create_task(_disconnection(request))
        try:
            done, _ = await asyncio.wait(
                {task, gone}, timeout=self.settings.request_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if task in done:
                return task.result()
            if gone in done:
                raise ClientGone
            raise Problem(504, "SERVICE_TIMEOUT", f"not done within {self.settings.request_seconds:g} s")
        finally:
            gone.cancel()
            if task.cancel():
                # Its place is free when it has ended, and not before.
                await asyncio.gather(task, return_exceptions=True)


async def _disconnection(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _discard(receive: Receive) -> None:
    size = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while size < _LINGER_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _method(exchange: Exchange) -> str:
    return exchange.method if exchange.route != UNKNOWN_ROUTE else ANY_METHOD


def _of_router(error: HTTPException, no_route: str) -> Problem:
    if error.status_code == 405:
        return Problem(405, "METHOD_NOT_ALLOWED", "this route has no such method", headers=error.headers)
    return Problem(404, "RESOURCE_NOT_FOUND", no_route)
