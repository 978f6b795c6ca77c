"""The store contract over qdrant-client's local mode (request shapes, not a server) and over Qdrant Edge for real."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from colibri.stores import QdrantEdgeStore, QdrantStore, Store
from store_contract import DIM, SPACE, StoreContract


class TestQdrantStore(StoreContract):
    """A new collection."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        with QdrantStore(QdrantClient(":memory:"), "contract", space_id=SPACE, dims=DIM) as store:
            yield store


class TestQdrantEdgeStore(StoreContract):
    """The engine itself, in its own process."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with QdrantEdgeStore(tmp_path / "edge", space_id=SPACE, dims=DIM) as store:
            yield store
