"""`colibri mcp --http`: who is answered, and who is not."""

import asyncio
import contextlib
import http.client
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from assistant_clients.test_stdio import HELLO
from colibri.server import add_key


class Served:
    """The command, from the line that announces it to its end."""

    def __init__(self, words: list[str]) -> None:
        self.process = subprocess.Popen([*words, "--http", "--port", "0"], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.announced = self.process.stdout.readline()
        self.url = self.announced.partition(" ")[0]

    def post(self, body: bytes = json.dumps(HELLO).encode(), **headers: str) -> tuple[int, bytes]:
        address = urlsplit(self.url)
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
        with contextlib.closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)) as one:
            one.request("POST", address.path, body, {name.replace("_", "-"): value for name, value in sent.items()})
            answer = one.getresponse()
            return answer.status, answer.read()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def served(words: list[str]) -> Iterator[Served]:
    running = Served(words)
    yield running
    running.stop(signal.SIGKILL)


def test_search_by_the_protocols_own_client(served: Served) -> None:
    assert served.announced == f"{served.url} gives birds, bread to assistants\n"

    async def talk() -> None:
        async with Client(served.url) as client:
            found = await client.call_tool("search", {"query": "a bird", "index": "birds"})
            assert found.structured_content is not None
            assert {one["id"] for one in found.structured_content["results"]} == {"birds", "two"}

    asyncio.run(talk())


def test_another_host_or_origin_gets_nothing(served: Served) -> None:
    assert served.post()[0] == 200
    assert served.post(Host="attacker.example")[0] == 421
    assert served.post(Host="attacker.example:8090")[0] == 421
    for origin in ("http://attacker.example", "null", "https://127.0.0.1:1"):
        assert served.post(Origin=origin)[0] == 403
    port = urlsplit(served.url).port
    assert port is not None
    for other in (port + 1, 80):  # a page of another program of this machine
        assert served.post(Origin=f"http://127.0.0.1:{other}")[0] == 403
    assert served.post(Origin=f"http://localhost:{port}")[0] == 200


def test_a_body_that_is_too_large_is_refused(served: Served) -> None:
    assert served.post(b"x" * (5 << 20))[0] == 413
    assert served.post(b"no json")[0] == 400


def test_an_address_that_others_reach_wants_keys(words: list[str]) -> None:
    given = [*words, "--http", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "give --keys-file" in done.stderr


def test_a_key_of_the_scope_search_lets_in(words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    good = add_key(file, "good", scopes=["search"])
    other = add_key(file, "other", scopes=["rank"])
    few = add_key(file, "few", requests_per_minute=1)
    running = Served([*words, "--host", "0.0.0.0", "--keys-file", str(file)])
    try:
        status, body = running.post()
        assert status == 401
        assert json.loads(body)["code"] == "AUTH_MISSING_API_KEY"
        assert running.post(Authorization="Bearer colibri_wrong")[0] == 401
        assert running.post(Authorization=f"Bearer {other}")[0] == 403
        assert running.post(Authorization=f"Bearer {good}")[0] == 200
        assert [running.post(Authorization=f"Bearer {few}")[0] for _ in range(2)] == [200, 429]

        async def talk() -> int:
            async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {good}"}) as sending:
                url = running.url.replace("0.0.0.0", "127.0.0.1")
                async with Client(streamable_http_client(url, http_client=sending)) as client:
                    return len((await client.list_tools()).tools)

        assert asyncio.run(talk()) == 3
    finally:
        assert running.stop() == 0


def test_ctrl_c_ends_it(words: list[str]) -> None:
    assert Served(words).stop(signal.SIGINT) == 0
