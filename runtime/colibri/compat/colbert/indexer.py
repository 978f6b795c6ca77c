"""Indexer: a collection of passages as an index on disk."""

from pathlib import Path
from typing import Any

from colibri.compat.colbert import index_folder
from colibri.compat.colbert.asserted import OVERWRITE, Refused, check
from colibri.compat.colbert.data.collection import Collection
from colibri.compat.colbert.infra.config.config import ColBERTConfig
from colibri.compat.colbert.infra.run import Run
from colibri.compat.colbert.modeling.checkpoint import Checkpoint


class Indexer:
    """`Indexer(checkpoint="colbert-ir/colbertv2.0").index(name="notes", collection=[...])`.

    checkpoint  any name that `colibri.load` takes, or a Checkpoint
    config      settings over those of the artefact; what `Run().config` was given goes before it
    """

    def __init__(self, checkpoint: Any, config: Any = None, verbose: int = 3) -> None:
        self.index_path: str | None = None
        self.verbose = verbose
        self._checkpoint = Checkpoint(checkpoint, ColBERTConfig.from_existing(config, Run().config), verbose=verbose)
        self.checkpoint = self._checkpoint.name
        self.config = self._checkpoint.colbert_config
        self.checkpoint_config = ColBERTConfig.from_existing(self.config)
        self.configure(checkpoint=self.checkpoint)

    def configure(self, **settings: Any) -> None:
        """Set several of `config`; names that are no settings are left out."""
        self.config.configure(**settings)

    def get_index(self) -> str | None:
        """The path of the last index."""
        return self.index_path

    def index(self, name: str, collection: Any, overwrite: bool | str = False) -> str:
        """Make an index `name` of a list of texts, a .tsv file or a Collection; its path, below
        root/experiment/indexes/.

        overwrite  False: Refused (AssertionError) where the path is there; True, "force_silent_overwrite": replaced
                   when the new one is complete; "reuse": an index that is there stays as it is; "resume": it gets the
                   passages it lacks

        Raises InputTypeError for a passage that is no text, before any work; StoreError where what would be replaced
        is no index.
        """
        from colibri import checks

        if not any(overwrite is word or overwrite == word for word in OVERWRITE):
            raise Refused(f"overwrite: found {overwrite!r}, wanted {', '.join(map(repr, OVERWRITE))}")
        name = index_folder.checked_name(name, "name")
        self.configure(index_name=name, resume=overwrite == "resume")
        where = self.config.index_path_
        folder = Path(where)
        check(overwrite or not folder.exists(), where)  # the path alone, as there
        self.index_path = where
        there = index_folder.is_index(folder) or index_folder.is_plaid(folder)
        if overwrite == "reuse" and there:
            return where
        given = Collection.cast(collection)
        passages = checks.listed_texts(given, "collection")
        self.configure(collection=given.provenance())
        if overwrite == "resume" and index_folder.is_index(folder):
            with index_folder.opened(folder, self._checkpoint.colibri) as index:
                index_folder.added(index, self._checkpoint, passages[index_folder.next_pid(index) :])
        else:
            index_folder.built(folder, self._checkpoint, passages, self.config)
        return where
