"""Queries and documents to rows, and late interaction by hand, as jina-colbert-v2's model card shows it."""

from colbert.infra import ColBERTConfig
from colbert.modeling.checkpoint import Checkpoint

ckpt = Checkpoint("jinaai/jina-colbert-v2", colbert_config=ColBERTConfig())
docs = [
    "ColBERT is a late interaction model: it keeps one vector for each token.",
    "Berlin has 3.7 million inhabitants.",
    "Bread is baked.",
]
query_vectors = ckpt.queryFromText(["how many people live in Berlin?"])
doc_vectors = ckpt.docFromText(docs, bsize=2)[0]

assert query_vectors.size(0) == 1
assert tuple(doc_vectors.shape)[::2] == (3, 128)
mask = ~(doc_vectors == 0).all(-1)
similarities = doc_vectors @ query_vectors[0].transpose(0, 1)
best = similarities.masked_fill(~mask.unsqueeze(-1), -9999.0).max(1).values.sum(-1)
assert best.argmax().item() == 1, best
rows, lengths = ckpt.docFromText(docs, bsize=2, keep_dims="flatten")
assert rows.shape[0] == sum(lengths)
