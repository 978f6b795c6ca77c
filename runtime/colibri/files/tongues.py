"""Documents that were indexed before the language of a text was noted get theirs."""

from colibri.files.tongue import language_of
from colibri.index import Index

_AT_ONCE = 500  # documents of a transaction


def note_languages(index: Index) -> int:
    """Of all documents of files that have none; nothing is encoded. How many there were."""
    wanted = {"file.path": {"$exists": True}, "file.language": {"$exists": False}}
    ids = [found_id for found_id, _ in index.payloads(wanted)]
    return sum(_noted(index, ids[first : first + _AT_ONCE]) for first in range(0, len(ids), _AT_ONCE))


def _noted(index: Index, ids: list[str]) -> int:
    payloads = {}
    for stored in index.get(ids):
        file = None if stored is None or stored.payload is None else stored.payload.get("file")
        if stored is not None and isinstance(file, dict) and "language" not in file:
            own = {**file, "language": language_of(stored.text or "")}
            payloads[stored.id] = {**(stored.payload or {}), "file": own}
    return index.set_payloads(payloads) if payloads else 0
