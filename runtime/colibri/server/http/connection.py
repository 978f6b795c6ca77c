"""uvicorn's HTTP/1.1 connection with time limits it does not have: for headers, and for clients that do not read."""

import asyncio
import contextlib
import uuid
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from colibri.server.http import logs
from colibri.server.http.exchange import ANY_METHOD, UNKNOWN_ROUTE
from colibri.server.http.metrics import Metrics
from colibri.server.problems import Problem
from colibri.server.settings import Settings

_LAST_CALL_SECONDS = 0.25  # when the server ends: for requests that are on their way on idle connections


def limited(settings: Settings, metrics: Metrics) -> type[H11Protocol]:
    """The class of a server's connections.

    Headers have `header_seconds` from the first byte of a connection or of its next request, whether bytes keep coming
    or not; so has what is left of a request's body when it was answered (a refused one, mostly). An answer has
    `write_seconds` for each time the client must take what was written before more is; then the connection is aborted,
    because closing it would wait for the same client. More than `connections` are refused.
    """

    class Limited(H11Protocol):
        def __init__(
            self,
            config: Config,
            server_state: ServerState,
            app_state: dict[str, Any],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> None:
            super().__init__(config, server_state, app_state, _loop)
            self._headers_due: asyncio.TimerHandle | None = None
            self._draining = False
            self._reading_due: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            metrics.connections.set(len(self.connections))
            if len(self.connections) > settings.connections:
                transport.abort()
                return
            self._expect_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            _cancel(self._headers_due)
            self._headers_due = None
            _cancel(self._reading_due)
            self._reading_due = None
            super().connection_lost(exc)
            metrics.connections.set(len(self.connections))

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch_headers()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # The next request may have come with this one.
            self._watch_headers()

        def send_400_response(self, msg: str) -> None:
            """What is no HTTP is answered like everything else, where an answer can still be given."""
            problem, request_id = Problem(400, "INVALID_HTTP", msg), uuid.uuid4().hex
            body = problem.body(request_id)
            headers = {"content-type": "application/json", "connection": "close", "content-length": str(len(body))}
            headers["x-request-id"] = request_id
            metrics.errors.labels(problem.code).inc()
            metrics.requests.labels(UNKNOWN_ROUTE, ANY_METHOD, str(problem.status)).inc()
            fields = {"request_id": request_id, "route": UNKNOWN_ROUTE, "status": problem.status, "code": problem.code}
            logs.requests.info("request", extra={"fields": fields})
            with contextlib.suppress(h11.LocalProtocolError):  # an answer was under way
                response = h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")
                for event in (response, h11.Data(data=body), h11.EndOfMessage()):
                    self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

        def _watch_headers(self) -> None:
            answered = self.cycle is not None and self.cycle.response_complete
            draining = answered and self.conn.their_state is h11.SEND_BODY
            if self.transport.is_closing() or draining != self._draining or not (draining or self._between_requests()):
                _cancel(self._headers_due)
                self._headers_due = None
            self._draining = draining
            if self._headers_due is None and (draining or (self._between_requests() and self.conn.trailing_data[0])):
                self._expect_headers()

        def _between_requests(self) -> bool:
            return self.cycle is None or (self.cycle.response_complete and self.conn.their_state is h11.IDLE)

        def _expect_headers(self) -> None:
            if not self.transport.is_closing():
                self._headers_due = self.loop.call_later(settings.header_seconds, self.transport.abort)

        def pause_writing(self) -> None:
            super().pause_writing()
            if self._reading_due is None:
                self._reading_due = self.loop.call_later(settings.write_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            _cancel(self._reading_due)
            self._reading_due = None
            super().resume_writing()

        def shutdown(self) -> None:
            """Idle connections may say one thing more: a request already on its way gets an answer, not a reset."""
            if self._between_requests() and not self.transport.is_closing():
                self.loop.call_later(_LAST_CALL_SECONDS, self._end)
            else:
                super().shutdown()

        def _end(self) -> None:
            if not self.transport.is_closing():
                super().shutdown()

    return Limited


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
