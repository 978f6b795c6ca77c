"""The program's side of the room: a process is started when the first file comes, and again after one ended."""

import time
from collections.abc import Iterator
from typing import Self

from colibri.errors import MissingExtra
from colibri.files.reading import Item
from colibri.files.room import memory
from colibri.files.room.frames import Frame, item_of
from colibri.files.room.process import Ended, Limits, Process, RoomError, too_much
from colibri.files.text import Unreadable

__all__ = ["Limits", "Room", "RoomError"]


class Room:
    """Reads files one after the other. Close it, or use it in a `with`."""

    def __init__(self, limits: Limits, *, watch: bool = not memory.LIMITED) -> None:
        """watch: whether to watch the process's memory from here, as is done where the system does not limit it."""
        self._limits = limits
        self._watch = watch
        self._process: Process | None = None
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
            whole = not isinstance(error, Ended)
            raise
        finally:
            if not whole:  # nobody takes the rest of its answers
                self.close()

    def _start(self) -> Process:
        if self._closed_for is not None:  # it would be so for each of a thousand files
            raise self._closed_for
        try:
            return Process(self._limits, self._watch)
        except RoomError as error:
            self._closed_for = error
            raise

    def _read(self, process: Process, name: str, data: bytes) -> Iterator[Item]:
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
                    raise Ended(too_much(self._limits))
                case "missing":
                    raise MissingExtra(frame.fields["why"])
                case "unreadable":
                    raise Unreadable(frame.fields["why"])
            yield item_of(frame)
