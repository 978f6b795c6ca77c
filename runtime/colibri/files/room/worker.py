"""The program's side of the reading process: one is started when the first file comes, and again after one ended."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import Empty, Full, Queue
from tempfile import TemporaryFile
from threading import Event, Thread
from typing import IO, Self

import colibri
from colibri.errors import MissingExtra
from colibri.files.reading import Item, Reading
from colibri.files.room import VARIABLE, memory
from colibri.files.room.frames import Frame, item_of, receive, send
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


class Room:
    """Reads files one after the other. Close it, or use it in a `with`."""

    def __init__(self, limits: Limits, *, watch: bool = not memory.LIMITED) -> None:
        """watch: whether to watch the process's memory from here, as is done where the system does not limit it."""
        self._limits = limits
        self._watch = watch
        self._process: _Process | None = None
        self._closed_for: RoomError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *found: object) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """Of the process that reads now."""
        return None if self._process is None else self._process.id

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def read(self, name: str, data: bytes) -> Iterator[Item]:
        """As `reading.read`. Unreadable also tells which limit the file met, or that it ended the process."""
        if self._process is not None and self._process.ended:  # since the last file, so that this one is not to blame
            self.close()
        if self._process is None:
            self._process = self._start()
        whole = False
        try:
            yield from self._read(self._process, name, data)
            whole = True
        except (MissingExtra, Unreadable) as error:
            whole = not isinstance(error, _Ended)
            raise
        finally:
            if not whole:  # nobody takes the rest of its answers
                self.close()

    def _start(self) -> "_Process":
        if self._closed_for is not None:  # it would be so for each of a thousand files
            raise self._closed_for
        try:
            return _Process(self._limits, self._watch)
        except RoomError as error:
            self._closed_for = error
            raise

    def _read(self, process: "_Process", name: str, data: bytes) -> Iterator[Item]:
        process.ask(Frame("file", {"name": name}, data))
        left = self._limits.seconds
        while True:
            began = time.monotonic()
            frame = process.answer(left)
            left -= time.monotonic() - began
            match frame.kind:
                case "end":
                    return
                case "memory":
                    raise _Ended(_too_much(self._limits))
                case "missing":
                    raise MissingExtra(frame.fields["why"])
                case "unreadable":
                    raise Unreadable(frame.fields["why"])
            yield item_of(frame)


class _Ended(Unreadable):
    """The file cost the process."""


class _Process:
    """A running one, ready for files."""

    def __init__(self, limits: Limits, watch: bool) -> None:
        self._limits = limits
        self._watch = watch
        self._answers: Queue[Frame | None] = Queue(_AHEAD)
        self._unwanted = Event()
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
                self.answer(_START_SECONDS)
            except Unreadable as error:
                self.kill()
                said.seek(0)
                last = said.read()[-500:].decode("utf-8", "replace").strip().rpartition("\n")[2]
                raise RoomError(f"the process that reads files did not start: {last or error}") from error
            except BaseException:
                self.kill()
                raise

    @property
    def id(self) -> int:
        return self._started.pid

    @property
    def ended(self) -> bool:
        return self._started.poll() is not None

    def ask(self, frame: Frame) -> None:
        """Send one. That it is not taken shows when the answer is waited for."""
        with suppress(OSError):
            send(self._asked, frame)

    def answer(self, seconds: float) -> Frame:
        """The next answer within this time. Raises _Ended with the reason when there will be none."""
        until = time.monotonic() + seconds
        while True:
            with suppress(Empty):
                # In slices: Windows does not interrupt a wait, and memory is looked at between them.
                frame = self._answers.get(timeout=max(min(until - time.monotonic(), memory.WATCH_SECONDS), 0.0))
                if frame is None:
                    raise _Ended(self._epitaph())
                return frame
            if self._watch and memory.resident_bytes(self.id) > self._limits.memory_bytes:
                raise _Ended(_too_much(self._limits))
            if time.monotonic() >= until:
                raise _Ended(f"took longer than {seconds_of(self._limits)}")

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
        if peak_bytes > 0.6 * self._limits.memory_bytes:  # C and C++ end the process when they get no memory
            return _too_much(self._limits)
        if code < 0:
            return f"ended the reader (signal {-code})"
        return f"ended the reader (exit code {code if code < 1 << 16 else hex(code)})"


def seconds_of(limits: Limits) -> str:
    """As it is shown."""
    return f"{limits.seconds:g} s"


def _too_much(limits: Limits) -> str:
    gigabytes = limits.memory_bytes / (1 << 30)
    return f"needs more than {gigabytes:g} GB" if gigabytes >= 1 else f"needs more than {limits.memory_bytes >> 20} MB"


def _reaped(process: "subprocess.Popen[bytes]") -> tuple[int, int]:
    """Exit code, negative for a signal, and the most memory it had, 0 where nobody knows."""
    if sys.platform != "win32" and process.returncode is None:
        with suppress(ChildProcessError):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1 << 10)
    return process.wait(), 0


def _start(said: IO[bytes]) -> "subprocess.Popen[bytes]":
    """A new process. said: takes what it has to say until it is ready."""
    if not sys.executable:
        raise RoomError("sys.executable is empty: this Python cannot start another one to read files in")
    environment = dict(os.environ)
    if getattr(sys, "frozen", False):
        command = [sys.executable]
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
