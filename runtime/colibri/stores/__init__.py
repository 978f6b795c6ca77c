"""Where vectors are kept: one protocol, whatever is behind it. `colibri.Index` is the local one.

In come documents and queries, out come hits. It stands on `index` and `explain`, for their words. A store must never
rank by a score of its own: what ranks is MaxSim as `colibri.scoring` means it.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = ["Document", "Hit", "Match", "PassageHit", "Span", "Store", "Stored"]

if TYPE_CHECKING:
    from colibri.explain import Match
    from colibri.index import Document, Hit, PassageHit, Stored
    from colibri.stores.protocol import Store
    from colibri.vectors import Span
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "protocol": "Store",
        },
        {"colibri.explain": "Match", "colibri.index": "Document Hit PassageHit Stored", "colibri.vectors": "Span"},
    )
