"""IndexUpdater: passages added to an index and removed from it."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any

from colibri.compat.colbert import index_folder
from colibri.compat.colbert.modeling.checkpoint import Checkpoint
from colibri.compat.colbert.searcher import Searcher
from colibri.errors import InputError, InputTypeError


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
        from colibri import checks

        texts = checks.listed_texts(passages, "passages")
        return index_folder.added(self.searcher._index, self.checkpoint, texts)

    def remove(self, pids: Sequence[int]) -> None:
        """Remove passages by pid. Raises InputError (ValueError) for pids that the index never had; then none goes."""
        if not isinstance(pids, Iterable) or isinstance(pids, str | bytes):
            raise InputTypeError(f"pids: found {type(pids).__name__}, wanted a list of whole numbers")
        pids = [operator.index(pid) if hasattr(pid, "__index__") else pid for pid in pids]
        if other := [pid for pid in pids if not isinstance(pid, int)]:
            raise InputTypeError(f"pids: found {other[0]!r}, wanted whole numbers")
        most = index_folder.next_pid(self.searcher._index)
        if invalid := [pid for pid in pids if not 0 <= pid < most]:
            raise InputError("Invalid PIDs", invalid)
        # Numbers that were used are remembered, whichever passages are left.
        index_folder.write_metadata(self.searcher._index.path, self.searcher.index_config, most)
        self.searcher._index.delete([str(pid) for pid in pids])
        self.removed_pids.extend(pids)

    def persist_to_disk(self) -> None:
        """Nothing: it is there."""
