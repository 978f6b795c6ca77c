"""A store's collection as the calls of qdrant-client that do the same: what a user's own program would say."""

from colibri.stores.layout import Layout

_SEVERAL = """models.VectorParams(
        size={size},
        distance=models.Distance.{distance},
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
        hnsw_config=models.HnswConfigDiff(m=0),  # exact: every passage is scored
    )"""

_PROGRAM = """\
import colibri
from qdrant_client import QdrantClient, models

client = QdrantClient({client})
model = colibri.load({model})

client.create_collection(
    {collection!r},
    vectors_config={vectors},
)

texts = ["Berlin has 3.7 million inhabitants.", "Bread is baked from flour."]
rows = model.encode_documents(texts, dims={dims})
points = [
    models.PointStruct(id=i, vector={vector}, payload={{"text": text}}) for i, text in enumerate(texts)
]
client.upsert({collection!r}, points=points, wait=True)

query = model.encode_queries(["how many people live in Berlin?"], dims={dims})
weighted = {{dim: one[0] if one.weights is None else one[0] * one.weights[:, None] for dim, one in query.items()}}
found = client.query_points(
    {collection!r},
    query=weighted[{widest}].tolist(),{using}{prefetch}
    limit=10,
    with_payload=True,
    search_params=models.SearchParams(exact=True),
)
for point in found.points:
    print(f"{{point.score:.2f}} {{point.payload['text']}}")
"""


def as_calls(collection: str, layout: Layout, *, client: str, model: str) -> str:
    """A whole program. client: the arguments of its QdrantClient, as Python; model: what `colibri.load` takes."""
    distance = "COSINE" if layout.cosine else "DOT"
    kinds = {name: _SEVERAL.format(size=dim, distance=distance) for dim, name in layout.names.items()}
    unnamed = list(kinds) == [""]
    entries = "".join(f"        {name!r}: {kind.replace(chr(10), chr(10) + '    ')},\n" for name, kind in kinds.items())
    vector = ", ".join(f"{name!r}: rows[{dim}][i].tolist()" for dim, name in layout.names.items())
    widest, *narrower = layout.dims
    prefetch = "".join(
        f"\n    prefetch=models.Prefetch(query=weighted[{dim}].tolist(), using={layout.names[dim]!r}, limit=200),"
        for dim in narrower[-1:]
    )
    return _PROGRAM.format(
        client=client,
        model="" if model in {"", "colibri-mini"} else repr(model),
        collection=collection,
        vectors=kinds[""] if unnamed else f"{{\n{entries}    }}",
        dims=list(layout.dims),
        vector=f"rows[{widest}][i].tolist()" if unnamed else f"{{{vector}}}",
        widest=widest,
        using="" if unnamed else f"\n    using={layout.names[widest]!r},",
        prefetch=prefetch,
    )
