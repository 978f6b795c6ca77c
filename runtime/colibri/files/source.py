"""A file as readers get it, how much of it they may unpack, and how long they may take."""

import math
import time
from dataclasses import dataclass, field
from typing import IO

from colibri.files.text import Unreadable

_CHUNK = 1 << 20


@dataclass
class Budget:
    """Bytes that packed parts of one file may become, counted as they are really unpacked, whatever a header says.

    total_bytes  of all parts together, those of files inside the file included
    part_bytes   of one part
    until        when a reader of many pages should end with what it has, by `time.monotonic`
    """

    total_bytes: int = 512 << 20
    part_bytes: int = 100 << 20
    used_bytes: int = 0
    until: float = math.inf

    @property
    def late(self) -> bool:
        """Whether the file's time is nearly over: what is read by now is kept if the reader ends, and lost if not."""
        return time.monotonic() >= self.until

    def unpack(self, stream: IO[bytes], name: str) -> bytes:
        """All bytes of an unpacking stream. Raises Unreadable as soon as they are too many. name: of the part."""
        chunks, size = [], 0
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            self.used_bytes += len(chunk)
            if size > self.part_bytes:
                raise Unreadable(f"{name} unpacks to more than {self.part_bytes >> 20} MB")
            if self.used_bytes > self.total_bytes:
                raise Unreadable(f"unpacks to more than {self.total_bytes >> 20} MB")
            chunks.append(chunk)
        return b"".join(chunks)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file. name: its own, or its path inside the file that holds it."""

    name: str
    data: bytes
    budget: Budget = field(default_factory=Budget)
