"""One server for the tests that only ask, and the models it serves, loaded here as well."""

from collections.abc import Iterator

import pytest

import colibri
from colibri.model import Colibri
from live_server import BERT, XLMR, LiveServer
from reference import ARTEFACTS


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Both tiny artefacts, one with an alias; limits that are easy to reach."""
    log = tmp_path_factory.mktemp("server") / "log.jsonl"
    with LiveServer("--alias", f"jina-colbert-v2={XLMR}", "--max-body-mb", "4", log=log) as running:
        yield running


@pytest.fixture(scope="session")
def xlmr() -> Colibri:
    """As the server has it."""
    return colibri.load(ARTEFACTS / XLMR)


@pytest.fixture(scope="session")
def bert() -> Colibri:
    """As the server has it."""
    return colibri.load(ARTEFACTS / BERT)
