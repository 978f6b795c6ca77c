"""Ids, metadata, another process, reranking, documents in memory, additions and deletions."""

from ragatouille import RAGPretrainedModel

COLLECTION = [
    "Berlin has 3.7 million inhabitants. It is the capital of Germany.",
    "A hummingbird beats its wings fifty times a second.",
    "The capital of France is Paris.",
]

if __name__ == "__main__":
    RAG = RAGPretrainedModel.from_pretrained("colbert-ir/colbertv2.0")
    index_path = RAG.index(
        index_name="my_index",
        collection=COLLECTION,
        document_ids=["berlin", "bird", "paris"],
        document_metadatas=[{"kind": "city"}, {"kind": "animal"}, {"kind": "city"}],
    )
    again = RAGPretrainedModel.from_index(index_path)
    results = again.search("Which bird is fast?", k=1)
    assert results[0]["document_id"] == "bird"
    assert results[0]["document_metadata"] == {"kind": "animal"}
    several = again.search(["Which bird is fast?", "Where is Paris?"], k=1)
    assert [found[0]["document_id"] for found in several] == ["bird", "paris"]

    again.add_to_index(["Bread is baked in an oven."], new_document_ids=["bread"])
    assert again.search("Who bakes bread?", k=1)[0]["document_id"] == "bread"
    again.delete_from_index(document_ids=["bread"])
    assert "bread" not in [found["document_id"] for found in again.search("Who bakes bread?", k=4)]

    reranked = RAG.rerank(query="how many people live in Berlin?", documents=COLLECTION, k=2)
    assert reranked[0]["result_index"] == 0
    RAG.encode(COLLECTION)
    assert RAG.search_encoded_docs(query="Which bird is fast?", k=1)[0]["content"] == COLLECTION[1]
    RAG.clear_encoded_docs(force=True)
