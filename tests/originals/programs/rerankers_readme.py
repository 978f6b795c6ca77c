"""Rank documents with ids and metadata."""

from rerankers import Reranker

ranker = Reranker("colbert-ir/colbertv2.0", model_type="colbert", verbose=0)
results = ranker.rank(
    query="how many people live in Berlin?",
    docs=["Bread is baked in an oven.", "Berlin has 3.7 million inhabitants."],
    doc_ids=["bread", "berlin"],
    metadata=[{"kind": "food"}, {"kind": "city"}],
)
best = results.top_k(1)[0]
assert best.doc_id == "berlin"
assert best.document.metadata == {"kind": "city"}
assert results[0].rank == 1
assert -1 <= results[1].score < results[0].score <= 1
