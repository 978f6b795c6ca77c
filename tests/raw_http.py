"""What no client of HTTP sends: bytes as they are, to a server of the tests."""

import json
import socket

from live_server import XLMR, LiveServer

GOOD = json.dumps({"model": XLMR, "input": "a bird"}).encode()


def raw(server: LiveServer, data: bytes) -> bytes:
    """Send bytes, and read until the server closes the connection."""
    with socket.create_connection(server.address, timeout=120) as connection:
        connection.sendall(data)
        return read_to_end(connection)


def read_to_end(connection: socket.socket) -> bytes:
    """All that comes until the other side closes, or is gone."""
    parts = []
    try:
        while part := connection.recv(1 << 16):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def head(length: int | str, *lines: str, path: str = "/v1/embeddings") -> bytes:
    """Headers of a request with a body of so many bytes ("": without saying how many)."""
    kept = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *lines]
    kept += [f"Content-Length: {length}"] if length != "" else []
    return "\r\n".join([*kept, "", ""]).encode()


def still_serves(server: LiveServer) -> bool:
    """Whether a good request is answered."""
    return server.call("/v1/embeddings", GOOD).status == 200
