"""Reading what clients send, within bounds of size, of time, and of all bodies together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from colibri.server.http.exchange import ClientGone
from colibri.server.problems import Problem, busy
from colibri.server.settings import Settings

_DISCARDED_BYTES = 1 << 20  # of a refused request that are read, so that its connection goes on


class Bodies:
    """All bodies that a server holds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The body of a request; it counts as held while the context lasts.

        Raises Problem: 415 for what is not plain JSON, 413, 408, 503 where it is too large, slow, or one too many;
        ClientGone.
        """
        _check_headers(request, self._settings)
        lease = _Lease()
        try:
            yield await self._read(request, lease)
        finally:
            self._held -= lease.size

    async def _read(self, request: Request, lease: "_Lease") -> bytes:
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                async for part in request.stream():
                    lease.size += len(part)
                    self._held += len(part)
                    parts.append(part)
                    if lease.size > self._settings.body_bytes:
                        raise _too_large(self._settings)
                    if self._held > self._settings.bodies_bytes:
                        raise busy("the requests under way are too large together", 5, close=True)
        except TimeoutError:
            detail = f"the body took longer than {self._settings.body_seconds:g} s"
            raise Problem(408, "REQUEST_TIMEOUT", detail, close=True) from None
        except ClientDisconnect:
            raise ClientGone from None
        return b"".join(parts)


@dataclass
class _Lease:
    size: int = 0


def unread(request: Request) -> bool:
    """Whether a request that is refused now leaves so much on its connection that it has to be closed."""
    length = request.headers.get("content-length", "")
    return not (length.isascii() and length.isdecimal()) or int(length[:20]) > _DISCARDED_BYTES


def _check_headers(request: Request, settings: Settings) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # A browser sends any other type to another site without asking; with this one it asks, and is not allowed.
    if kind != "application/json":
        found = kind[:80] or "no content-type"
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", f"found {found}, wanted application/json", close=unread(request))
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", "bodies are taken uncompressed only", close=unread(request))
    length = request.headers.get("content-length", "0")
    if int(length[:20]) > settings.body_bytes:  # h11 has made sure that it is a number
        raise _too_large(settings)


def _too_large(settings: Settings) -> Problem:
    detail = f"the body is larger than the {settings.body_bytes:,} bytes this server takes"
    return Problem(413, "PAYLOAD_TOO_LARGE", detail, close=True)
