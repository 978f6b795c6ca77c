"""Asking a server that an image, or its steps, started: both proofs do it."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request

_READY_SECONDS = 120


def free_port() -> str:
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def until_ready(port: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until /ready answers 200. Raises AssertionError when the process ends first, or after two minutes."""
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise AssertionError("the server is not ready after two minutes")


def answered(port: str, key: str) -> int:
    """Which of two documents a request with a key puts first; 1 is right."""
    body = json.dumps({"model": "colibri-mini", "query": "a bird?", "documents": ["Bread.", "A bird sings."]})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/rerank", body.encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(json.load(answer)["results"][0]["index"])
