"""What the server holds: vectors once while it writes them, and nothing of the requests that are over."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from live_server import XLMR, LiveServer
from rounds import rounds

SOAK_MINUTES = 10 if settings().max_examples >= 500 else 0
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that has done nothing yet."""
    with LiveServer(log=tmp_path_factory.mktemp("fresh") / "log.jsonl", artefacts=(XLMR,)) as running:
        yield running


def peak_above_mb(server: LiveServer, body: bytes) -> tuple[float, float]:
    """MB that one request took at most, and of its answer."""
    process = Path(f"/proc/{server.process.pid}")
    before = server.resident_mb()
    (process / "clear_refs").write_text("5", encoding="ascii")
    answer = server.call("/v1/embeddings", body)
    assert answer.status == 200
    lines = (process / "status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return peak - before, len(answer.body) / 2**20


def test_an_answer_of_2048_documents_is_never_whole_in_memory(fresh: LiveServer) -> None:
    """60 rows of 48 floats each: 23 MB of vectors and 70 MB of JSON."""
    texts = ["bird " * 60] * 2048
    warm = json.dumps({"model": XLMR, "input": texts, "embedding_type": "ubinary"}).encode()
    body = json.dumps({"model": XLMR, "input": texts, "embedding_type": "float"}).encode()
    peak_above_mb(fresh, warm)
    above, answer = peak_above_mb(fresh, body)
    assert answer > 60
    assert above < 40, f"{above:.0f} MB for an answer of {answer:.0f} MB"


def test_memory_stays_flat(fresh: LiveServer) -> None:
    """Requests of all kinds, bad ones too: 200, and in soak as many as ten minutes take."""
    bodies = [
        ("/v1/embeddings", {"model": XLMR, "input": ["bird " * n for n in range(40)]}),
        ("/v1/embeddings", {"model": XLMR, "input": ["a"] * rounds(100, 500), "embedding_type": ["base64", "binary"]}),
        ("/v1/rerank", {"model": XLMR, "query": "birds", "documents": [f"bird {n}" for n in range(60)]}),
        ("/v1/rerank", {"model": "none", "query": "birds", "documents": ["a"]}),
        ("/v1/embeddings", {"model": XLMR, "input": 7}),
    ]

    def ask(times: int, minutes: float = 0) -> None:
        done, asked = 0, 0.0
        while done < times or asked < 60 * minutes:
            began = time.monotonic()
            for path, body in bodies:
                fresh.call(path, body)
            done += 1
            asked += min(5.0, time.monotonic() - began)  # a machine that stood still meanwhile asked nothing

    def by_four(times: int, minutes: float = 0) -> None:
        threads = [threading.Thread(target=ask, args=(times, minutes)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    by_four(rounds(3, 5))
    before = fresh.resident_mb()
    by_four(rounds(7, 15), SOAK_MINUTES)
    assert fresh.resident_mb() - before < 24
