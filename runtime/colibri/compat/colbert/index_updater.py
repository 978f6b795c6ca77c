"""IndexUpdater: passages added to an index and removed from it."""

from collections.abc import Sequence
from typing import Any

from colibri.compat.colbert import index_folder
from colibri.compat.colbert.modeling.checkpoint import Checkpoint
from colibri.compat.colbert.searcher import Searcher
from colibri.errors import InputError


class IndexUpdater:
    """Every call is on the disk when it returns, and the searcher sees it; `persist_to_disk` has nothing left to do.

    checkpoint: what encodes; None: the searcher's
    """

    def __init__(self, config: Any, searcher: Searcher, checkpoint: Any = None) -> None:
        self.config = config
        self.searcher = searcher
        self.index_path = searcher.index
        self.checkpoint = searcher.checkpoint if checkpoint is None else Checkpoint(checkpoint, searcher.config)
        self.removed_pids: list[int] = []

    def add(self, passages: Sequence[str]) -> list[int]:
        """Add passages, all or none; their pids, which no passage had before."""
        if isinstance(passages, str):
            raise InputError("passages: found one string, wanted a list of texts")
        return index_folder.added(self.searcher._index, self.checkpoint, list(passages))

    def remove(self, pids: Sequence[int]) -> None:
        """Remove passages by pid. Raises InputError (ValueError) for pids that the index never had; then none goes."""
        most = index_folder.next_pid(self.searcher._index)
        if invalid := [pid for pid in pids if not 0 <= pid < most]:
            raise InputError("Invalid PIDs", invalid)
        # Numbers that were used are remembered, whichever passages are left.
        index_folder.write_metadata(self.searcher._index.path, self.searcher.index_config, most)
        self.searcher._index.delete([str(int(pid)) for pid in pids])
        self.removed_pids.extend(int(pid) for pid in pids)

    def persist_to_disk(self) -> None:
        """Nothing: it is there."""
