"""Clients of Jina's hosted API, each through its own public API, against `colibri serve`.

Two of them have the URL as a constant, which is patched; the others take it as an argument.
"""

import json
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest

from colibri.model import Colibri
from live_server import LiveServer

MODEL = "jina-colbert-v2"
QUERY = "how many people live in Berlin?"
DOCUMENTS = [
    "Bread is baked from flour, water and salt.",
    "Mount Berlin is a volcano in Antarctica.",
    "Berlin has 3.7 million inhabitants.",
    "ベルリンはドイツの首都である。",
    "The train leaves at noon.",
]

Served = tuple[LiveServer, str]


@pytest.fixture(scope="module")
def expected(mini: Colibri) -> list[tuple[int, float]]:
    """Index and score, best first; the answer is the best."""
    found = [(result.index, result.score) for result in mini.rerank(QUERY, DOCUMENTS)]
    assert found[0][0] == 2
    return found


def check(found: list[tuple[int, float]], expected: list[tuple[int, float]]) -> None:
    assert [index for index, _ in found] == [index for index, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], rel=1e-6)


def test_llama_index(served: Served, expected: list[tuple[int, float]]) -> None:
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
    from llama_index.postprocessor.jinaai_rerank import JinaRerank

    ranker = JinaRerank(top_n=3, model=MODEL, base_url=f"{served[0].url}/v1", api_key=served[1])
    nodes = [NodeWithScore(node=TextNode(text=text, id_=str(i))) for i, text in enumerate(DOCUMENTS)]
    ranked = ranker.postprocess_nodes(nodes, query_bundle=QueryBundle(QUERY))
    check([(int(node.node.node_id), node.score) for node in ranked], expected[:3])


def test_haystack(served: Served, expected: list[tuple[int, float]]) -> None:
    from haystack import Document
    from haystack.utils import Secret
    from haystack_integrations.components.rankers.jina import JinaRanker

    ranker = JinaRanker(model=MODEL, api_key=Secret.from_token(served[1]), base_url=f"{served[0].url}/v1/rerank")
    documents = [Document(content=text, meta={"place": i}) for i, text in enumerate(DOCUMENTS)]
    answer = ranker.run(query=QUERY, documents=documents)
    check([(document.meta["place"], document.score) for document in answer["documents"]], expected)
    assert answer["meta"]["model"] == MODEL
    assert answer["meta"]["usage"]["total_tokens"] > 0
    few = ranker.run(query=QUERY, documents=documents, top_k=2, score_threshold=expected[1][1] - 1e-3)
    assert len(few["documents"]) == 2


def test_langchain(served: Served, expected: list[tuple[int, float]], monkeypatch: pytest.MonkeyPatch) -> None:
    from langchain_community.document_compressors import JinaRerank, jina_rerank
    from langchain_core.documents import Document

    monkeypatch.setattr(jina_rerank, "JINA_API_URL", f"{served[0].url}/v1/rerank")
    ranker = JinaRerank(jina_api_key=served[1], model=MODEL, top_n=3)
    documents = [Document(text, metadata={"place": i}) for i, text in enumerate(DOCUMENTS)]
    ranked = ranker.compress_documents(documents, QUERY)
    check([(one.metadata["place"], one.metadata["relevance_score"]) for one in ranked], expected[:3])
    for given in (documents, DOCUMENTS, [{"text": text} for text in DOCUMENTS]):
        rows = ranker.rerank(given, QUERY, top_n=None)
        check([(row["index"], row["relevance_score"]) for row in rows], expected)


def test_rerankers(served: Served, expected: list[tuple[int, float]]) -> None:
    from rerankers.models.api_rankers import APIRanker

    ranker = APIRanker(MODEL, served[1], "jina", url=f"{served[0].url}/v1/rerank")
    ranked = ranker.rank(QUERY, DOCUMENTS)
    check([(result.doc_id, result.score) for result in ranked.results], expected)


def test_litellm(served: Served, expected: list[tuple[int, float]]) -> None:
    import litellm

    answer = litellm.rerank(
        model=f"jina_ai/{MODEL}", query=QUERY, documents=DOCUMENTS, api_base=served[0].url, api_key=served[1], top_n=4
    )
    check([(result["index"], result["relevance_score"]) for result in answer.results], expected[:4])
    assert [result["document"]["text"] for result in answer.results] == [DOCUMENTS[i] for i, _ in expected[:4]]
    assert answer.meta["billed_units"]["total_tokens"] > 0


def test_litellm_raises_what_the_server_says(served: Served) -> None:
    import litellm

    with pytest.raises(Exception, match="INPUT_MODEL_NOT_FOUND"):
        litellm.rerank(
            model="jina_ai/other", query=QUERY, documents=DOCUMENTS, api_base=served[0].url, api_key=served[1]
        )


def test_openai_raises_what_the_server_says(served: Served, mini: Colibri) -> None:
    """It reads one vector a text, and None where an answer has rows; those are there for who asks for them."""
    import openai

    client = openai.OpenAI(base_url=f"{served[0].url}/v1/", api_key=served[1], max_retries=0)
    with pytest.raises(openai.UnprocessableEntityError, match="/v1/multi-vector"):
        client.embeddings.create(model=MODEL, input=DOCUMENTS)
    with pytest.raises(openai.UnprocessableEntityError, match="/v1/multi-vector"):
        client.embeddings.create(model=MODEL, input=DOCUMENTS, encoding_format="float")
    answer = client.embeddings.create(model=MODEL, input=DOCUMENTS, extra_body={"embedding_type": "float"})
    for entry, rows in zip(answer.data, mini.encode_documents(DOCUMENTS), strict=True):
        found = np.array((entry.model_extra or {})["embeddings"], np.float32)
        np.testing.assert_array_equal(found, rows)


def test_pymilvus(served: Served, expected: list[tuple[int, float]], monkeypatch: pytest.MonkeyPatch) -> None:
    from pymilvus.model.reranker import JinaRerankFunction

    module = __import__(JinaRerankFunction.__module__, fromlist=["x"])
    monkeypatch.setattr(module, "API_URL", f"{served[0].url}/v1/rerank")
    ranker = JinaRerankFunction(model_name=MODEL, api_key=served[1])
    ranked = ranker(QUERY, DOCUMENTS, top_k=5)
    check([(result.index, result.score) for result in ranked], expected)
    assert [result.text for result in ranked] == [DOCUMENTS[i] for i, _ in expected]


def test_an_error_arrives_in_llama_index_as_its_detail(served: Served) -> None:
    """The clients raise what stands in `detail`, which has to be a string."""
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
    from llama_index.postprocessor.jinaai_rerank import JinaRerank

    ranker = JinaRerank(model=MODEL, base_url=f"{served[0].url}/v1", api_key="wrong")
    nodes = [NodeWithScore(node=TextNode(text="a"))]
    with pytest.raises(RuntimeError, match="no such key"):
        ranker.postprocess_nodes(nodes, query_bundle=QueryBundle(QUERY))


def test_an_error_arrives_in_haystack_as_its_detail(served: Served) -> None:
    from haystack import Document
    from haystack.utils import Secret
    from haystack_integrations.components.rankers.jina import JinaRanker

    url = f"{served[0].url}/v1/rerank"
    ranker = JinaRanker(model=MODEL, api_key=Secret.from_token("wrong"), base_url=url)
    with pytest.raises(RuntimeError, match="no such key"):
        ranker.run(query=QUERY, documents=[Document(content="a")])


def curl(server: LiveServer, secret: str, path: str, body: dict[str, Any]) -> Any:
    """As the announcement of jina-colbert-v2 calls it."""
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    words = ["curl", "-sS", "--fail-with-body", f"{server.url}{path}", "-H", "Content-Type: application/json"]
    words += ["-H", f"Authorization: Bearer {secret}", "-d", json.dumps(body)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_curl_multi_vector(served: Served, mini: Colibri) -> None:
    for role, encode in (("document", mini.encode_documents), ("query", mini.encode_queries)):
        body = {"model": MODEL, "dimensions": 128, "input_type": role, "embedding_type": "float", "input": DOCUMENTS}
        answer = curl(*served, "/v1/multi-vector", body)
        for row, vectors in zip(answer["data"], encode(DOCUMENTS, 128), strict=True):
            np.testing.assert_array_equal(np.array(row["embeddings"], np.float32), vectors)


def test_curl_rerank(served: Served, expected: list[tuple[int, float]]) -> None:
    answer = curl(*served, "/v1/rerank", {"model": MODEL, "query": QUERY, "top_n": 3, "documents": DOCUMENTS})
    check([(result["index"], result["relevance_score"]) for result in answer["results"]], expected[:3])


@pytest.mark.parametrize("role", ["document", "query"])
def test_rows_go_into_qdrant_and_are_found(served: Served, role: str) -> None:
    """The announcement inserts documents as "query", which is a slip of it; the server does as it is told."""
    from qdrant_client import QdrantClient, models

    def embed(texts: list[str], input_type: str) -> list[list[list[float]]]:
        body = {"model": MODEL, "input_type": input_type, "embedding_type": "float", "input": texts}
        return [row["embeddings"] for row in curl(*served, "/v1/multi-vector", body)["data"]]

    client = QdrantClient(":memory:")
    client.create_collection(
        "documents",
        vectors_config={
            "jina-colbert-v2": models.VectorParams(
                size=128,
                distance=models.Distance.COSINE,
                multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
            )
        },
    )
    points = [
        models.PointStruct(id=i, payload={"text": text}, vector={"jina-colbert-v2": rows})
        for i, (text, rows) in enumerate(zip(DOCUMENTS, embed(DOCUMENTS, role), strict=True))
    ]
    client.upsert("documents", points)
    found = client.query_points("documents", query=embed([QUERY], "query")[0], using="jina-colbert-v2", limit=3)
    assert found.points[0].payload == {"text": DOCUMENTS[2]}
    client.close()
