"""The local index: exact search over a folder on disk; nothing is trained, and nothing is ever lost.

    index = colibri.Index.open("notes.index")
    index.upsert([{"id": "berlin", "text": "Berlin has 3.7 million inhabitants.", "payload": {"lang": "en"}}])
    index.search("how many people live in Berlin?", k=3)

`index.py` is what users hold; `transaction.py` writes, `snapshot.py` reads, `catalogue.py` is the SQLite file and
`segments.py` the token rows beside it.
"""

from colibri.explain import Match, Span, highlights
from colibri.index.document import Document, Hit, PassageHit, Stored
from colibri.index.index import Index
from colibri.index.upkeep.operations import Stats
from colibri.index.upkeep.repair import Repair
from colibri.index.upkeep.verify import Verification

__all__ = [
    "Document",
    "Hit",
    "Index",
    "Match",
    "PassageHit",
    "Repair",
    "Span",
    "Stats",
    "Stored",
    "Verification",
    "highlights",
]
