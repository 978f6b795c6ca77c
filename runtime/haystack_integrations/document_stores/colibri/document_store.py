"""A document store over an index or store of ours. Documents are encoded as they are written: no embedder is needed."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haystack import Document, default_from_dict, default_to_dict
from haystack.core.errors import SerializationError
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy

import colibri
from colibri.checks import is_count
from colibri.compat.found import Content, shown
from colibri.compat.opened import opened
from colibri.errors import InputError, InputTypeError
from colibri.index import Hit
from haystack_integrations.document_stores.colibri import metadata
from haystack_integrations.document_stores.colibri.documents import OWN, put, restored
from haystack_integrations.document_stores.colibri.filters import Filters, checked, matches, narrowed, reads_content
from haystack_integrations.document_stores.colibri.twins import on_a_thread

if TYPE_CHECKING:
    from colibri import Colibri
    from colibri.stores import Store


class ColibriDocumentStore:
    """Documents in a folder, found by MaxSim; no embedding is asked for, and one that a document brings is only kept.

    index   a folder, a `colibri.Index`, or any `colibri.stores.Store` (Qdrant)
    model   for a folder: what encodes texts, as `colibri.Index.open` takes it; None: the index's own, of a new one the
            model that comes along
    dim     for a folder: width of a new index's rows; None: the model's smallest head
    create  whether to make an index where there is none

    `content` is the text, `meta` the payload: an index of `colibri index` is a document store as it is, and
    `colibri search` searches what this one wrote. `meta` comes back as JSON has it: a tuple as a list; a field that
    JSON has no word for is an InputError that names it. `score` is not kept. Filters are Haystack's own function's, of
    the version that is installed.

    Raises as `Index.open`. Wrong input is a ValueError (InputError) or a FilterError, before any work.
    """

    def __init__(
        self,
        index: "str | os.PathLike[str] | Store",
        model: "Colibri | str | os.PathLike[str] | None" = None,
        dim: int | None = None,
        create: bool = True,
    ) -> None:
        self._opened = isinstance(index, str | os.PathLike)
        self._model = os.fspath(model) if isinstance(model, str | os.PathLike) else None
        self._create = create
        self.index: Store = opened(index, model, dim=dim, create=create)
        """What is behind it, for all that Colibri can do."""

    def to_dict(self) -> dict[str, Any]:
        """What a saved pipeline keeps of it: where it is, not what is in it. Raises SerializationError for a store that
        is in no folder."""
        if not isinstance(self.index, colibri.Index):
            raise SerializationError(
                f"a pipeline over a {type(self.index).__name__} cannot be saved, since its client cannot; make the "
                "store and its retriever in code"
            )
        model = self._model or self.index.model_name or None
        words = {"index": str(self.index.path), "model": model, "dim": self.index.dim, "create": self._create}
        return dict(default_to_dict(self, **words))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ColibriDocumentStore":
        """One as `to_dict` told of it."""
        made: ColibriDocumentStore = default_from_dict(cls, data)
        return made

    def close(self) -> None:
        """Close the index, if it was a folder that this opened. Closing twice is fine."""
        if self._opened:
            self.index.close()

    def count_documents(self) -> int:
        """How many there are."""
        return self.index.count()

    def count_documents_by_filter(self, filters: dict[str, Any]) -> int:
        """How many the filters keep."""
        asked = checked(filters)
        return self.count_documents() if asked is None else sum(1 for _ in self._kept(asked))

    def filter_documents(self, filters: dict[str, Any] | None = None) -> list[Document]:
        """Those that the filters keep, in the order they were written (Qdrant: of its points' ids); None: all."""
        asked = checked(filters)
        found = (restored(one.id, one.text, one.payload) for one in self.index.documents(narrowed(asked)))
        return [one for one in found if asked is None or matches(asked, one)]

    def write_documents(self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE) -> int:
        """Write them, all or none; how many. NONE is FAIL: DuplicateDocumentError for an id that is there already, or
        given twice. SKIP leaves those that are there. OVERWRITE replaces; of one id given twice the later counts."""
        if not isinstance(documents, list | tuple):
            raise InputTypeError(f"documents: found {type(documents).__name__}, wanted a list of Documents")
        for i, one in enumerate(documents):
            if not isinstance(one, Document):
                raise InputTypeError(f"documents[{i}]: found {type(one).__name__}, wanted a Document")
        given = [put(one) for one in documents]
        if policy is DuplicatePolicy.OVERWRITE:
            return self.index.upsert(given)
        if policy is DuplicatePolicy.SKIP:
            return self._add_new(given)
        count = Counter(one.id for one in given)
        _refuse(name for name in count if count[name] > 1)
        try:
            return self.index.add(given)
        except InputError:
            _refuse(name for name in count if name in self.index)
            raise

    def _add_new(self, given: list[colibri.Document]) -> int:
        first = {one.id: one for one in reversed(given)}
        while True:
            new = [one for one in reversed(first.values()) if one.id not in self.index]
            try:
                return self.index.add(new)
            except InputError:
                if not any(one.id in self.index for one in new):  # else another writer was faster: without those
                    raise

    def delete_documents(self, document_ids: list[str]) -> None:
        """Delete by ids; those that are not there are no error."""
        if isinstance(document_ids, str):
            raise InputTypeError("document_ids: found str, wanted a list of ids")
        self.index.delete(list(document_ids))

    def delete_all_documents(self, recreate_index: bool = False) -> None:
        """Delete all. recreate_index: `Index.compact` as well, where there is one."""
        self.index.delete(where={})
        if recreate_index and isinstance(self.index, colibri.Index):
            self.index.compact()

    def delete_by_filter(self, filters: dict[str, Any]) -> int:
        """Delete what the filters keep; how many. Raises FilterError for no filters at all."""
        return self.index.delete([found_id for found_id, _ in self._kept(self._some(filters))])

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any]) -> int:
        """Set fields of `meta` where the filters keep a document; how many. Nothing is encoded again."""
        if OWN in meta:
            raise InputError(f"meta: has {OWN!r}, which Colibri keeps for itself; name it otherwise")
        payloads = {found_id: {**payload, **meta} for found_id, payload in self._kept(self._some(filters))}
        if isinstance(self.index, colibri.Index):
            return self.index.set_payloads(payloads)
        stored = [one for one in self.index.get(list(payloads), vectors=True) if one is not None]
        return self.index.upsert(
            colibri.Document(id=one.id, text=one.text, payload=payloads[one.id], vectors=one.vectors) for one in stored
        )

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """Each field of any document's `meta`: {"type": "boolean", "int", "float" or "keyword"}."""
        return metadata.kinds(self._metas(None))

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, Any]:
        """The field's {"min", "max"}; None where no document has it, or some have texts and others numbers."""
        return metadata.extremes(self._metas(None), metadata_field)

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """`size` of the field's values behind the first `from_`, each once, by their texts; and how many there are.

        search_term: only those whose text has it in it, in whatever case
        """
        values = metadata.distinct(self._metas(checked(filters)), metadata_field)
        term = (search_term or "").lower()
        found = [value for value in values if term in str(value).lower()]
        return found[from_ : from_ + size], len(found)

    def count_unique_metadata_by_filter(self, filters: dict[str, Any], metadata_fields: list[str]) -> dict[str, int]:
        """How many values each field has among what the filters keep."""
        metas = list(self._metas(checked(filters)))
        return {metadata.key_of(name): len(metadata.distinct(metas, name)) for name in metadata_fields}

    def retrieve(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        scale_score: bool = False,
        content: Content = "document",
    ) -> list[Document]:
        """The best of what the filters keep, best first, with `score` and `meta["colibri"]`; see ColibriRetriever.

        Documents without content are never found. Raises FilterError, InputError, and as `Index.search`.
        """
        if not isinstance(query, str):
            raise InputTypeError(f"query: found {type(query).__name__}, wanted str")
        if not is_count(top_k):
            raise InputError(f"top_k: found {top_k!r}, wanted a whole number from 1")
        found = []
        for hit in self._hits(query, int(top_k), checked(filters)):
            text, note = shown(hit, content)
            own = restored(hit.id, text, hit.payload)
            score = note["normalised"] if scale_score else note["score"]
            found.append(replace(own, score=score, meta={**own.meta, "colibri": note}))
        return found

    def _hits(self, query: str, k: int, filters: Filters | None) -> list[Hit]:
        """The first k hits that the filters keep, looked for in pages that grow: nearly always the first has them."""
        where, kept, offset, count = narrowed(filters), dict[str, Hit](), 0, k
        while True:
            page = self.index.search(query, count, where, explain=True, offset=offset)
            for hit in page:
                document = restored(hit.id, hit.text, hit.payload)
                if document.content is not None and (filters is None or matches(filters, document)):
                    kept.setdefault(hit.id, hit)  # what is written meanwhile may move one to the next page
            if len(kept) >= k or len(page) < count:
                return list(kept.values())[:k]
            offset, count = offset + count, count * 4
            if filters is not None and offset > k and isinstance(self.index, colibri.Index):
                # Few are kept: their ids first, since hits cost more to make than payloads to read.
                ids = [found_id for found_id, payload in self._kept(filters) if _has_content(payload)]
                return self.index.search(query, k, explain=True, ids=ids)

    def _some(self, filters: object) -> Filters:
        asked = checked(filters)
        if asked is None:
            raise InputError("filters: found none, which would be all documents; delete_all_documents deletes those")
        return asked

    def _kept(self, filters: Filters) -> Iterator[tuple[str, dict[str, Any]]]:
        """Ids and payloads of what the filters keep; texts are read only where they decide."""
        where = narrowed(filters)
        heads = getattr(self.index, "payloads", None)
        if heads is None or reads_content(filters):
            found = ((one.id, one.text, one.payload or {}) for one in self.index.documents(where))
        else:
            found = ((found_id, "", payload) for found_id, payload in heads(where))
        for found_id, text, payload in found:
            if matches(filters, restored(found_id, text, payload)):
                yield found_id, payload

    def _metas(self, filters: Filters | None) -> Iterator[dict[str, Any]]:
        heads = getattr(self.index, "payloads", None)
        if filters is not None:
            found: Iterator[tuple[str, dict[str, Any]]] = self._kept(filters)
        elif heads is not None:
            found = heads()
        else:
            found = ((one.id, one.payload or {}) for one in self.index.documents())
        return ({key: value for key, value in payload.items() if key != OWN} for _, payload in found)

    close_async = on_a_thread(close)
    count_documents_async = on_a_thread(count_documents)
    count_documents_by_filter_async = on_a_thread(count_documents_by_filter)
    filter_documents_async = on_a_thread(filter_documents)
    write_documents_async = on_a_thread(write_documents)
    delete_documents_async = on_a_thread(delete_documents)
    delete_all_documents_async = on_a_thread(delete_all_documents)
    delete_by_filter_async = on_a_thread(delete_by_filter)
    update_by_filter_async = on_a_thread(update_by_filter)
    get_metadata_fields_info_async = on_a_thread(get_metadata_fields_info)
    get_metadata_field_min_max_async = on_a_thread(get_metadata_field_min_max)
    get_metadata_field_unique_values_async = on_a_thread(get_metadata_field_unique_values)
    count_unique_metadata_by_filter_async = on_a_thread(count_unique_metadata_by_filter)
    retrieve_async = on_a_thread(retrieve)


def _refuse(names: Iterator[str]) -> None:
    for name in names:
        raise DuplicateDocumentError(
            f"{name!r}: is there already, or given twice; DuplicatePolicy.OVERWRITE replaces, SKIP leaves it"
        )


def _has_content(payload: dict[str, Any]) -> bool:
    return (payload.get(OWN) or {}).get("content") is not False
