"""The JSON files beside an index that users of RAGatouille read, told from what the index holds."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colibri.compat.colbert.index_folder import write_json

if TYPE_CHECKING:
    from colibri.index import Index

COLLECTION, DOCUMENTS, METADATA = "collection.json", "pid_docid_map.json", "docid_metadata_map.json"


def write_files(index: "Index", folder: Path) -> None:
    """collection.json (texts by passage number, "" where one was deleted), pid_docid_map.json and, where there is any,
    docid_metadata_map.json."""
    texts: dict[int, str] = {}
    owners: dict[str, str] = {}
    known: dict[str, Any] = {}
    for stored in index.documents():
        payload = stored.payload or {}
        texts[int(stored.id)] = stored.text or ""
        owners[stored.id] = payload["document_id"]
        if "metadata" in payload:
            known[payload["document_id"]] = payload["metadata"]
    write_json(folder / COLLECTION, [texts.get(pid, "") for pid in range(max(texts, default=-1) + 1)])
    write_json(folder / METADATA, known)
    write_json(folder / DOCUMENTS, {pid: owners[pid] for pid in sorted(owners, key=int)})  # last: it is compared
    if not known:
        (folder / METADATA).unlink()


def mend_files(index: "Index") -> None:
    """Write them anew where a process was killed between the index and them. What SQLite holds is the truth."""
    owners = {found: (payload or {}).get("document_id") for found, payload in index.payloads()}
    try:
        said = json.loads((index.path / DOCUMENTS).read_text(encoding="utf-8"))
        texts = json.loads((index.path / COLLECTION).read_text(encoding="utf-8"))
        whole = said == owners and len(texts) == max(map(int, owners), default=-1) + 1
    except (OSError, ValueError, TypeError):
        whole = False
    if not whole:
        write_files(index, index.path)


def read_plaid(folder: Path) -> tuple[list[str], dict[str, Any]] | None:
    """(document id of each passage, metadata by document id) of what RAGatouille wrote; None: it did not write this.

    After deletions RAGatouille's numbers have gaps and its texts have not: the order of both is the same.
    """
    try:
        owners = json.loads((folder / DOCUMENTS).read_text(encoding="utf-8"))
    except OSError:
        return None
    try:
        known = json.loads((folder / METADATA).read_text(encoding="utf-8")) or {}
    except OSError:
        known = {}
    return [str(owners[pid]) for pid in sorted(owners, key=int)], known
