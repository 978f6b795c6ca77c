"""A server with a key, and clients that are told to be quiet before they are loaded."""

import os
from collections.abc import Iterator

import pytest

import colibri
from colibri.model import Colibri
from colibri.server.access import keys
from live_server import LiveServer

# Each of them would use the network by itself: for usage reports, and litellm for a list of prices.
os.environ |= {
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "ANONYMIZED_TELEMETRY": "False",
}


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, str]]:
    """colibri-mini under the name that these clients know, and the key that lets them in."""
    folder = tmp_path_factory.mktemp("server")
    secret = keys.add_key(folder / "keys.json", "clients")
    words = ("--keys-file", str(folder / "keys.json"), "--alias", "jina-colbert-v2=colibri-mini")
    with LiveServer(*words, log=folder / "log.jsonl", artefacts=()) as running:
        yield running, secret


@pytest.fixture(scope="session")
def mini() -> Colibri:
    """As the server has it."""
    return colibri.load()
