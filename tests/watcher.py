"""`colibri index --watch --json` as a process of its own, and what it says."""

import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

T = TypeVar("T")

SECONDS = 120.0
"""In which what must come comes, however busy the machine is: no test waits so long unless it fails."""


def awaited(told: "queue.SimpleQueue[T]", seconds: float = SECONDS) -> T:
    """What is told next. Counted are seconds in which this process ran: it may have been stopped for minutes, with all
    that it waits for. Raises queue.Empty."""
    for _ in range(math.ceil(seconds)):
        with suppress(queue.Empty):
            return told.get(timeout=1)
    raise queue.Empty


class Watcher:
    """Use it in a `with`; it is killed at the end, should it still be there.

    said  all of its lines so far
    """

    def __init__(
        self,
        place: Path,
        *words: str | Path,
        before: Sequence[str] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        """before: what runs it, as `unshare`."""
        command = [*before, sys.executable, "-m", "colibri", "index", "--watch", "--json", "--into", str(place)]
        self.process = subprocess.Popen(
            [*command, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **(environment or {})},
        )
        self.said: list[dict[str, Any]] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *found: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._thread.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def until(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = SECONDS) -> dict[str, Any]:
        """The next line of a kind. Raises queue.Empty, which says what came last, and what the processes do."""
        while True:
            try:
                line = awaited(self._lines, seconds)
            except queue.Empty:
                said = f"no line in {seconds:.0f} s; the last were {self.said[-5:]}; {self._doing()}"
                raise queue.Empty(said) from None
            if line is None:
                assert self.process.stderr is not None
                raise AssertionError(f"it ended: {self.process.wait()}, {self.process.stderr.read()}")
            self.said.append(json.loads(line))
            if wanted(self.said[-1]):
                return self.said[-1]

    def looked(self) -> dict[str, Any]:
        """What the next look did."""
        return self.until(lambda line: line["event"] == "looked")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def children(self) -> Sequence[int]:
        """Processes that it started and that are there (Linux)."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return [int(one) for task in tasks.iterdir() for one in (task / "children").read_text().split()]

    def _doing(self) -> str:
        """What it and its children wait for (Linux)."""
        found = []
        with suppress(OSError):
            for number in (self.process.pid, *self.children()):
                for task in Path(f"/proc/{number}/task").iterdir():
                    stat = (task / "stat").read_text().rpartition(") ")[2]
                    found.append(f"{number}/{task.name} {stat[0]} {(task / 'wchan').read_text()}")
        return f"exit code {self.process.poll()}, threads {found}"

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)
