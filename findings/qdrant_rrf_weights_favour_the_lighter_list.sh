#!/usr/bin/env bash
# One would expect: of two lists fused by weighted reciprocal rank, RrfQuery(rrf=Rrf(weights=[1, 9])), the second counts
# nine times as much, so that its first document comes first.
# What happens: the weight divides the rank inside the fraction, 1 / (k - 1 + (position + 1) / weight). A heavy list's
# ranks come so close to each other that they hardly tell, and the lighter list decides: with k=60 as with k=2 the document
# that the light list has first and the heavy one last wins over the other way round. Engine and local mode agree.
# Whom it matters to: whoever fuses a dense, sparse or multivector list with another by weights in Qdrant.
# Versions: qdrant-client 1.20.0 (local mode: qdrant_client/hybrid/fusion.py), qdrant-edge-py 0.9.0 (the engine itself).
# Exit code 1 when this changes.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "qdrant-client==1.20.0" "qdrant-edge-py==0.9.0"
cd "$scratch"
"$scratch/venv/bin/python" - <<'PY'
import os, sys
import qdrant_edge as edge
from qdrant_client import QdrantClient, models

# Asked for (1, 0), list a has 1, 3, 2 and list b has 2, 3, 1.
POINTS = {1: ([1.0, 0.0], [0.0, 1.0]), 2: ([0.0, 1.0], [1.0, 0.0]), 3: ([0.5, 0.1], [0.5, 0.1])}

client = QdrantClient(":memory:")
kind = models.VectorParams(size=2, distance=models.Distance.DOT)
client.create_collection("x", vectors_config={"a": kind, "b": kind})
client.upsert("x", [models.PointStruct(id=i, vector={"a": a, "b": b}) for i, (a, b) in POINTS.items()])
os.mkdir("shard")
params = {name: edge.EdgeVectorParams(size=2, distance=edge.Distance.Dot) for name in "ab"}
shard = edge.EdgeShard.create("shard", edge.EdgeConfig(vectors=params))
points = [edge.Point(i, {"a": a, "b": b}, {}) for i, (a, b) in POINTS.items()]
shard.update(edge.UpdateOperation.upsert_points(points))


def by_client(k, weights):
    lists = [models.Prefetch(query=[1.0, 0.0], using=name, limit=3) for name in "ab"]
    query = models.RrfQuery(rrf=models.Rrf(k=k, weights=weights))
    return [(p.id, round(p.score, 5)) for p in client.query_points("x", prefetch=lists, query=query, limit=3).points]


def by_engine(k, weights):
    lists = [edge.Prefetch(query=edge.Query.Nearest([1.0, 0.0], name), limit=3) for name in "ab"]
    request = edge.QueryRequest(
        query=edge.Fusion.Rrf(k, weights), prefetches=lists, limit=3, with_payload=False, with_vector=False
    )
    return [(p.id, round(p.score, 5)) for p in shard.query(request)]


changed = False
for k in (2, 60):
    for name, ask in (("local mode", by_client), ("engine", by_engine)):
        found = ask(k, [1.0, 9.0])
        print(f"k={k}, weights a=1, b=9, {name:<10}  {found}  (b's first is 2)")
        changed |= found[0][0] != 1
sys.exit(changed)
PY
