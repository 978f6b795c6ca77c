"""Stanford ColBERT (colbert-ai 0.2.22) as its users import it: `from colibri.compat.colbert import Indexer, Searcher`.

Deep imports are the same below this name (`colibri.compat.colbert.modeling.checkpoint`). An index is a folder of
`colibri.Index`, searched exactly; a checkpoint's name is any name that `colibri.load` takes.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = ["Checkpoint", "IndexUpdater", "Indexer", "Searcher", "Trainer"]

if TYPE_CHECKING:
    from colibri.compat.colbert.index_updater import IndexUpdater
    from colibri.compat.colbert.indexer import Indexer
    from colibri.compat.colbert.modeling.checkpoint import Checkpoint
    from colibri.compat.colbert.searcher import Searcher
    from colibri.compat.colbert.trainer import Trainer
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "index_updater": "IndexUpdater",
            "indexer": "Indexer",
            "modeling.checkpoint": "Checkpoint",
            "searcher": "Searcher",
            "trainer": "Trainer",
        },
    )
