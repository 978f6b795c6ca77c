"""A program to freeze: reads the files it is given, and says what is in them."""

import colibri  # noqa: I001 - before anything else: as the process that reads files, the program ends here

import sys
from pathlib import Path

from colibri.files.reading import Read
from colibri.files.room.worker import Limits, Room

print(f"colibri {colibri.__version__}, frozen: {getattr(sys, 'frozen', False)}")
with Room(Limits()) as room:
    for word in sys.argv[1:]:
        for item in room.read(Path(word).name, Path(word).read_bytes()):
            assert isinstance(item, Read)
            print(item.reader, item.part.content.text)
