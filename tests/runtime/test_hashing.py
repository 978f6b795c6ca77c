"""SHA-256 of files, whole and in parts."""

import hashlib
import os
from pathlib import Path

import pytest

from colibri.hashing import PART_BYTES, file_sha256, part_count

SIZES = [0, 1, 16 << 20, (16 << 20) + 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 2 * PART_BYTES + 3]


@pytest.mark.parametrize("size", SIZES)
def test_hashes_are_those_of_the_bytes(size: int, tmp_path: Path) -> None:
    raw = (os.urandom(1 << 20) * (size // (1 << 20) + 1))[:size]
    (tmp_path / "file").write_bytes(raw)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(raw).hexdigest()
    parts = [raw[start : start + PART_BYTES] for start in range(0, size, PART_BYTES)]
    found = [file_sha256(tmp_path / "file", part) for part in range(len(parts))]
    assert found == [hashlib.sha256(part).hexdigest() for part in parts]
    assert part_count(size) == (len(parts) if len(parts) > 1 else 0)
