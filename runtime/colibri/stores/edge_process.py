"""The Edge worker as the program has it: started, asked, ended, and started again where it died."""

import os
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import IO, Any

from colibri.errors import MissingExtra, StoreError, StoreLocked
from colibri.machine import another_python, install_command
from colibri.stores.edge_frames import receive, send

VARIABLE = "COLIBRI_STORES_EDGE"
_PAUSE = 0.05  # seconds between tries to open one


class EdgeProcess:
    """One worker, and the shard it has open. Threads may share it: one is answered at a time."""

    def __init__(self, where: Path, opening: dict[str, Any], lock_seconds: float) -> None:
        self._where = where
        self._opening = opening
        self._lock_seconds = lock_seconds
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._owner = os.getpid()
        with self._turn:
            self._start()

    @property
    def number(self) -> int | None:
        """The worker's process id, while there is one."""
        return None if self._process is None else self._process.pid

    def call(self, does: str, **words: Any) -> Any:
        """What the worker answers. Raises StoreError for what fails, and when the worker ends meanwhile: the next call
        starts another, and what was acknowledged is there."""
        if os.getpid() != self._owner:
            raise StoreError(f"{self._where}: was opened in another process; open it in this one")
        with self._turn:
            if self._closed:
                raise StoreError(f"{self._where}: the store is closed")
            if self._process is None:
                self._start()
            return self._ask(does, words)

    def close(self) -> None:
        """End the worker, which writes what is waiting first. Closing twice is fine."""
        if os.getpid() != self._owner:
            return
        with self._turn:
            self._closed = True
            if self._process is not None:
                _end(self._process)
                self._process = None

    def _start(self) -> None:
        if not sys.executable:
            raise StoreError("sys.executable is empty: this Python cannot start the process that holds Qdrant Edge")
        command, environment = another_python("colibri.stores.edge_worker", VARIABLE)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        weakref.finalize(self, _end, self._process)
        try:
            self._open(time.monotonic() + self._lock_seconds)
        except StoreError:
            if self._process is not None:
                _end(self._process)
                self._process = None
            raise
        self._opening = {**self._opening, "vectors": None}

    def _open(self, give_up: float) -> None:
        while True:
            try:
                self._ask("open", self._opening)
            except StoreLocked:
                if time.monotonic() > give_up:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def _ask(self, does: str, words: dict[str, Any]) -> Any:
        process = self._process
        assert process is not None
        asked, answers = _pipes(process)
        try:
            send(asked, {"does": does, "with": words})
            answer = receive(answers)
        except (OSError, EOFError):
            answer = None
        except BaseException:  # Ctrl-C: the answer would be taken for the next one's
            process.kill()
            self._process = None
            raise
        if answer is None:
            code = process.wait()
            self._process = None
            raise StoreError(f"{self._where}: the process that holds it ended (exit code {code}); call again")
        if "locked" in answer:
            raise StoreLocked(f"{self._where}: another store has it open")
        if "missing" in answer:
            raise MissingExtra(
                f"QdrantEdgeStore needs qdrant-edge-py ({answer['missing']}; colibri-edge[qdrant-edge]): "
                f"{install_command('qdrant-edge')}"
            )
        if "error" in answer:
            raise StoreError(f"{self._where}: {answer['error']}")
        return answer["gives"]


def _pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _end(process: "subprocess.Popen[bytes]") -> None:
    """It ends when nobody can ask it any more."""
    for pipe in _pipes(process):
        try:
            pipe.close()
        except OSError:  # it died with words on their way
            continue
    process.wait()
