"""Rows of FastEmbed in Qdrant as multivectors, in memory."""

from fastembed import LateInteractionTextEmbedding
from qdrant_client import QdrantClient, models

documents = [
    "Berlin has 3.7 million inhabitants.",
    "A hummingbird beats its wings fifty times a second.",
    "The capital of France is Paris.",
]
embedding_model = LateInteractionTextEmbedding(model_name="jinaai/jina-colbert-v2")
client = QdrantClient(":memory:")
client.create_collection(
    "notes",
    vectors_config=models.VectorParams(
        size=embedding_model.embedding_size,
        distance=models.Distance.DOT,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
    ),
)
rows = list(embedding_model.embed(documents))
client.upsert(
    "notes", [models.PointStruct(id=i, vector=part, payload={"text": documents[i]}) for i, part in enumerate(rows)]
)
query = next(embedding_model.query_embed("Which bird is fast?"))
found = client.query_points("notes", query=query, limit=2).points
assert found[0].payload["text"] == documents[1]
