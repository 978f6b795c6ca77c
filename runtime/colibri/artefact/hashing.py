"""SHA-256 of files, whole and in parts."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

PART_BYTES = 64 << 20
"""Of a large file that is hashed in parts: 40 ms of a core. A whole file has one order: no second core helps."""
_BLOCK_BYTES = 8 << 20  # few enough turns of the GIL that a long call of another thread does not stretch this one


def part_count(size_bytes: int) -> int:
    """How many parts a file of so many bytes has: none where it is no larger than one."""
    return -(-size_bytes // PART_BYTES) if size_bytes > PART_BYTES else 0


def file_sha256(path: Path, part: int | None = None) -> str:
    """SHA-256 of a file, hexadecimal, or of one of its parts. The GIL is free while it hashes. Raises OSError."""
    digest = hashlib.sha256()
    for block in _blocks(path, part):
        digest.update(block)
    return digest.hexdigest()


def _blocks(path: Path, part: int | None) -> Iterator[memoryview]:
    left = path.stat().st_size if part is None else PART_BYTES
    buffer = memoryview(bytearray(min(_BLOCK_BYTES, left)))
    with path.open("rb", buffering=0) as file:
        if part is not None:
            file.seek(part * PART_BYTES)
        while left > 0 and (count := file.readinto(buffer[:left])):
            yield buffer[:count]
            left -= count
