"""A client of bare HTTP/1.1 that costs little: it reads answers to their end and looks at their status only."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """One answer. seconds: from the first byte sent to the last one read."""

    status: int
    seconds: float
    size: int


class Connection:
    """A connection that is kept."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes) -> Reply:
        """Send a request and read its answer."""
        began = time.perf_counter()
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection(*self._address, limit=1 << 20)
        assert self._reader is not None
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await self._writer.drain()
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        size = await self._body(headers)
        if headers.get("connection") == "close":
            self.close()
        return Reply(int(lines[0].split()[1]), time.perf_counter() - began, size)

    async def _body(self, headers: dict[str, str]) -> int:
        assert self._reader is not None
        if "content-length" in headers:
            return len(await self._reader.readexactly(int(headers["content-length"])))
        size = 0
        while chunk := int(await self._reader.readuntil(b"\r\n"), 16):
            await self._reader.readexactly(chunk + 2)
            size += chunk
        await self._reader.readexactly(2)
        return size

    def close(self) -> None:
        """Let go of it."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


async def closed_loop(address: tuple[str, int], path: str, bodies: Sequence[bytes], clients: int) -> list[Reply]:
    """Every body once, by so many clients, each of which asks when its last answer is there."""
    waiting = iter(bodies)
    replies: list[Reply] = []

    async def client() -> None:
        connection = Connection(address)
        for body in waiting:
            replies.append(await connection.post(path, body))
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return replies


async def open_loop(address: tuple[str, int], path: str, body: bytes, *, a_second: float, count: int) -> list[Reply]:
    """So many requests a second, whether earlier ones are answered or not, each on a connection of its own."""

    async def one(after: float) -> Reply:
        await asyncio.sleep(after)
        connection = Connection(address)
        try:
            return await connection.post(path, body)
        finally:
            connection.close()

    return await asyncio.gather(*(one(i / a_second) for i in range(count)))


async def unfinished(address: tuple[str, int], count: int) -> list[asyncio.StreamWriter]:
    """Connections whose headers never end."""
    writers = []
    for _ in range(count):
        _, writer = await asyncio.open_connection(*address)
        writer.write(b"POST /v1/rerank HTTP/1.1\r\nHost: localhost\r\nX-")
        writers.append(writer)
    return writers


def as_json(**fields: object) -> bytes:
    """A body."""
    return json.dumps(fields).encode()
