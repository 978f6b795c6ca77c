"""`colibri serve` in a process of its own on 127.0.0.1, and a client of bare HTTP for it."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from reference import ARTEFACTS

BERT, XLMR = ("tiny-random-bert", "tiny-random-xlmr")


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case) and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class LiveServer:
    """A server from the line that announces it to the end of its process."""

    def __init__(self, *words: str, log: Path, artefacts: tuple[str, ...] = (BERT, XLMR)) -> None:
        """words: options of `colibri serve`. log: where its stderr goes. artefacts: names of tiny ones."""
        self.log = log
        served = [word for name in artefacts for word in ("--artefact", str(ARTEFACTS / name))]
        self._stderr = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "colibri", "serve", "--port", "0", *served, *words],
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        self.announced = self.process.stdout.readline().decode()
        self.url = self.announced.partition(" ")[0]
        if not self.url.startswith("http://"):
            self.close()
            raise AssertionError(f"no server: {log.read_text()}")
        address = urlsplit(self.url)
        self.address = (str(address.hostname), int(address.port or 0))

    def call(
        self, path: str, body: object = None, *, method: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own. body: bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if body is not None else {}
        with contextlib.closing(http.client.HTTPConnection(*self.address, timeout=900)) as connection:
            connection.request(method or ("GET" if body is None else "POST"), path, data, {**kind, **(headers or {})})
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())

    def metric(self, name: str) -> float:
        """The sum of the metrics of this name, whatever their labels."""
        lines = self.call("/metrics").body.decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))

    def wait_for(self, name: str, value: float) -> None:
        """Until a metric has this value; a minute at most: so many calls as one machine does in a second are no measure
        of the server's second on another."""
        end = time.monotonic() + 60
        while (found := self.metric(name)) != value:
            assert time.monotonic() < end, f"{name} is {found}, wanted {value}"

    def logged(self) -> list[dict[str, Any]]:
        """Its log so far; not the line that is being written."""
        whole = self.log.read_text(encoding="utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def logged_of(self, request_id: str) -> dict[str, Any]:
        """The line of a request, which may come after its answer; a minute at most."""
        end = time.monotonic() + 60
        while not (found := [line for line in self.logged() if line.get("request_id") == request_id]):
            assert time.monotonic() < end, f"no line of {request_id}"
        return found[0]

    def resident_mb(self) -> float:
        """Memory it holds (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

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
