"""Ours in Haystack's pipelines: written to, asked, saved as trusted modules, loaded in another process."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from haystack import Document, Pipeline, component
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers import FilterRetriever
from haystack.components.writers import DocumentWriter
from haystack.core.errors import DeserializationError

from colibri.compat.haystack import ColibriDocumentStore, ColibriRanker, ColibriRetriever

CHILD = Path(__file__).with_name("pipeline_child.py")
QUERY = "how many people live in Berlin?"
TEXT = "Bread is baked in an oven. Berlin has 3,700,000 inhabitants. A hummingbird beats its wings."


def retrieving(store: ColibriDocumentStore) -> Pipeline:
    pipeline = Pipeline()
    pipeline.add_component("retriever", ColibriRetriever(store, top_k=5))
    pipeline.add_component("ranker", ColibriRanker("colibri-mini", top_k=2))
    pipeline.connect("retriever.documents", "ranker.documents")
    return pipeline


def asked(pipeline: Pipeline) -> list[Document]:
    found: list[Document] = pipeline.run({"retriever": {"query": QUERY}, "ranker": {"query": QUERY}})["ranker"][
        "documents"
    ]
    return found


def test_indexing_and_asking(document_store: ColibriDocumentStore) -> None:
    indexing = Pipeline()
    indexing.add_component("splitter", DocumentSplitter(split_by="period", split_length=1))
    indexing.add_component("writer", DocumentWriter(document_store))
    indexing.connect("splitter", "writer")
    assert indexing.run({"splitter": {"documents": [Document(content=TEXT)]}})["writer"]["documents_written"] >= 3
    best = asked(retrieving(document_store))
    assert "3,700,000" in (best[0].content or "")
    assert best[0].meta["split_id"] == 1
    assert len(best) == 2


def test_a_pipeline_is_loaded_in_another_process(tmp_path: Path) -> None:
    """As trusted modules, without a variable that would trust others."""
    store = ColibriDocumentStore(tmp_path / "index", "colibri-mini")
    store.write_documents([Document(id=str(n), content=f"{part}.") for n, part in enumerate(TEXT.split(". "))])
    pipeline = retrieving(store)
    environment = {name: value for name, value in os.environ.items() if "DESERIALIZATION" not in name}
    done = subprocess.run(
        [sys.executable, str(CHILD), QUERY],
        input=pipeline.dumps(),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    wanted = [[one.id, one.score, one.meta["colibri"]["matches"]] for one in asked(pipeline)]
    assert json.loads(done.stdout) == json.loads(json.dumps(wanted))
    assert Pipeline.loads(pipeline.dumps()).dumps() == pipeline.dumps()


@component
class Untrusted:
    """What lives elsewhere is refused: that is why ours live where they do."""

    @component.output_types(documents=list[Document])
    def run(self, query: str) -> dict[str, list[Document]]:
        return {"documents": []}


def test_classes_of_other_places_are_not_trusted() -> None:
    pipeline = Pipeline()
    pipeline.add_component("untrusted", Untrusted())
    with pytest.raises(DeserializationError, match="allow"):
        Pipeline.loads(pipeline.dumps())


def test_beside_others_of_haystacks(document_store: ColibriDocumentStore) -> None:
    document_store.write_documents([Document(id=str(n), content=part) for n, part in enumerate(TEXT.split(". "))])
    pipeline = Pipeline()
    pipeline.add_component("meaning", ColibriRetriever(document_store, top_k=2))
    pipeline.add_component("all", FilterRetriever(document_store))
    pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
    pipeline.add_component("ranker", ColibriRanker())
    pipeline.connect("meaning", "joiner.documents")
    pipeline.connect("all", "joiner.documents")
    pipeline.connect("joiner", "ranker.documents")
    found = pipeline.run({"meaning": {"query": QUERY}, "all": {}, "ranker": {"query": QUERY}})["ranker"]["documents"]
    assert sorted(one.id for one in found) == ["0", "1", "2"]
    assert found[0].id == "1"


def test_asked_from_asyncio(document_store: ColibriDocumentStore) -> None:
    document_store.write_documents([Document(id=str(n), content=part) for n, part in enumerate(TEXT.split(". "))])
    pipeline = retrieving(document_store)
    words = {"retriever": {"query": QUERY}, "ranker": {"query": QUERY}}
    found = asyncio.run(pipeline.run_async(words))["ranker"]["documents"]
    assert [(one.id, one.score) for one in found] == [(one.id, one.score) for one in asked(pipeline)]


@pytest.mark.parametrize("name", ["ranker", "retriever"])
def test_components_are_copied_with_their_pipeline(name: str, document_store: ColibriDocumentStore) -> None:
    import copy

    document_store.write_documents([Document(id="a", content="Berlin has 3.7 million inhabitants.")])
    pipeline = retrieving(document_store)
    asked(pipeline)
    assert copy.deepcopy(pipeline.get_component(name)).to_dict() == pipeline.get_component(name).to_dict()
