"""`colibri ui` in a process of its own, and requests as its page sends them."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from live_server import Answer
from reference import ARTEFACTS

TINY = str(ARTEFACTS / "tiny-random-bert")


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Files with their texts, in a folder that is made."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


class UiServer:
    """From the address that it prints to the end of its process."""

    def __init__(
        self,
        *words: str,
        folder: Path,
        log: Path,
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> None:
        """words: of `colibri ui`. folder: where it is called, and where its index lies, where none is named. log: where
        its stderr goes. user: whose process it is, of a group of the same number; None: this one's."""
        named = () if {"--index", "--name"} & {*words} else ("--index", ".colibri-index")
        self.log = log
        self._stderr = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "colibri", "ui", "--no-browser", *named, *words],
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            user=user,
            group=user,
            extra_groups=None if user is None else (),
        )
        assert self.process.stdout is not None
        self.lines: list[str] = []
        self.address = ""
        for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))
            if self.lines[-1].startswith("http://"):
                self.address = self.lines[-1]
                break
        if not self.address:
            self.close()
            raise AssertionError(f"no page: {self.lines} {log.read_text()}")
        parts = urlsplit(self.address)
        self.host, self.port = str(parts.hostname), int(parts.port or 0)
        self.token = parts.fragment.removeprefix("token=")

    def call(
        self,
        path: str,
        body: object = None,
        *,
        method: str | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = "",
        host: str | None = None,
    ) -> Answer:
        """One request. body: bytes as they are, anything else as JSON. token: "" its own, None none. host: header."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if body is not None else {}
        if token is not None:
            sent["X-Colibri-Token"] = token or self.token
        sent |= headers or {}
        with contextlib.closing(http.client.HTTPConnection(self.host, self.port, timeout=300)) as connection:
            connection.putrequest(
                method or ("GET" if body is None else "POST"), path, skip_host=True, skip_accept_encoding=True
            )
            connection.putheader("Host", host or f"{self.host}:{self.port}")
            for name, value in {**sent, **({} if data is None else {"Content-Length": str(len(data))})}.items():
                connection.putheader(name, value)
            connection.endheaders(data)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())

    def api(self, name: str, body: object = None, **more: Any) -> Answer:
        """A route below /ui/api/."""
        return self.call(f"/ui/api/{name}", body, **more)

    def search(self, query: str, **more: Any) -> Any:
        """The answer to a search."""
        found = self.api("search", {"query": query, **more})
        assert found.status == 200, found.body
        return found.json

    def wait_for(self, done: Callable[[Any], bool]) -> Any:
        """The first state of which that is true; a minute at most."""
        end = time.monotonic() + 60
        while not done(state := self.api("state").json):
            assert time.monotonic() < end, state
        return state

    def wait_for_documents(self, count: int) -> Any:
        """Until so many are there, and nothing is being indexed."""
        return self.wait_for(lambda state: state["documents"] == count and state["indexing"]["phase"] == "idle")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.close()
        return code

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
