"""What the stores' tests with Qdrant's own packages share."""

from collections.abc import Iterator

import pytest
from qdrant_client import QdrantClient

import colibri
from colibri.model import Colibri
from scripted_server import ScriptedServer


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def local() -> QdrantClient:
    """The client's local mode."""
    return QdrantClient(":memory:")


@pytest.fixture(scope="session")
def mini() -> Colibri:
    """colibri-mini, which weighs its query's tokens."""
    return colibri.load()
