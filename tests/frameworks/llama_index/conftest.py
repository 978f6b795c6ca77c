"""Places of ours that LlamaIndex's classes stand over: an index, and Qdrant's local mode."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient

import colibri
from colibri.stores import QdrantStore


@pytest.fixture(scope="session")
def mini() -> colibri.Colibri:
    """The model that comes along."""
    return colibri.load()


@pytest.fixture(params=["index", "qdrant"])
def place(request: pytest.FixtureRequest, tmp_path: Path, mini: colibri.Colibri) -> Iterator[Any]:
    """An index or store without documents."""
    if request.param == "index":
        with colibri.Index.open(tmp_path / "index", mini) as made:
            yield made
        return
    with QdrantStore(QdrantClient(":memory:"), "notes", model=mini) as store:
        yield store
