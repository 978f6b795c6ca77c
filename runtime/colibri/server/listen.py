"""From a host and a port to a server that ends well."""

import asyncio
import contextlib
import ipaddress
import math
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from colibri.errors import InputError
from colibri.server.app import App
from colibri.server.ending import Ending
from colibri.server.http.connection import limited

_BACKLOG = 2048
_HEADERS_BYTES = 64 << 10
# Python lets a thread that computes in it go on for 5 ms before another may: so long a worker would wait after each
# text for the thread that writes answers. 3 % of the throughput (benchmarks/NOTES.md).
_SWITCH_SECONDS = 0.0005
_MOST_CONNECTIONS = 64
_GRACE_SECONDS = 5
_TICK_SECONDS = 0.1  # as often as uvicorn looks whether it shall end


def bound(host: str, port: int) -> socket.socket:
    """A socket that has its address and does not listen yet. Raises InputError when it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, OverflowError, UnicodeError) as error:
        raise InputError(f"{host}:{port}: cannot listen there ({getattr(error, 'strerror', None) or error})") from error
    return listener


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can reach it."""
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def url(listener: socket.socket) -> str:
    """How to reach it."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextlib.contextmanager
def _handling(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """What ends a server goes to it meanwhile."""
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """uvicorn's, which ends its process with the signal that ended it; ours ends with 0."""

    def __init__(self, config: uvicorn.Config, ending: Ending, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending = ending
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with _handling(self.handle_exit):
            yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._ending.begin(sig)
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        ticks = 0
        while not (self._ending.over(self.server_state.tasks) or self.force_exit):
            await asyncio.sleep(_TICK_SECONDS)
            ticks += 1
            await self.on_tick(ticks)  # the time in its answers' headers goes on
        self.config.timeout_graceful_shutdown = math.ceil(self._ending.seconds_left)
        await super().shutdown(sockets)
        self._ending.done()


def run(app: App, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; then what runs is finished as `Ending` says."""

    sys.setswitchinterval(_SWITCH_SECONDS)

    async def serve() -> None:
        # Each slice that runs has a thread of its own; scores and the tokens of answers need one now and then.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(app.work.places + 4, "colibri-slice"))
        await _Server(config, Ending(app.work, app.settings), announce).serve([listener])

    settings = app.settings
    config = uvicorn.Config(
        app,
        http=limited(settings, app.metrics),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=int(settings.keep_alive_seconds),
        h11_max_incomplete_event_size=_HEADERS_BYTES,
    )
    asyncio.run(serve())


class _Foreign(uvicorn.Server):
    """uvicorn's, which ends its process with the signal that ended it; ours ends with 0."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_start()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with _handling(self.handle_exit):
            yield


def run_foreign(app: ASGIApp, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Serve an application that is not an `App`, its lifespan included, until SIGTERM or Ctrl-C."""
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=_HEADERS_BYTES,
    )
    asyncio.run(_Foreign(config, announce).serve([listener]))
