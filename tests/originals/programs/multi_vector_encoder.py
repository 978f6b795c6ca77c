"""Queries, documents, similarity: the first example of MultiVectorEncoder."""

from sentence_transformers import MultiVectorEncoder

model = MultiVectorEncoder("lightonai/LateOn")
queries = ["What is the capital of France?"]
documents = ["Paris is the capital of France.", "Berlin is the capital of Germany."]
query_embeddings = model.encode_query(queries)
document_embeddings = model.encode_document(documents)
assert query_embeddings[0].shape[1] == model.get_embedding_dimension()
scores = model.similarity(query_embeddings, document_embeddings)
assert tuple(scores.shape) == (1, 2)
assert scores[0].argmax().item() == 0
