"""What a document store of ours does beyond Haystack's own tests."""

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from haystack import Document
from haystack.core.errors import SerializationError
from haystack.dataclasses import ByteStream, SparseEmbedding
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import QdrantClient

import colibri
from colibri.compat.haystack import ColibriDocumentStore
from colibri.errors import InputError, InputTypeError, StoreError
from colibri.model import Colibri
from colibri.stores import QdrantStore
from haystack_integrations.document_stores.colibri.documents import OWN, put, restored

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
BLOBS = st.builds(
    ByteStream,
    st.binary(max_size=50),
    meta=st.dictionaries(st.text(max_size=5), JSON, max_size=2),
    mime_type=st.none() | st.text(),
)
SPARSE = st.lists(FLOATS, max_size=4).map(lambda values: SparseEmbedding(list(range(len(values))), values))
WHOLE = st.builds(
    Document,
    id=st.text(min_size=1, max_size=20),
    content=st.none() | st.text(),
    blob=st.none() | BLOBS,
    meta=st.dictionaries(st.text(max_size=8), JSON, max_size=4),
    embedding=st.none() | st.lists(FLOATS, max_size=5),
    sparse_embedding=st.none() | SPARSE,
)


@given(WHOLE)
def test_a_document_comes_back_whole(document: Document) -> None:
    stored = put(document)
    assert restored(stored.id, stored.text, stored.payload) == document


def test_and_through_a_folder(document_store: ColibriDocumentStore) -> None:
    written = [
        Document(content="", meta={"n": 0.1 + 0.2, "deep": [{"a": None}], "ünï": "🙂"}),
        Document(content="\u0000 and 🙂", embedding=[0.1, -1e-300], sparse_embedding=SparseEmbedding([3], [0.5])),
        Document(blob=ByteStream(bytes(range(256)), meta={"a": 1}, mime_type="x/y")),
        Document(id=" ", content="a" * 10_000),
    ]
    document_store.write_documents(written)
    assert document_store.filter_documents() == written
    assert [one.payload for one in document_store.index if OWN in (one.payload or {})]


def test_what_something_else_stored_is_a_document_too(tmp_path: Path, mini: Colibri) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "berlin.md").write_text("# Berlin\n\nBerlin has 3.7 million inhabitants.\n", encoding="utf-8")
    with colibri.Index.open(tmp_path / "index", mini) as index:
        index.sync(folder)
        index.add([{"id": "textless", "text": "Bread is baked."}], keep_text=False)
        store = ColibriDocumentStore(index)
        found = {one.id: one for one in store.filter_documents()}
        assert found["textless"].content is None
        (page,) = [one for name, one in found.items() if name != "textless"]
        assert "3.7 million" in (page.content or "")
        assert store.retrieve("how many people live in Berlin?", top_k=5)[0].id == page.id


@pytest.mark.parametrize(
    ("documents", "kind"),
    [
        ("text", InputTypeError),
        (["text"], InputTypeError),
        (Document(content="a"), InputTypeError),
        ([Document(content="a", meta={OWN: 1})], InputError),
        ([Document(content="a", meta={"when": Path()})], InputError),
        ([Document(content="a", meta={"n": float("nan")})], InputError),
        ([Document(content="a", meta={1: 2})], InputError),
        ([Document(content="a", id="\ud800")], InputError),
    ],
)
def test_what_is_no_document_is_a_value_error_and_nothing_is_written(
    documents: Any, kind: type[Exception], document_store: ColibriDocumentStore
) -> None:
    given_all = [Document(content="good"), *documents] if isinstance(documents, list) else documents
    for policy in DuplicatePolicy:
        with pytest.raises(kind) as raised:
            document_store.write_documents(given_all, policy)
        assert isinstance(raised.value, ValueError)
    assert document_store.count_documents() == 0


def test_of_one_id_given_twice(document_store: ColibriDocumentStore) -> None:
    first, second = Document(id="a", content="first"), Document(id="a", content="second")
    for policy in (DuplicatePolicy.NONE, DuplicatePolicy.FAIL):
        with pytest.raises(DuplicateDocumentError, match="'a': is there already, or given twice"):
            document_store.write_documents([first, second], policy)
    assert document_store.count_documents() == 0
    assert document_store.write_documents([first, second], DuplicatePolicy.SKIP) == 1
    assert document_store.filter_documents() == [first]
    assert document_store.write_documents([first, second], DuplicatePolicy.OVERWRITE) == 2
    assert document_store.filter_documents() == [second]
    assert document_store.write_documents([], DuplicatePolicy.FAIL) == 0


def test_writers_that_skip_meet_in_one_index(document_store: ColibriDocumentStore) -> None:
    """Each id is written by one of them."""
    documents = [Document(id=str(n), content=f"text {n}") for n in range(20)]
    with ThreadPoolExecutor(4) as pool:
        parts = [documents[n : n + 12] for n in (0, 4, 8, 0)]
        written = list(pool.map(lambda some: document_store.write_documents(some, DuplicatePolicy.SKIP), parts))
    assert sum(written) == document_store.count_documents() == 20


def test_updating_encodes_nothing(document_store: ColibriDocumentStore, mini: Colibri) -> None:
    document_store.write_documents([Document(id="a", content="Berlin", meta={"n": 1}), Document(id="b", content="b")])
    (before,) = document_store.index.get("a", vectors=True)
    filters = {"field": "meta.n", "operator": "==", "value": 1}
    assert document_store.update_by_filter(filters, {"n": 2, "m": 3}) == 1
    (after,) = document_store.index.get("a", vectors=True)
    assert before is not None
    assert after is not None
    assert before.vectors is not None
    assert after.vectors is not None
    assert (before.vectors.rows == after.vectors.rows).all()
    assert after.payload == {"n": 2, "m": 3}
    with pytest.raises(InputError, match=OWN):
        document_store.update_by_filter(filters, {OWN: {}})


@pytest.mark.parametrize("filters", [None, {}])
def test_no_filters_are_not_all_documents_to_delete(filters: Any, document_store: ColibriDocumentStore) -> None:
    document_store.write_documents([Document(content="a")])
    for call in (document_store.delete_by_filter, lambda given: document_store.update_by_filter(given, {"a": 1})):
        with pytest.raises(InputError, match="delete_all_documents"):
            call(filters)
    with pytest.raises(InputTypeError, match="wanted a list of ids"):
        document_store.delete_documents("abc")  # type: ignore[arg-type]
    assert document_store.count_documents() == document_store.count_documents_by_filter(filters) == 1


def test_values_of_metadata(document_store: ColibriDocumentStore) -> None:
    metas = [
        {"a": 1},
        {"a": "x"},
        {"b": [1]},
        {"b": [1]},
        {"b": {"c": 1}},
        {"c": True},
        {"c": None},
        {"d": 2.5, "e": "é"},
    ]
    document_store.write_documents([Document(content=str(n), meta=meta) for n, meta in enumerate(metas)])
    document_store.write_documents([Document(meta={"e": "b"}, embedding=[1.0])])
    assert document_store.get_metadata_fields_info() == {
        "a": {"type": "keyword"},
        "b": {"type": "keyword"},
        "c": {"type": "boolean"},
        "d": {"type": "float"},
        "e": {"type": "keyword"},
    }
    assert document_store.get_metadata_field_min_max("a") == {"min": None, "max": None}
    assert document_store.get_metadata_field_min_max("meta.e") == {"min": "b", "max": "é"}
    assert document_store.get_metadata_field_min_max("b") == {"min": None, "max": None}
    assert document_store.get_metadata_field_unique_values("b") == ([[1], {"c": 1}], 2)
    assert document_store.get_metadata_field_unique_values("b", search_term="C") == ([{"c": 1}], 1)
    assert document_store.count_unique_metadata_by_filter({}, ["meta.a", "e", "none"]) == {"a": 2, "e": 2, "none": 0}


def test_twins_have_their_methods_signatures() -> None:
    twins = [name for name in vars(ColibriDocumentStore) if name.endswith("_async")]
    assert len(twins) == 14
    for name in twins:
        twin, method = getattr(ColibriDocumentStore, name), getattr(ColibriDocumentStore, name.removesuffix("_async"))
        assert inspect.iscoroutinefunction(twin)
        assert inspect.signature(twin) == inspect.signature(method)
        assert twin.__name__ == name


def test_twins_leave_the_loop_free(document_store: ColibriDocumentStore) -> None:
    async def both() -> list[Any]:
        await document_store.write_documents_async([Document(id="a", content="Berlin")])
        asked = [document_store.retrieve_async("Berlin"), document_store.count_documents_async()]
        return list(await asyncio.gather(*asked))

    found, count = asyncio.run(both())
    assert ([one.id for one in found], count) == (["a"], 1)


def test_it_is_saved_as_where_it_is(tmp_path: Path) -> None:
    store = ColibriDocumentStore(tmp_path / "index", "colibri-mini", dim=96)
    store.write_documents([Document(id="a", content="Berlin")])
    said = store.to_dict()
    assert said == {
        "type": "haystack_integrations.document_stores.colibri.document_store.ColibriDocumentStore",
        "init_parameters": {"index": str(tmp_path / "index"), "model": "colibri-mini", "dim": 96, "create": True},
    }
    again = ColibriDocumentStore.from_dict(said)
    assert again.filter_documents() == store.filter_documents()
    assert ColibriDocumentStore(again.index).to_dict() == said
    store.close()
    store.close()
    ColibriDocumentStore(again.index).close()  # not its own
    assert again.count_documents() == 1


def test_an_index_that_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        ColibriDocumentStore(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_what_it_cannot_stand_on(tmp_path: Path, mini: Colibri) -> None:
    with pytest.raises(InputTypeError, match=r"index: found int, wanted a colibri.Index"):
        ColibriDocumentStore(3)  # type: ignore[arg-type]
    index = colibri.Index.open(tmp_path, mini)
    for words in ({"model": "colibri-mini"}, {"dim": 64}):
        with pytest.raises(InputError, match="beside an open index"):
            ColibriDocumentStore(index, **words)
    over_qdrant = ColibriDocumentStore(QdrantStore(QdrantClient(":memory:"), "notes", model=mini))
    with pytest.raises(SerializationError, match="a pipeline over a QdrantStore cannot be saved"):
        over_qdrant.to_dict()
