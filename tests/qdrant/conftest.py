"""What the stores' tests with Qdrant's own packages share."""

from collections.abc import Iterator

import pytest
from qdrant_client import QdrantClient

import colibri
from colibri.model import Colibri
from colibri_export.pipeline import export
from jina_layout import Sizes, write_checkpoint
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


@pytest.fixture(scope="session")
def unweighted(tmp_path_factory: pytest.TempPathFactory) -> Colibri:
    """Random, in jina-colbert-v2's exact layout, exported here: it gives its query's tokens no weights."""
    folder = tmp_path_factory.mktemp("jina")
    sizes = Sizes(layers=2, hidden=64, heads=4, intermediate=128)
    write_checkpoint(folder / "checkpoint", sizes)
    export(folder / "checkpoint", folder / "artefact", variant_names=["cpu-int8"], doc_max_length=64)
    return colibri.load(folder / "artefact")
