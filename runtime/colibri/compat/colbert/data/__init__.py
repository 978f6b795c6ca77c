"""`from colbert.data import Queries, Collection, Ranking`."""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = ["Collection", "Queries", "Ranking"]

if TYPE_CHECKING:
    from colibri.compat.colbert.data.collection import Collection
    from colibri.compat.colbert.data.queries import Queries
    from colibri.compat.colbert.data.ranking import Ranking
else:
    __getattr__, __dir__ = door(__name__, {"collection": "Collection", "queries": "Queries", "ranking": "Ranking"})
