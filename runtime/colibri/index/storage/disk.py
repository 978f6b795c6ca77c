"""The file layer under segments. Everything the index writes itself goes through here, so that tests can stand in."""

import os
from pathlib import Path
from typing import BinaryIO

from colibri.index.storage.sharing import open_shared


class Disk:
    """Plain files. Each method does one thing to the disk, in the order it is called."""

    def create(self, path: Path) -> BinaryIO:
        """Open for reading and writing, made for all who may write its folder if it is not there; what it holds
        stays."""
        return os.fdopen(open_shared(path), "r+b", buffering=0)

    def write(self, file: BinaryIO, data: memoryview, offset: int) -> int:
        """Write at a place; returns how many bytes were taken, which may be fewer."""
        file.seek(offset)
        return file.write(data)

    def sync(self, file: BinaryIO) -> None:
        """The file's bytes are on the disk when this returns."""
        os.fsync(file.fileno())

    def sync_folder(self, folder: Path) -> None:
        """The folder's names are on the disk when this returns. Windows has no such call, and needs none on NTFS."""
        if os.name == "nt":
            return
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)

    def remove(self, path: Path) -> None:
        """Take the name away. Whoever has the file mapped keeps it; Windows refuses until nobody does."""
        path.unlink(missing_ok=True)

    def rename(self, path: Path, to: Path) -> None:
        """Give a file another name in its folder, which nothing has."""
        path.rename(to)

    def committed(self) -> None:
        """SQLite's commit has returned. Nothing to do; tests record it."""


def write_all(disk: Disk, file: BinaryIO, data: memoryview, offset: int) -> None:
    """All of it, however few bytes the disk takes at a time. Raises OSError when it takes none."""
    while len(data):
        taken = disk.write(file, data, offset)
        if taken <= 0:
            raise OSError(28, "the disk takes no more", getattr(file, "name", None))
        data = data[taken:]
        offset += taken
