"""Real passages, colibri-mini's rows: what a store answers is the plain-loop MaxSim of the rows put there.

1,000 passages, 5,000 with `--hypothesis-profile=soak`; what stored forms cost is printed (`-rP`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from qdrant_client import QdrantClient

from colibri import Document, Hit, Index, TokenVectors
from colibri.model import Colibri
from colibri.stores import QdrantEdgeStore, QdrantStore, Store
from colibri.stores.asking import entries
from real_passages import passages
from rounds import rounds

COUNT = rounds(1_000, 5_000)
QUERIES = [
    "how do I open a file for reading?", "what is a generator expression", "sorting a list in place",
    "exception handling with finally", "how are default arguments evaluated", "compare two floating point numbers",
    "attribute lookup on instances", "send an email with attachments", "context manager protocol",
    "format a date as a string", "integer division and remainder", "import a module by its name",
    "metaclass of a class", "unicode identifiers", "parse command line options", "thread locks",
    "slicing with negative steps", "regular expression groups", "weak references", "memory view of bytes",
]  # fmt: skip
WHERE: list[dict[str, Any] | None] = [None, {"n": {"$lt": 300}}, {"even": True}, {"$not": {"tag": "a"}}]

Rows = Mapping[int, tuple[TokenVectors, TokenVectors]]


@pytest.fixture(scope="module")
def texts() -> list[str]:
    found = passages(COUNT)
    assert len(found) == COUNT
    return found


@pytest.fixture(scope="module")
def encoded(mini: Colibri, texts: list[str]) -> Rows:
    """Width -> queries and documents, float32."""
    queries, documents = mini.encode_queries(QUERIES, [128, 64]), mini.encode_documents(texts, [128, 64])
    return {dim: (queries[dim], documents[dim]) for dim in (128, 64)}


def payload(n: int) -> dict[str, Any]:
    return {"n": n, "even": n % 2 == 0, "tag": "abc"[n % 3]}


def kept(where: dict[str, Any] | None) -> NDArray[np.bool_]:
    """Which documents a filter of WHERE keeps, written out."""
    numbers = np.arange(COUNT)
    all_of: list[NDArray[np.bool_]] = [numbers >= 0, numbers < 300, numbers % 2 == 0, numbers % 3 != 0]
    return all_of[WHERE.index(where)]


def plain(query: TokenVectors, documents: TokenVectors) -> NDArray[np.float64]:
    """Every document's score, one after the other."""
    weights = np.ones(len(query.rows)) if query.weights is None else query.weights.astype(np.float64)
    rows = query.rows.astype(np.float64)
    return np.array([((rows @ own.astype(np.float64).T).max(1) * weights).sum() for own in documents])


def filled(store: Any, documents: TokenVectors) -> Any:
    store.add([Document(id=str(n), vectors=np.asarray(rows), payload=payload(n)) for n, rows in enumerate(documents)])
    return store


def check_order(hits: list[Hit], scores: NDArray[np.float64], near: float) -> None:
    """Each hit's score, and that nothing left out was better."""
    for hit in hits:
        assert hit.score == pytest.approx(scores[int(hit.id)], abs=near)
    best = np.sort(scores)[::-1][: len(hits)]
    assert [scores[int(hit.id)] for hit in hits] == pytest.approx(best.tolist(), abs=near)


@pytest.mark.parametrize("dim", [128, 64])
@pytest.mark.parametrize("engine", ["local mode", "edge"])
def test_scores_are_the_plain_loops(tmp_path: Path, mini: Colibri, encoded: Rows, engine: str, dim: int) -> None:
    queries, documents = encoded[dim]
    store: Any
    if engine == "edge":
        store = QdrantEdgeStore(tmp_path / "e", model=mini, dims=dim)
    else:
        store = QdrantStore(QdrantClient(":memory:"), "real", model=mini, dims=dim)
    with store:
        filled(store, documents)
        some = list(entries(queries))[: rounds(8, 20)]
        for query in some:
            scores = plain(query, documents)
            for where in WHERE:
                hits = store.search(query, k=10, where=where)
                assert len(hits) == 10
                check_order(hits, np.where(kept(where), scores, -np.inf), 1e-5)
            assert store.count(WHERE[1]) == 300


def test_what_stored_forms_cost(tmp_path: Path, mini: Colibri, encoded: Rows) -> None:
    """Float16, Turbo8 and the index's int8 beside the plain loop: how far off, and the share of the best ten."""
    queries, documents = encoded[64]
    makers: dict[str, Callable[[], Store]] = {
        "edge float32": lambda: QdrantEdgeStore(tmp_path / "f32", model=mini, dims=64),
        "edge float16": lambda: QdrantEdgeStore(tmp_path / "f16", model=mini, dims=64, datatype="float16"),
        "edge turbo8": lambda: QdrantEdgeStore(tmp_path / "t8", model=mini, dims=64, datatype="turbo8"),
        "index int8": lambda: Index.open(tmp_path / "index", mini, dim=64),
    }
    shares = {}
    for name, make in makers.items():
        with make() as store:
            filled(store, documents)
            off, shared, orders = 0.0, [], 0
            for query in entries(queries):
                scores = plain(query, documents)
                hits = store.search(query, k=10)
                off = max(off, *(abs(hit.score - scores[int(hit.id)]) for hit in hits))
                best = [str(n) for n in np.argsort(-scores, kind="stable")[:10]]
                shared.append(len({hit.id for hit in hits} & set(best)) / 10)
                orders += [hit.id for hit in hits] != best
        shares[name] = float(np.mean(shared))
        print(f"{name}: scores off by at most {off:.5f}, share of the best ten {shares[name]:.3f}, "
              f"{orders} of {len(QUERIES)} orders differ, {COUNT:,} passages")  # fmt: skip
    assert shares["edge float32"] == 1.0
    assert shares["edge float16"] >= 0.98
    assert shares["edge turbo8"] >= 0.9
    assert shares["index int8"] >= 0.98


def test_first_stages_against_the_exact_answer(tmp_path: Path, mini: Colibri, encoded: Rows) -> None:
    """Recall of the best ten by two widths and by centroids, printed."""
    documents = {dim: encoded[dim][1] for dim in (128, 64)}
    queries = [
        dict(zip((128, 64), both, strict=True))
        for both in zip(*(entries(encoded[d][0]) for d in (128, 64)), strict=True)
    ]
    with QdrantEdgeStore(tmp_path / "e", model=mini, dims=[128, 64], centroids=True) as store:
        store.add(
            [
                Document(id=str(n), vectors={dim: np.asarray(own[n]) for dim, own in documents.items()})
                for n in range(COUNT)
            ]
        )
        assert store.train_centroids() == COUNT
        exact = [{hit.id for hit in store.search(query, k=10)} for query in queries]
        for screen, candidates in ((64, 50), (64, 200), ("centroids", 50), ("centroids", 200)):
            found = [store.search(query, k=10, screen=screen, candidates=candidates) for query in queries]
            recall = np.mean(
                [len({hit.id for hit in hits} & best) / 10 for hits, best in zip(found, exact, strict=True)]
            )
            print(
                f"screen={screen!r}, {candidates} candidates: recall of the best ten {recall:.3f} of {COUNT:,} passages"
            )
            assert recall >= (0.95 if candidates == 200 else 0.8)
