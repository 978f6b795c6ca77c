"""The index that a RAGPretrainedModel has open: one of those in its folder, made, opened, changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colibri.compat.colbert import index_folder
from colibri.compat.colbert.asserted import OVERWRITE, Refused, said_as
from colibri.compat.colbert.infra.config.config import ColBERTConfig
from colibri.compat.ragatouille import index_files
from colibri.compat.ragatouille.passages import Passages, passages_of
from colibri.errors import InputError, StoreError

if TYPE_CHECKING:
    from colibri.compat.colbert.modeling.checkpoint import Checkpoint
    from colibri.index import Index


class OpenIndex:
    """None is open at first. checkpoint: what encodes. folder: where indexes lie, each under its name."""

    def __init__(self, checkpoint: "Checkpoint", folder: Path) -> None:
        self._checkpoint = checkpoint
        self._folder = folder
        self._name: str | None = None
        self._index: Index | None = None

    def opened(self, name: str | None) -> "Index":
        """The index of a name, or the one that is open. Raises StoreError where neither is, NotThere."""
        if self._index is not None and name in (None, self._name):
            return self._index
        if name is None:
            raise StoreError("no index is open: call index(...), name one (index_name=), or use from_index(path)")
        return self.open(index_folder.checked_name(name, "index_name"))

    def open(self, name: str) -> "Index":
        """Open the index of a name in place of the one that is; where that fails, that one stays."""
        folder = self._folder / name
        if index_folder.is_plaid(folder):
            config, payloads = self._config(name), _plaid_payloads(folder)
            folder = index_folder.reencoded(
                folder, self._checkpoint, None, config, payloads, beside=index_files.write_files
            )
        index = index_folder.opened(folder, self._checkpoint.colibri)
        try:
            index_files.mend_files(index)
            self._set_length(ColBERTConfig.load_from_index(folder).doc_maxlen)
        except BaseException:
            index.close()
            raise
        self._close()
        self._index, self._name = index, name
        return index

    def build(self, name: str | None, overwrite: bool | str, length: int, made: Callable[[], Passages]) -> str:
        """Make an index of passages cut at `length` tokens, and open it; its path. Overwriting as `Indexer.index` says.
        What fails leaves the index that was open open, and every other as it was."""
        if not any(overwrite is word or overwrite == word for word in OVERWRITE):
            raise Refused(f"overwrite_index: found {overwrite!r}, wanted {', '.join(map(repr, OVERWRITE))}")
        name = f"{self._checkpoint.name}new_index" if name is None else index_folder.checked_name(name, "index_name")
        folder, before, length_before = self._folder / name, self._name, self._checkpoint.doc_tokenizer.doc_maxlen
        try:
            self._set_length(length)
            passages = made()
            there = index_folder.is_index(folder)
            if not overwrite and folder.exists():
                raise Refused(f"{folder}: is there already; overwrite_index=True replaces it")
            if overwrite == "resume" and there:
                self.open(name)
                self.add(passages)
            elif not (overwrite == "reuse" and there):
                self._close()
                config = self._config(name)
                index_folder.built(
                    folder,
                    self._checkpoint,
                    passages.texts,
                    config,
                    passages.payloads,
                    beside=index_files.write_files,
                )
            self.open(name)
        except BaseException:
            self._checkpoint.doc_tokenizer.doc_maxlen = length_before
            if before is not None and self._index is None:
                self.open(before)
            raise
        return str(folder)

    def add(self, passages: Passages) -> None:
        """Passages of documents that the open index lacks."""
        index = self.opened(None)
        there = {(payload or {}).get("document_id") for _, payload in index.payloads()}
        new = passages.without({found for found in there if found is not None})
        if new.texts:
            index_folder.added(index, self._checkpoint, new.texts, new.payloads)
            index_files.write_files(index, index.path)

    def delete(self, document_ids: Iterable[str]) -> None:
        """All passages of these documents."""
        index = self.opened(None)
        most = index_folder.next_pid(index)  # numbers of passages are not used again
        index_folder.write_metadata(index.path, ColBERTConfig.load_from_index(index.path), most)
        index.delete(self.pids_of(document_ids))
        index_files.write_files(index, index.path)

    def pids_of(self, document_ids: Iterable[str]) -> list[str]:
        """The passages of documents, as the open index knows them."""
        wanted = set(document_ids)
        payloads = self.opened(None).payloads()
        return [found for found, payload in payloads if (payload or {}).get("document_id") in wanted]

    def passages(
        self,
        collection: Sequence[str],
        document_ids: Sequence[str] | None,
        metadatas: Sequence[Mapping[str, Any] | None] | None,
        splitter: Callable[..., Any] | None,
        preprocess: Callable[..., Any] | list[Callable[..., Any]] | None,
    ) -> Passages:
        """Documents as passages of the length that is set; see `passages_of`."""
        length = self._checkpoint.doc_tokenizer.doc_maxlen
        return passages_of(self._checkpoint.colibri, collection, document_ids, metadatas, splitter, preprocess, length)

    def _close(self) -> None:
        if self._index is not None:
            self._index.close()
        self._index = None

    def _config(self, name: str) -> ColBERTConfig:
        own = ColBERTConfig.from_existing(self._checkpoint.colbert_config)
        own.configure(
            checkpoint=self._checkpoint.name,
            doc_maxlen=self._checkpoint.doc_tokenizer.doc_maxlen,
            index_name=name,
            root=str(self._folder),
            experiment="colbert",
        )
        return own

    def _set_length(self, tokens: int) -> None:
        """Where passages are cut. Raises InputError beyond what the graph takes; then it stays."""
        before = self._checkpoint.doc_tokenizer.doc_maxlen
        self._checkpoint.doc_tokenizer.doc_maxlen = tokens
        try:
            with said_as("doc_maxlen", "max_document_length"):
                self._checkpoint.document_vectors([])
        except InputError:
            self._checkpoint.doc_tokenizer.doc_maxlen = before
            raise


def _plaid_payloads(folder: Path) -> Callable[[int], index_folder.Payloads]:
    """What RAGatouille knew of each passage. Raises StoreError where its files do not belong together."""

    def payloads(count: int) -> index_folder.Payloads:
        try:
            read = index_files.read_plaid(folder)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise StoreError(f"{folder}: {index_files.DOCUMENTS} cannot be read ({error})") from error
        owners, known = read or ([str(pid) for pid in range(count)], {})
        if len(owners) != count:
            raise StoreError(f"{folder}: {index_files.DOCUMENTS} names {len(owners)} passages, of {count} texts")
        return [
            {"document_id": owner} | ({"metadata": known[owner]} if known.get(owner) is not None else {})
            for owner in owners
        ]

    return payloads
