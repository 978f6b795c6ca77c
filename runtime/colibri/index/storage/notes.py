"""What a program above keeps with an index, such as the folders that it is filled from: a JSON value under a name.

Rows of `meta` beside the index's own facts, each with its checksum. A program that is older than notes reads past them,
and drops them when it repairs; `Index.export` leaves them out, since they are of this folder and not of its documents.
"""

import json
import sqlite3
from typing import Any

from colibri.errors import StoreDamaged
from colibri.index.storage.catalogue import fact_crc, write_fact

_PREFIX = "note."


def read(connection: sqlite3.Connection, name: str) -> Any:
    """The value; None where there is none. Raises StoreDamaged for one that changed on disk."""
    row = connection.execute("SELECT value, crc FROM meta WHERE name = ?", (_PREFIX + name,)).fetchone()
    if row is None:
        return None
    if not isinstance(row[0], str) or row[1] != fact_crc(_PREFIX + name, row[0]):
        raise StoreDamaged(f"what is kept under {name!r} changed on disk; `colibri index --repair` drops it")
    return json.loads(row[0])


def write(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Within a transaction. None takes it out."""
    if value is None:
        connection.execute("DELETE FROM meta WHERE name = ?", (_PREFIX + name,))
    else:
        write_fact(connection, _PREFIX + name, json.dumps(value))


def whole(connection: sqlite3.Connection) -> dict[str, str]:
    """Rows of all that are what was written, by their names in `meta`."""
    return {
        name: value
        for name, value, crc in connection.execute("SELECT name, value, crc FROM meta")
        if isinstance(name, str) and name.startswith(_PREFIX) and isinstance(value, str)
        if crc == fact_crc(name, value)
    }
