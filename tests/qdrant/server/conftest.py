"""A real Qdrant server or cluster, named by the environment; nothing else is needed, and nothing is left behind.

QDRANT_URL          of a server, or of one node of a cluster; without it every test here is skipped, and says so
QDRANT_API_KEY      its key, where it has one
QDRANT_URLS         of several nodes of one cluster, separated by commas: tests with two or more of them
QDRANT_NODE_STOP    shell commands that take a node away (not the one at QDRANT_URL) and bring it back: tests of a
QDRANT_NODE_START   node that goes away in the middle of an ingest
QDRANT_GRPC_PORT    the contract over gRPC as well
"""

import os
import uuid
from collections.abc import Callable, Iterator

import pytest
from qdrant_client import QdrantClient

Connect = Callable[[str], QdrantClient]

URL = os.environ.get("QDRANT_URL", "")
URLS = [url.strip() for url in os.environ.get("QDRANT_URLS", "").split(",") if url.strip()]
STOP, START = os.environ.get("QDRANT_NODE_STOP", ""), os.environ.get("QDRANT_NODE_START", "")


@pytest.fixture
def connect() -> Iterator[Connect]:
    """A client at a URL, with the key of the environment."""
    clients: list[QdrantClient] = []

    def connected(url: str) -> QdrantClient:
        key = os.environ.get("QDRANT_API_KEY") or None
        port = None if url.count(":") > 1 else 6333 if url.startswith("http://") else 443
        clients.append(QdrantClient(url=url, api_key=key, timeout=60, **({} if port is None else {"port": port})))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def server(connect: Connect) -> QdrantClient:
    """The one at QDRANT_URL."""
    if not URL:
        pytest.skip("no QDRANT_URL: the server's tests have no server")
    return connect(URL)


@pytest.fixture
def collection(server: QdrantClient) -> Iterator[str]:
    """The name of a collection of this test's own, removed in the end."""
    name = f"colibri-test-{uuid.uuid4().hex}"
    yield name
    server.delete_collection(name)


@pytest.fixture
def nodes(server: QdrantClient) -> list[str]:
    """URLs of two nodes or more."""
    if len(URLS) < 2:
        pytest.skip("QDRANT_URLS names fewer than two nodes")
    return URLS


@pytest.fixture
def hooks(server: QdrantClient) -> tuple[str, str]:
    """The commands that take a node away and bring it back."""
    if not (STOP and START):
        pytest.skip("no QDRANT_NODE_STOP and QDRANT_NODE_START")
    return STOP, START
