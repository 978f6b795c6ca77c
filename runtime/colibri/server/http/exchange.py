"""One request and its answer: its id, its log line, its metrics, and what every answer carries."""

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.types import Message, Scope, Send

from colibri.server.access.keys import Key

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
UNKNOWN_ROUTE = "(none)"
ANY_METHOD = "(any)"
"""For a metric: anything can be sent as a method."""
ABANDONED = 499
"""What is logged for a client that hung up, as nginx does."""


class ClientGone(Exception):
    """The client hung up: there is nobody to answer."""


@dataclass
class Exchange:
    """What is known of a request by the time it is answered. None of its fields holds what was sent."""

    request_id: str
    method: str
    route: str = UNKNOWN_ROUTE
    """As the routes spell it; a path can hold anything."""
    status: int = 0
    code: str | None = None
    key: Key | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """Added to the answer."""
    about: dict[str, Any] = field(default_factory=dict)
    """Counts and names for the log."""
    began: float = field(default_factory=time.perf_counter)
    finished: bool = False
    """Whether the answer's end was handed to the connection."""

    @classmethod
    def of(cls, scope: Scope) -> "Exchange":
        """Of a new request; a client's own X-Request-ID is kept when it is harmless."""
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = given.decode("ascii") if _ID.fullmatch(given) else uuid.uuid4().hex
        return cls(request_id, scope["method"])

    def sender(self, send: Send) -> Send:
        """`send`, with what every answer carries."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                ours = {"x-request-id": self.request_id, "x-content-type-options": "nosniff", **self.headers}
                message["headers"] = [
                    *message.get("headers", []),
                    *((name.encode("latin-1"), value.encode("latin-1")) for name, value in ours.items()),
                ]
            await send(message)
            self.finished = message["type"] == "http.response.body" and not message.get("more_body", False)

        return sending

    def fields(self) -> dict[str, Any]:
        """For the log."""
        found: dict[str, Any] = {"request_id": self.request_id, "method": self.method, "route": self.route}
        found |= {"status": self.status, "seconds": round(time.perf_counter() - self.began, 4)}
        if self.key is not None:
            found["key"] = self.key.name
        if self.code is not None:
            found["code"] = self.code
        return found | self.about


def exchange_of(request: Request) -> Exchange:
    """The exchange a request belongs to."""
    found: Exchange = request.scope["colibri.exchange"]
    return found
