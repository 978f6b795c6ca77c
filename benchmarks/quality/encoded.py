"""Collections as vectors, kept on disk between runs where a folder is given."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from colibri import Colibri, TokenVectors, providers
from colibri.artefact.manifest import RoleName
from quality.dense import DenseEncoder
from quality.retrieval import Collection

ByDim = dict[int, TokenVectors]


def token_vectors(model: Colibri, collection: Collection, role: RoleName, folder: Path | None) -> ByDim:
    """Queries or documents at every dim of the model, from one run of the backbone each; progress on stderr.

    folder: where they are kept, under a name made of everything they depend on; None: nowhere
    """
    texts = _texts(collection, role)

    def make() -> ByDim:
        encode = model.encode_queries if role == "query" else model.encode_documents
        return encode(texts, dims=model.dims, progress=True)

    key = [model.manifest.space_id, model.variant, *_what_runs(model), role, *texts]
    return _cached(folder, f"{collection.name}-{model.variant}-{role}", key, model.dims, make)


def dense_vectors(encoder: DenseEncoder, collection: Collection, role: RoleName, folder: Path | None) -> TokenVectors:
    """Queries or documents as one row each; `folder` as in `token_vectors`."""
    texts = _texts(collection, role)

    def make() -> ByDim:
        return {encoder.dim: TokenVectors(encoder.encode(texts, role), np.arange(len(texts) + 1))}

    key = [*encoder.sha256, encoder.space_id, onnxruntime.__version__, role, *texts]
    return _cached(folder, f"{collection.name}-dense-{role}", key, [encoder.dim], make)[encoder.dim]


def _cached(
    folder: Path | None, label: str, key: Sequence[str], dims: Sequence[int], make: Callable[[], ByDim]
) -> ByDim:
    if folder is None:
        return make()
    digest = hashlib.sha256(json.dumps(list(key)).encode()).hexdigest()[:16]
    paths = {dim: folder / f"{label}-{dim}-{digest}.safetensors" for dim in dims}
    if all(path.is_file() for path in paths.values()):
        return {dim: TokenVectors.load(path, mmap=True) for dim, path in paths.items()}
    made = make()
    folder.mkdir(parents=True, exist_ok=True)
    for dim, path in paths.items():
        made[dim].save(path)
    return made


def _what_runs(model: Colibri) -> list[str]:
    """Hashes of every file of the variant, and what decides between its graphs."""
    variant = model.manifest.variants[model.variant]
    files = {file for graph in variant.graphs for file in (graph.query, graph.document)} | set(variant.data)
    hashes = sorted(model.manifest.files[file].sha256 for file in files)
    return [*hashes, model.provider.name, onnxruntime.__version__, *sorted(providers.cpu_features())]


def _texts(collection: Collection, role: RoleName) -> list[str]:
    return collection.queries if role == "query" else collection.documents
