"""The reading process as the program has it: started, asked, listened to, ended."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import Empty, Full, Queue
from tempfile import TemporaryFile
from threading import Event, Thread
from typing import IO

import colibri
from colibri import machine
from colibri.files.reading import Reading
from colibri.files.room import VARIABLE, memory
from colibri.files.room.frames import Frame, receive, send
from colibri.files.text import Unreadable

_START_SECONDS = 60.0  # a cold disk and a virus scanner can take that long to start Python
_AHEAD = 8  # messages that wait for the program, which may be encoding
_CODE = (
    "import importlib, os, sys, typing; home, *paths = sys.argv[1:]; sys.path.insert(0, home); import colibri; "
    "del sys.path[0]; sys.path += [path for path in paths if path not in sys.path]; "
    "from colibri.files.room.__main__ import main; main()"
)
"""As `python -m colibri.files.room`, with the colibri of this process, and what else it can import found last: an
email.py beside the program must not be taken for Python's."""


class RoomError(Unreadable):
    """The reading process cannot be started at all."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one file. seconds: of reading. memory_bytes: beyond what Python takes. reading: with the unpacked bytes."""

    seconds: float = 120.0
    memory_bytes: int = 2 << 30
    reading: Reading = field(default_factory=Reading)


class Ended(Unreadable):
    """The file cost the process."""


class Process:
    """A running one, ready for files."""

    def __init__(self, limits: Limits, watch: bool) -> None:
        """watch: whether its memory is looked at from here. Raises RoomError when it does not start."""
        self._limits = limits
        self._watch = watch
        self._answers: Queue[Frame | None] = Queue(_AHEAD)
        self._unwanted = Event()
        self._peak_at_start = 0
        with TemporaryFile() as said:
            try:
                self._started = _start(said)
            except OSError as error:
                raise RoomError(f"the process that reads files did not start: {error.strerror or error}") from error
            assert self._started.stdin is not None
            assert self._started.stdout is not None
            self._asked: IO[bytes] = self._started.stdin
            self._thread = Thread(target=self._listen, args=(self._started.stdout,), daemon=True)
            self._thread.start()
            try:
                self.ask(Frame("limits", {**asdict(limits), "limited": not watch}))
                self._peak_at_start = self.answer(_START_SECONDS).fields["peak_bytes"]
            except Ended as error:
                why = str(error) if self.ended else f"no answer within {_START_SECONDS:g} s"
                self.kill()
                said.seek(0)
                last = said.read()[-500:].decode("utf-8", "replace").strip().rpartition("\n")[2]
                raise RoomError(f"the process that reads files did not start: {last or why}") from error
            except BaseException:
                self.kill()
                raise

    @property
    def id(self) -> int:
        """Its number in the system."""
        return self._started.pid

    @property
    def ended(self) -> bool:
        """Whether it is gone already."""
        return self._started.poll() is not None

    def ask(self, frame: Frame) -> None:
        """Send one. That it is not taken shows when the answer is waited for."""
        with suppress(OSError):
            send(self._asked, frame)

    def answer(self, seconds: float) -> Frame:
        """The next answer within this time. Raises Ended with the reason when there will be none."""
        until = time.monotonic() + seconds
        while True:
            with suppress(Empty):
                # In slices: Windows does not interrupt a wait, and memory is looked at between them.
                frame = self._answers.get(timeout=max(min(until - time.monotonic(), memory.WATCH_SECONDS), 0.0))
                if frame is None:
                    raise Ended(self._epitaph())
                return frame
            if self._watch and memory.resident_bytes(self.id) > self._limits.memory_bytes:
                raise Ended(too_much(self._limits))
            if time.monotonic() >= until:
                raise Ended(f"took longer than {self._limits.seconds:g} s")

    def kill(self) -> None:
        """End it now."""
        self._unwanted.set()
        self._started.kill()
        with suppress(OSError):
            self._asked.close()
        self._thread.join()
        if self._started.stdout is not None:
            self._started.stdout.close()
        self._started.wait()

    def _listen(self, answers: IO[bytes]) -> None:
        frame: Frame | None = Frame("")
        while frame is not None:
            try:
                frame = receive(answers)
            except (OSError, ValueError):  # closed from here, or no message: then nothing that follows is one
                self._started.kill()
                frame = None
            while not self._unwanted.is_set():
                with suppress(Full):
                    self._answers.put(frame, timeout=memory.WATCH_SECONDS)
                    break

    def _epitaph(self) -> str:
        """Why it ended by itself."""
        code, peak_bytes = _reaped(self._started)
        # C and C++ end the process when they get no memory. What this program had when it started the process counts
        # as the process's own peak, and says nothing.
        if code == memory.NO_MEMORY or peak_bytes > max(0.6 * self._limits.memory_bytes, self._peak_at_start):
            return too_much(self._limits)
        if code < 0:
            return f"ended the reader (signal {-code})"
        return f"ended the reader (exit code {code if code < 1 << 16 else hex(code)})"


def too_much(limits: Limits) -> str:
    """What is said of a file that needs more memory."""
    gigabytes = limits.memory_bytes / (1 << 30)
    return f"needs more than {gigabytes:g} GB" if gigabytes >= 1 else f"needs more than {limits.memory_bytes >> 20} MB"


def _reaped(process: "subprocess.Popen[bytes]") -> tuple[int, int]:
    """Exit code, negative for a signal, and the most memory it had, 0 where nobody knows."""
    if sys.platform != "win32" and process.returncode is None:
        with suppress(ChildProcessError):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_maxrss * memory.MAXRSS_BYTES
    return process.wait(), 0


def _start(said: IO[bytes]) -> "subprocess.Popen[bytes]":
    """A new process. said: takes what it has to say until it is ready."""
    if not sys.executable:
        raise RoomError("sys.executable is empty: this Python cannot start another one to read files in")
    environment = dict(os.environ)
    if machine.frozen_by():
        command = [machine.program()]
        environment[VARIABLE] = "1"
    else:
        # -P: a json.py in the folder that one happens to be in is not run.
        flags = ["-P", *(["-E"] if sys.flags.ignore_environment else []), *(["-s"] if sys.flags.no_user_site else [])]
        command = [sys.executable, *flags, "-c", _CODE, *_import_paths()]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        env=environment,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _import_paths() -> list[str]:
    """Where this process finds colibri, and then all modules, the folder that it is in aside."""
    home = Path(colibri.__file__).resolve().parents[1]
    return [str(home), *(str(Path(path).absolute()) for path in sys.path if path)]
