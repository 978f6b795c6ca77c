"""The local index is a Store, whatever it keeps its rows as."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from colibri import Index
from store_contract import DIM, SPACE, StoreContract


class TestIndex(StoreContract):
    """With the fixture `store` of conftest.py."""


class TestInt4Index(StoreContract):
    """An index of int4 rows."""

    value_error = 0.5 / 7 + 0.04
    """Half a step of 1/7, and what the fitted scale takes off the largest value."""
    score_error = 0.35

    @pytest.fixture
    def store(self, place: Path) -> Iterator[Index]:
        """An empty index."""
        with Index.open(place, dim=DIM, space_id=SPACE, rows="int4") as index:
            yield index
