"""Make colibri-mini's first heads: the leading directions of its own token vectors over a sample of texts.

    python models/colibri-mini/train/pca.py CHECKPOINT ../shared/data/train models/colibri-mini/heads

CHECKPOINT is the Hugging Face folder that `colibri build-mini --keep-checkpoint` leaves. Rows are encoded with an
identity head (384, unit rows) by our own runtime in float32; the heads are the first rows of one rotation, the
eigenvectors of the rows' second moments without centring: a head has no bias to subtract a mean with.
"""

import gzip
import hashlib
import json
import tempfile
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

import colibri
from colibri_export.pipeline import export

DIMS = (128, 96, 64)


def sample(data: Path, texts_a_file: int) -> tuple[list[str], list[str]]:
    """The pairs of each file whose SHA-256 comes first: spread over languages, the same on every machine."""
    queries, documents = [], []
    for path in sorted(data.glob("*.jsonl.gz")):
        with gzip.open(path, "rb") as file:
            lines = sorted(file, key=lambda line: hashlib.sha256(line).digest())[:texts_a_file]
        pairs = [json.loads(line) for line in lines]
        queries += [pair["query"] for pair in pairs]
        documents += [pair["positive"] for pair in pairs]
    return queries, documents


def second_moments(vectors: colibri.TokenVectors) -> NDArray[np.float64]:
    """(dim, dim) float64 mean of row outer products; every text counts alike, however long."""
    moments = np.zeros((vectors.dim, vectors.dim))
    for rows in vectors:
        wide = rows.astype(np.float64)
        moments += wide.T @ wide / len(wide)
    return moments / len(vectors)


@click.command(help=__doc__)
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--texts-a-file", default=300, show_default=True)
def main(checkpoint: Path, data: Path, out: Path, texts_a_file: int) -> None:
    """Sample, encode, rotate, write."""
    queries, documents = sample(data, texts_a_file)
    hidden = json.loads((checkpoint / "config.json").read_text())["hidden_size"]
    with tempfile.TemporaryDirectory() as scratch:
        identity = Path(scratch) / "identity.safetensors"
        save_file({"linear.weight": np.eye(hidden, dtype=np.float32)}, identity)
        recipe = Path(__file__).parents[2] / "colibri-mini.toml"
        folder = Path(scratch) / "raw"
        export(
            checkpoint, folder, recipe_file=recipe, heads={hidden: identity}, dims=[hidden], variant_names=["cpu-fp32"]
        )
        model = colibri.load(folder)
        moments = second_moments(model.encode_queries(queries, progress=True))
        moments += second_moments(model.encode_documents(documents, progress=True))
    values, vectors = np.linalg.eigh(moments / 2)
    rotation = vectors[:, ::-1].T
    rotation *= np.sign(rotation[np.arange(hidden), np.abs(rotation).argmax(axis=1)])[:, None]
    out.mkdir(parents=True, exist_ok=True)
    for dim in DIMS:
        kept = values[::-1][:dim].sum() / values.sum()
        click.echo(f"{dim}: keeps {kept:.4f} of the rows' energy, {len(queries)} queries and documents")
        save_file(
            {"linear.weight": np.ascontiguousarray(rotation[:dim], dtype=np.float32)}, out / f"head-{dim}.safetensors"
        )


if __name__ == "__main__":
    main()
