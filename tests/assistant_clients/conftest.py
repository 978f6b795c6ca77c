"""Two small indexes, and the command that serves them."""

import sys
from pathlib import Path

import pytest

from colibri import Index
from reference import ARTEFACTS

BIRDS = "The hummingbird drinks nectar. It hovers before a flower."
TINY = str(ARTEFACTS / "tiny-random-bert")


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Made with the tiny model, which is named by its folder."""
    base = tmp_path_factory.mktemp("indexes")
    for name in ("birds", "bread"):
        with Index.open(base / name, TINY) as index:
            index.add([{"id": name, "text": BIRDS}, {"id": "two", "text": "Bread is baked. " * 200}])
    return [base / "birds", base / "bread"]


@pytest.fixture(scope="session")
def words(places: list[Path]) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "colibri", "mcp", *(word for place in places for word in ("--index", str(place)))]
