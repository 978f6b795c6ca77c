"""The local index: search over a folder on disk, exact or all but; nothing is trained, and nothing is ever lost.

    index = colibri.Index.open("notes.index")
    index.upsert([{"id": "berlin", "text": "Berlin has 3.7 million inhabitants.", "payload": {"lang": "en"}}])
    index.search("how many people live in Berlin?", k=3)

In come documents and queries, out go a folder and hits. `index.py` is what users hold; `storage/` keeps the bytes,
`upkeep/` looks after them, what lies beside them is what users meet. It stands on `model`, `scoring` and `explain`. It
must never import what knows files, stores or HTTP: `Index.sync` alone asks the door of `files`, by its name and when it
is called, and everything else here works without that wing.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = [
    "Document",
    "Gone",
    "Hit",
    "Index",
    "Match",
    "PassageHit",
    "Repair",
    "RowKind",
    "Span",
    "Stats",
    "Stored",
    "Synced",
    "Verification",
    "being_made",
    "by_one_alone",
    "highlights",
    "is_abandoned",
    "is_index_folder",
    "may_write",
    "refusal",
    "unwritten",
]

if TYPE_CHECKING:
    from colibri.explain import Match, highlights
    from colibri.index.asking import Asked, Mode, asked, checked_mode
    from colibri.index.document import (
        Document,
        Hit,
        PassageHit,
        Stored,
        all_ids,
        checked,
        id_list,
        part_of,
        payload_json,
        refusal,
    )
    from colibri.index.encoding import IndexModel, Passages
    from colibri.index.index import Index
    from colibri.index.lookup import can_be_there, document_of
    from colibri.index.opening import being_made, by_one_alone, is_abandoned, is_index_folder, may_write, unwritten
    from colibri.index.ready import Given, given_rows, passages_of
    from colibri.index.searching import of_texts, on_a_thread
    from colibri.index.storage.row_layout import RowKind
    from colibri.index.synced import Gone, Synced
    from colibri.index.upkeep.operations import Stats
    from colibri.index.upkeep.repair import Repair
    from colibri.index.upkeep.verify import Verification
    from colibri.index.where import check_where
    from colibri.vectors import Span
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "asking": "Asked Mode asked checked_mode",
            "document": "Document Hit PassageHit Stored all_ids checked id_list part_of payload_json refusal",
            "encoding": "IndexModel Passages",
            "index": "Index",
            "lookup": "can_be_there document_of",
            "opening": "being_made by_one_alone is_abandoned is_index_folder may_write unwritten",
            "ready": "Given given_rows passages_of",
            "searching": "of_texts on_a_thread",
            "storage.row_layout": "RowKind",
            "synced": "Gone Synced",
            "upkeep.operations": "Stats",
            "upkeep.repair": "Repair",
            "upkeep.verify": "Verification",
            "where": "check_where",
        },
        {"colibri.explain": "Match highlights", "colibri.vectors": "Span"},
    )
