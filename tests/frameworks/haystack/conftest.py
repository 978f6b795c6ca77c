"""A store in a folder that encodes with the model that comes along, loaded once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from colibri.compat.haystack import ColibriDocumentStore
from colibri.model import Colibri


@pytest.fixture
def document_store(tmp_path: Path, mini: Colibri) -> Iterator[ColibriDocumentStore]:
    made = ColibriDocumentStore(tmp_path / "index", mini)
    yield made
    made.close()
