"""Other ids for documents: their rows, passages and texts stay where they are."""

from collections.abc import Callable, Mapping
from uuid import uuid4

from colibri.errors import InputError
from colibri.index.document import Payload, payload_json
from colibri.index.storage.checksums import document_crc
from colibri.index.storage.reading import Row, head_by_id
from colibri.index.storage.transaction import Transaction

Change = Callable[[str, Payload | None], Mapping[str, object] | None]
"""A document's old id and payload to its new payload."""


def rename(transaction: Transaction, names: Mapping[str, str], change: Change) -> int:
    """Old ids to new ones, within a transaction; how many there were. Names may be swapped or handed on in a ring.

    A document that has one of the new ids, and gets no other, is replaced. Raises InputError when two get the same id.
    """
    if len(set(names.values())) < len(names):
        raise InputError("rename: two documents would get the same id")
    transaction.flush()
    run = transaction.connection.execute
    found = {row.id: row for old in names if (row := head_by_id(transaction.connection, old)) is not None}
    taken = [new for old, new in names.items() if old in found and new not in found]
    transaction.remove(taken)
    payloads = {old: payload_json(change(old, row.shown_payload), repr(names[old])) for old, row in found.items()}
    if transaction.words is not None:  # as long as the documents are what was written
        for old, row in found.items():
            transaction.words.change(row.number, row.payload, payloads[old])
    between = f"renamed-{uuid4()}-"  # an id is unique at every step
    moved = [(old, names[old]) for old in found if names[old] != old]
    for old, _ in moved:
        run("UPDATE documents SET id = ? WHERE number = ?", (f"{between}{found[old].number}", found[old].number))
    for old, row in found.items():
        _write(transaction, row, names[old], payloads[old])
    return len(found)


def _write(transaction: Transaction, row: Row, new: str, payload: str | None) -> None:
    crc = document_crc(row.number, new, row.passages, payload, row.text_crc)
    transaction.connection.execute(
        "UPDATE documents SET id = ?, payload = ?, crc = ? WHERE number = ?", (new, payload, crc, row.number)
    )
