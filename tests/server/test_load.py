"""Too much at once, clients that leave, and the end of a server: nothing that was taken is lost."""

import contextlib
import http.client
import json
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from live_server import XLMR, LiveServer

MINI = "colibri-mini"
LONG = json.dumps({"model": MINI, "input": ["water under the bridge " * 80] * 2048}).encode()
"""A minute or more of work."""


@pytest.fixture(scope="module")
def mini_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The model that comes along, with room for three requests."""
    log = tmp_path_factory.mktemp("mini") / "log.jsonl"
    with LiveServer("--queue", "3", log=log, artefacts=()) as running:
        yield running


def start(server: LiveServer, body: bytes) -> socket.socket:
    """A request that is sent and not answered yet."""
    connection = socket.create_connection(server.address, timeout=120)
    lines = "POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def test_a_full_server_refuses_at_once_and_says_when_to_come_back(mini_server: LiveServer) -> None:
    taken = [start(mini_server, LONG) for _ in range(3)]
    try:
        mini_server.wait_for("colibri_admitted_requests", 3)
        for path in ("/v1/embeddings", "/v1/rerank"):
            answer = mini_server.call(path, {"model": MINI, "input": "a", "query": "a", "documents": ["b"]})
            assert (answer.status, answer.json["code"]) == (503, "SERVICE_UNAVAILABLE")
            assert int(answer.headers["retry-after"]) >= 1
        assert mini_server.call("/ready").status == 503
        assert mini_server.call("/live").status == 200
    finally:
        for connection in taken:
            connection.close()
    mini_server.wait_for("colibri_admitted_requests", 0)
    assert mini_server.call("/ready").status == 200


def test_a_client_that_hangs_up_ends_its_work(mini_server: LiveServer) -> None:
    before = mini_server.metric("colibri_abandoned_requests_total")
    connection = start(mini_server, LONG)
    mini_server.wait_for("colibri_running_slices", 2)
    connection.close()
    mini_server.wait_for("colibri_abandoned_requests_total", before + 1)
    assert mini_server.metric("colibri_admitted_requests") == 0
    assert mini_server.metric("colibri_running_slices") == 0
    assert mini_server.logged()[-1]["status"] == 499


def test_a_query_has_its_turn_beside_somebodys_2048_documents(mini_server: LiveServer) -> None:
    # Of 48 tokens, a slice is done in a sixth of the time, and all 64 of them are still many times what a query takes.
    many = json.dumps({"model": MINI, "input": ["water under the bridge " * 12] * 2048}).encode()
    connection = start(mini_server, many)
    try:
        mini_server.wait_for("colibri_running_slices", 2)
        asked = {"model": MINI, "input": "where is the water?", "input_type": "query"}
        assert mini_server.call("/v1/embeddings", asked).status == 200
        assert mini_server.metric("colibri_admitted_requests") == 1
    finally:
        connection.close()


def test_work_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with LiveServer("--timeout", "1", log=tmp_path / "log", artefacts=()) as running:
        answer = running.call("/v1/embeddings", LONG)
        assert (answer.status, answer.json["code"]) == (504, "SERVICE_TIMEOUT")
        assert running.metric("colibri_admitted_requests") == 0
        assert running.stop() == 0


class Clients:
    """Threads that ask as fast as they can, until the server is gone."""

    def __init__(self, server: LiveServer, count: int) -> None:
        self.statuses: list[int] = []
        self.torn = 0
        self.ids: list[str] = []
        self._server = server
        self.some = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(i,)) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(120)

    def _ask(self, number: int) -> None:
        with contextlib.closing(http.client.HTTPConnection(*self._server.address, timeout=120)) as connection:
            self._ask_on(connection, number)

    def _ask_on(self, connection: http.client.HTTPConnection, number: int) -> None:
        for i in range(100_000):
            body = json.dumps({"model": XLMR, "input": ["bird " * (j % 9) for j in range(64)]})
            headers = {"Content-Type": "application/json", "X-Request-ID": f"{number}-{i}"}
            try:
                connection.request("POST", "/v1/embeddings", body, headers)
                response = connection.getresponse()
                status = response.status
            except (ConnectionError, http.client.RemoteDisconnected):
                return  # it was never taken
            try:
                answer = json.loads(response.read())
            except (http.client.HTTPException, ConnectionError, ValueError):
                self.torn += 1
                return
            self.statuses.append(status)
            if status == 200:
                assert len(answer["data"]) == 64
                self.ids.append(response.headers["x-request-id"])
            self.some.set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_under_load_loses_no_request_that_was_taken(tmp_path: Path, number: signal.Signals) -> None:
    with LiveServer(log=tmp_path / "log", artefacts=(XLMR,)) as running:
        clients = Clients(running, 8)
        assert clients.some.wait(60)
        assert running.stop(number) == 0
        clients.join()
        done = {line["request_id"] for line in running.logged() if line.get("status") == 200}
    assert clients.torn == 0
    assert set(clients.statuses) <= {200, 503}
    assert sorted(clients.ids) == sorted(done)


def test_requests_under_way_are_finished_after_the_signal(tmp_path: Path) -> None:
    body = json.dumps({"model": MINI, "input": ["water " * 400] * 6, "embedding_type": "ubinary"}).encode()
    with LiveServer(log=tmp_path / "log", artefacts=()) as running, ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(running.call, "/v1/embeddings", body) for _ in range(2)]
        running.wait_for("colibri_admitted_requests", 2)
        assert running.stop() == 0
        for future in asked:
            answer = future.result()
            assert answer.status == 200
            assert len(answer.json["data"]) == 6


def test_what_does_not_end_in_time_is_ended_and_the_exit_is_clean(tmp_path: Path) -> None:
    with LiveServer("--grace", "1", log=tmp_path / "log", artefacts=()) as running:
        connection = start(running, LONG)
        running.wait_for("colibri_admitted_requests", 1)
        assert running.stop() == 0
        connection.close()


def test_a_connection_that_idles_is_closed_at_the_end(tmp_path: Path) -> None:
    with (
        LiveServer(log=tmp_path / "log", artefacts=(XLMR,)) as running,
        socket.create_connection(running.address, timeout=120) as idle,
    ):
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(1 << 16).startswith(b"HTTP/1.1 200")
        assert running.stop() == 0
