"""An index as versions without exact words made it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from colibri.index.storage import catalogue


def without_words(place: Path) -> None:
    """Take the words of an index that nobody has open."""
    with closing(sqlite3.connect(place / "index.sqlite")) as connection, connection:
        connection.execute("DROP TABLE words")
        connection.execute("DELETE FROM meta WHERE name IN ('words', 'worded')")
        value = "1"
        crc = catalogue.fact_crc("format", value)
        connection.execute("UPDATE meta SET value = ?, crc = ? WHERE name = 'format'", (value, crc))
