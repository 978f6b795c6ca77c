"""The process that does the work, as the program has it; or, where no process can be started, a thread."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import IO, Any, Protocol

from colibri.files.follow import VARIABLE
from colibri.files.follow.work import Interrupted, Work, failure
from colibri.machine import another_python

_END_SECONDS = 5.0  # to end by itself; ended by force it loses what was not committed yet, which is as little
Hear = Callable[[dict[str, Any]], object]


class Worker(Protocol):
    """Does one look at a time. What it has to tell goes to the `hear` it was made with, in a thread of its own: changes
    of the state, then "done", "failed" or "interrupted". What it has to do is told with "roots", when they are
    remembered, and whether it is "long"."""

    def warm(self) -> None:
        """Load what a look at something new needs, before it is asked for."""

    def look(self, asked: Mapping[str, Any]) -> None:
        """Begin one."""

    def interrupt(self) -> None:
        """Have the one under way end, and keep what was committed."""

    def close(self) -> None:
        """End it, whatever it is doing."""


def started(place: Path, options: Mapping[str, Any], limits: Mapping[str, Any], hear: Hear) -> Worker:
    """A process; a thread of this one where none can be started. options, limits: see `Work`."""
    try:
        return _Process(place, options, limits, hear)
    except OSError:
        return _Thread(place, options, limits, hear)


class _Process:
    """Ends, with what it starts, when this program does, however that ends."""

    def __init__(self, place: Path, options: Mapping[str, Any], limits: Mapping[str, Any], hear: Hear) -> None:
        if not sys.executable:
            raise FileNotFoundError("sys.executable is empty: this Python cannot start another one")
        command, environment = another_python("colibri.files.follow.__main__", VARIABLE)
        self._started = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        assert self._started.stdin is not None
        assert self._started.stdout is not None
        self._asked: IO[bytes] = self._started.stdin
        self._closed = False
        self._thread = Thread(target=self._listen, args=(self._started.stdout, hear), daemon=True)
        self._thread.start()
        self._send({"place": str(place.absolute()), "options": dict(options), "limits": dict(limits)})

    def warm(self) -> None:
        """See `Worker`."""
        self._send({"warm": True})

    def look(self, asked: Mapping[str, Any]) -> None:
        """See `Worker`."""
        self._send(asked)

    def interrupt(self) -> None:
        """See `Worker`."""
        self._send({"stop": True})

    def close(self) -> None:
        """See `Worker`."""
        self._closed = True
        with suppress(OSError):
            self._asked.close()
        try:
            self._started.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._started.kill()
            self._started.wait()
        self._thread.join()
        assert self._started.stdout is not None
        self._started.stdout.close()

    def _send(self, message: Mapping[str, Any]) -> None:
        with suppress(OSError):  # it is gone, which `_listen` tells
            self._asked.write(json.dumps(message).encode() + b"\n")
            self._asked.flush()

    def _listen(self, answers: IO[bytes], hear: Hear) -> None:
        with suppress(OSError, ValueError):
            for line in answers:
                hear(json.loads(line))
        if not self._closed:
            code = self._started.wait()
            why = f"signal {-code}" if code < 0 else f"exit code {code}"
            hear({"failed": f"the process that indexes ended ({why})", "kind": "ended"})


class _Thread:
    """The same in this process."""

    def __init__(self, place: Path, options: Mapping[str, Any], limits: Mapping[str, Any], hear: Hear) -> None:
        self._work = Work(place, options, limits=limits)
        self._hear = hear
        self._unwanted = Event()
        self._looks: SimpleQueue[Mapping[str, Any] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def warm(self) -> None:
        """See `Worker`: here that would be in the way of the program."""

    def look(self, asked: Mapping[str, Any]) -> None:
        """See `Worker`."""
        self._unwanted.clear()
        self._looks.put(asked)

    def interrupt(self) -> None:
        """See `Worker`."""
        self._unwanted.set()

    def close(self) -> None:
        """See `Worker`."""
        self._unwanted.set()
        self._looks.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (look := self._looks.get()) is not None:
            self._hear({"phase": "looking"})
            try:
                self._hear({"done": self._work.run(look, self._hear, self._unwanted.is_set)})
            except Interrupted as ended:
                self._hear({"interrupted": True, "long": ended.long})
            except Exception as error:  # told, and tried again
                self._work.close()
                self._hear(failure(error))
        self._work.close()
