"""Where vectors are kept: one protocol, whatever is behind it. `colibri.Index` is the local one.

In come documents and queries, out come hits. `QdrantStore` keeps them in a Qdrant collection, `QdrantEdgeStore` in a
folder that Qdrant Edge looks after; both are `point_store` over an `engine`. It stands on `index` and `explain`, for
their words, and imports neither of Qdrant's packages before one is used. A store must never rank by a score of its own:
what ranks is MaxSim as `colibri.scoring` means it.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = ["Document", "Hit", "Match", "PassageHit", "QdrantEdgeStore", "QdrantStore", "Span", "Store", "Stored"]

if TYPE_CHECKING:
    from colibri.explain import Match
    from colibri.index import Document, Hit, PassageHit, Stored
    from colibri.stores.calls import as_calls
    from colibri.stores.connecting import connected
    from colibri.stores.edge import QdrantEdgeStore
    from colibri.stores.layout import Layout, new_names
    from colibri.stores.moving import Moved
    from colibri.stores.point_store import PointStore
    from colibri.stores.protocol import Store
    from colibri.stores.qdrant import QdrantStore
    from colibri.vectors import Span
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "calls": "as_calls",
            "connecting": "connected",
            "edge": "QdrantEdgeStore",
            "protocol": "Store",
            "layout": "Layout new_names",
            "moving": "Moved",
            "point_store": "PointStore",
            "qdrant": "QdrantStore",
        },
        {"colibri.explain": "Match", "colibri.index": "Document Hit PassageHit Stored", "colibri.vectors": "Span"},
    )
