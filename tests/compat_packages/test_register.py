"""FastEmbed's own registry with Colibri in it, and qdrant-client's inference through that."""

from collections.abc import Iterator

import numpy as np
import pytest
from fastembed import LateInteractionTextEmbedding
from qdrant_client import QdrantClient, models

import colibri
from colibri.compat.fastembed import register
from colibri.model import Colibri
from reference import ARTEFACTS

DOCUMENTS = ["Berlin has 3.7 million inhabitants.", "Bread is baked in an oven.", "A hummingbird beats its wings."]
QUERY = "how many people live in Berlin?"


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    """FastEmbed's registry as it was, afterwards."""
    before = list(LateInteractionTextEmbedding.EMBEDDINGS_REGISTRY)
    yield
    LateInteractionTextEmbedding.EMBEDDINGS_REGISTRY[:] = before


@pytest.fixture(scope="module")
def mini() -> Colibri:
    return colibri.load()


def listed() -> list[str]:
    return [model["model"] for model in LateInteractionTextEmbedding.list_supported_models()]


def test_fastembed_knows_our_models_once() -> None:
    before = listed()
    assert "colibri-mini" not in before
    for _ in range(2):
        register()
        names = listed()
        assert names.count("colibri-mini") == 1
        assert names[: len(before)] == before
    assert LateInteractionTextEmbedding.get_embedding_size("colibri-mini") == 128


@pytest.mark.parametrize("name", ["colibri-mini", "Colibri-Mini"])
def test_fastembed_gives_our_rows(name: str, mini: Colibri) -> None:
    register()
    model = LateInteractionTextEmbedding(name)
    (rows,) = model.query_embed(QUERY)
    scores = [(rows @ part.T).max(1).sum() for part in model.embed(DOCUMENTS)]
    assert scores == pytest.approx(mini.score(QUERY, DOCUMENTS), rel=1e-6)
    assert (model.embedding_size, model.token_count("Bread")) == (128, len(mini.token_offsets("Bread")) + 2)


def test_a_model_on_the_search_path_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLIBRI_MODELS", str(ARTEFACTS))
    register()
    assert next(iter(LateInteractionTextEmbedding("tiny-random-bert").embed("bird"))).shape[1] == 48


def test_names_of_fastembeds_own_stay_unless_replaced(mini: Colibri) -> None:
    """jinaai/jina-colbert-v2 is mapped to colibri-mini here."""
    register()
    kinds = LateInteractionTextEmbedding.EMBEDDINGS_REGISTRY
    assert listed().count("jinaai/jina-colbert-v2") == 1
    assert [kind.__name__ for kind in kinds].index("Colibri") == len(kinds) - 1
    register(replace=True)
    assert [kind.__name__ for kind in kinds].index("Colibri") == 0
    (rows,) = LateInteractionTextEmbedding("jinaai/jina-colbert-v2").query_embed(QUERY)
    assert np.array_equal(rows, mini.encode_queries([QUERY]).weighted()[0])


def test_qdrants_own_inference_encodes_with_us(mini: Colibri) -> None:
    register()
    client = QdrantClient(":memory:")
    rows = models.VectorParams(
        size=128,
        distance=models.Distance.DOT,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
    )
    client.create_collection("notes", vectors_config={"colbert": rows})
    points = [
        models.PointStruct(id=i, vector={"colbert": models.Document(text=text, model="colibri-mini")}, payload={"n": i})
        for i, text in enumerate(DOCUMENTS)
    ]
    client.upsert("notes", points=points)
    query = models.Document(text=QUERY, model="colibri-mini")
    found = client.query_points("notes", query=query, using="colbert", limit=3).points
    wanted = mini.rerank(QUERY, DOCUMENTS)
    assert [point.id for point in found] == [result.index for result in wanted]
    assert [point.score for point in found] == pytest.approx([result.score for result in wanted], rel=1e-6)
