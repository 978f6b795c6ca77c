"""An answer in pieces, each made when the one before was taken."""

import asyncio
from collections.abc import Iterator

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from colibri.server.http.exchange import ClientGone


class Streamed(Response):
    """JSON made piece by piece; what fits in one has a Content-Length."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__(None, media_type="application/json")
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Raises ClientGone when the client hangs up."""
        piece = next(self._pieces)
        following = next(self._pieces, None)
        headers = [(b"content-type", b"application/json")]
        if following is None:
            headers.append((b"content-length", str(len(piece)).encode()))
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        gone = asyncio.ensure_future(receive())  # the body was read: what comes next is the end of the connection
        try:
            while following is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                # uvicorn's `send` returns at once while its buffer has room: others would wait for all of it.
                await asyncio.sleep(0)
                if gone.done():
                    raise ClientGone
                piece, following = following, next(self._pieces, None)
            await send({"type": "http.response.body", "body": piece})
        finally:
            gone.cancel()
