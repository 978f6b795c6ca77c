"""from_pretrained, index, search: the three calls that RAGatouille is known for."""

from ragatouille import RAGPretrainedModel

RAG = RAGPretrainedModel.from_pretrained("jinaai/jina-colbert-v2")
docs = [
    "ColBERT is a novel ranking model that adapts deep language models for efficient retrieval.",
    "Jina-ColBERT is a ColBERT-style model that can handle longer texts.",
    "Bread is baked in an oven.",
]
RAG.index(docs, index_name="demo")
results = RAG.search(query="What does ColBERT do?", k=2)
assert [result["rank"] for result in results] == [1, 2]
assert "ColBERT" in results[0]["content"]
