"""Compact."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from colibri.index.disk import Disk
from colibri.index.transaction import Transaction


def compact(
    writing: Callable[[], AbstractContextManager[Transaction]], folder: Path, disk: Disk, dim: int, space_id: str
) -> int:
    return 0
