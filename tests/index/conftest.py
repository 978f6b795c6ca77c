"""Indexes of ready vectors, eight wide."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from colibri import Index
from store_contract import DIM, SPACE


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where an index may be made."""
    return tmp_path / "some.index"


@pytest.fixture
def store(place: Path) -> Iterator[Index]:
    """An empty index."""
    with Index.open(place, dim=DIM, space_id=SPACE) as index:
        yield index
