"""From the signal to the last answer: what a load balancer sees, what is finished, and what the log says of it."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from colibri import __version__
from live_server import XLMR, LiveServer
from raw_http import GOOD, head

LONG = json.dumps({"model": "colibri-mini", "input": ["water under the bridge " * 80] * 2048}).encode()
"""A minute or more of work."""


def taken(server: LiveServer) -> socket.socket:
    """A request that is under way, on a connection whose end ends it."""
    connection = socket.create_connection(server.address, timeout=120)
    connection.sendall(head(len(LONG)) + LONG)
    server.wait_for("colibri_admitted_requests", 1)
    return connection


def ready(server: LiveServer) -> int:
    """The status of /ready; 0 where nobody listens."""
    try:
        return server.call("/ready").status
    except OSError:
        return 0


def told(server: LiveServer, number: signal.Signals = signal.SIGTERM) -> None:
    """Sends a signal, and returns when the server has it."""
    server.process.send_signal(number)
    end = time.monotonic() + 60
    while not ended(server, number.name):
        assert time.monotonic() < end


def ended(server: LiveServer, message: str) -> list[dict[str, Any]]:
    return [line for line in server.logged() if line["message"] == message]


def test_ready_is_503_while_a_request_is_finished_and_the_log_tells_the_end(tmp_path: Path) -> None:
    with LiveServer("--grace", "600", log=tmp_path / "log", artefacts=()) as running:
        with taken(running):
            told(running)
            for _ in range(3):
                answer = running.call("/ready")
                assert (answer.status, answer.json["code"]) == (503, "SERVICE_UNAVAILABLE")
                assert "shutting down" in answer.json["detail"]
            assert running.call("/live").status == 200
            assert running.call("/v1/embeddings", GOOD).status == 503
            assert running.process.poll() is None
        assert running.process.wait(60) == 0
        assert [line["requests_left"] for line in ended(running, "SIGTERM")] == [1]
        assert [line["requests_cut_off"] for line in ended(running, "done")] == [0]
        assert ready(running) == 0


def test_in_the_time_for_load_balancers_all_is_served_but_ready(tmp_path: Path) -> None:
    with LiveServer("--drain", "600", log=tmp_path / "log", artefacts=(XLMR,)) as running:
        assert ready(running) == 200
        told(running)
        assert ready(running) == 503
        assert running.call("/v1/embeddings", GOOD).status == 200
        assert ready(running) == 503
        assert running.stop() == 0  # the second signal ends that time
        assert [line["requests_left"] for line in ended(running, "SIGTERM")] == [0]
        assert len(ended(running, "done")) == 1


def test_that_time_ends_by_itself(tmp_path: Path) -> None:
    with LiveServer("--drain", "1", log=tmp_path / "log", artefacts=(XLMR,)) as running:
        running.process.send_signal(signal.SIGTERM)
        seen = [200]
        while seen[-1]:
            seen.append(ready(running))
        assert set(seen) >= {503, 0}
        assert seen == sorted(seen, key=[200, 503, 0].index)  # what was ready is so no more, once it has the signal
        assert running.process.wait(60) == 0


def test_ctrl_c_does_not_wait_for_load_balancers(tmp_path: Path) -> None:
    with LiveServer("--drain", "600", log=tmp_path / "log", artefacts=(XLMR,)) as running:
        assert running.stop(signal.SIGINT) == 0
        assert len(ended(running, "SIGINT")) == 1


def test_what_is_cut_off_is_counted(tmp_path: Path) -> None:
    with LiveServer("--grace", "1", log=tmp_path / "log", artefacts=()) as running, taken(running):
        assert running.stop() == 0
        assert [line["requests_cut_off"] for line in ended(running, "done")] == [1]


def test_a_second_ctrl_c_waits_for_nothing(tmp_path: Path) -> None:
    with LiveServer("--grace", "600", log=tmp_path / "log", artefacts=()) as running, taken(running):
        told(running, signal.SIGINT)
        assert running.stop(signal.SIGINT) == 0
        assert [line["requests_cut_off"] for line in ended(running, "done")] == [1]


def test_it_says_what_it_is_and_of_which_release(server: LiveServer) -> None:
    assert server.call("/version").json == {"name": "colibri-edge", "version": __version__}
    found = server.call("/").json
    assert found["version"] == __version__
    assert XLMR in found["models"]
    assert server.call(found["routes"]).status == 200


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--alias", "x"], "--alias x: wanted NAME=MODEL"),
        (["--keys-file", "no-such-file"], "no-such-file"),
        (["--host", "0.0.0.0"], "0.0.0.0: others can reach that address"),
        (["--artefact", "no-such-artefact"], "no-such-artefact"),
        (["--index", "taken"], "taken"),
    ],
)
def test_what_it_cannot_start_with_is_a_line_of_json(words: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, where a folder is wanted")
    code = "import colibri.cli as c; c.main()"
    # By -c and not by -m, so that the tests' own folder need not be where it starts.
    command = [sys.executable, "-c", f"import os, sys; sys.argv = ['colibri', 'serve', *sys.argv[2:]]; {code}", "-"]
    done = subprocess.run([*command, "--port", "0", *words], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["level"] for line in lines if message in line["message"]] == ["error"]
