"""A file as readers get it, and how much of it they may unpack."""

from dataclasses import dataclass, field
from typing import IO

from colibri.files.text import Unreadable

_CHUNK = 1 << 20


@dataclass
class Budget:
    """Bytes that packed parts of one file may become, counted as they are really unpacked, whatever a header says.

    total_bytes  of all parts together, those of files inside the file included
    part_bytes   of one part
    """

    total_bytes: int = 512 << 20
    part_bytes: int = 100 << 20
    used_bytes: int = 0

    def unpack(self, stream: IO[bytes], name: str) -> bytes:
        """All bytes of an unpacking stream. Raises Unreadable as soon as they are too many. name: of the part."""
        counted = Counted(stream, name, self)
        return b"".join(iter(counted.read, b""))


class Counted:
    """An unpacking stream that is read piece by piece within a budget. name: of the part."""

    def __init__(self, stream: IO[bytes], name: str, budget: Budget) -> None:
        self._stream = stream
        self._name = name
        self._budget = budget
        self._size = 0

    def read(self, size: int = _CHUNK) -> bytes:
        """Raises Unreadable as soon as they are too many."""
        piece = self._stream.read(size)
        self._size += len(piece)
        self._budget.used_bytes += len(piece)
        if self._size > self._budget.part_bytes:
            raise Unreadable(f"{self._name} unpacks to more than {self._budget.part_bytes >> 20} MB")
        if self._budget.used_bytes > self._budget.total_bytes:
            raise Unreadable(f"unpacks to more than {self._budget.total_bytes >> 20} MB")
        return piece


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file. name: its own, or its path inside the file that holds it."""

    name: str
    data: bytes
    budget: Budget = field(default_factory=Budget)
