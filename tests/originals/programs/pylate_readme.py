"""Encode, index, retrieve; and rerank what another search found."""

from pylate import indexes, models, rank, retrieve

model = models.ColBERT(model_name_or_path="lightonai/GTE-ModernColBERT-v1")
index = indexes.PLAID(index_folder="pylate-index", index_name="index", override=True)
documents_ids = ["1", "2", "3"]
documents = [
    "Berlin has 3.7 million inhabitants.",
    "A hummingbird beats its wings fifty times a second.",
    "The capital of France is Paris.",
]
documents_embeddings = model.encode(documents, batch_size=32, is_query=False, show_progress_bar=False)
index.add_documents(documents_ids=documents_ids, documents_embeddings=documents_embeddings)

index = indexes.PLAID(index_folder="pylate-index", index_name="index")
retriever = retrieve.ColBERT(index=index)
queries_embeddings = model.encode(
    ["how many people live in Berlin?", "Which bird is fast?"], batch_size=32, is_query=True, show_progress_bar=False
)
scores = retriever.retrieve(queries_embeddings=queries_embeddings, k=2)
assert [found[0]["id"] for found in scores] == ["1", "2"]

groups = [["Berlin is a city.", "Bread is baked."], ["A bird flies.", "A stone lies.", "Bread is baked."]]
ids = [[1, 2], [1, 3, 2]]
reranked = rank.rerank(
    documents_ids=ids,
    queries_embeddings=queries_embeddings,
    documents_embeddings=model.encode(groups, is_query=False, show_progress_bar=False),
)
assert [len(found) for found in reranked] == [2, 3]
assert reranked[0][0]["id"] == 1
