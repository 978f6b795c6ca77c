"""Rows of the float32 model for `colibri verify --golden`, computed without Colibri: NumPy in float64, tokenizers.

    python models/colibri-mini/train/golden.py CHECKPOINT models/colibri-mini/heads

CHECKPOINT is the Hugging Face folder that `colibri build-mini --keep-checkpoint` leaves. Prints what stands in
models/colibri-mini.toml.
"""

import json
import math
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

Doubles = NDArray[np.float64]

TEXTS = (
    ("query", "Which bird can fly backwards?"),
    ("document", "Kolibris sind die einzigen Vögel, die rückwärts fliegen können."),
    ("document", "蜂鸟是唯一可以向后飞行的鸟类。"),
)
PREFIXES = {"query": "query: ", "document": "passage: "}
VALUES = 6
TOLERANCE = 0.001


def layer_norm(x: Doubles, weights: dict[str, Doubles], name: str, epsilon: float) -> Doubles:
    """Over the last axis."""
    x = x - x.mean(axis=-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + epsilon)
    found: Doubles = x * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return found


def gelu(x: Doubles) -> Doubles:
    """x times the normal distribution function of x, exactly."""
    return np.asarray(x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))))


def backbone(ids: list[int], weights: dict[str, Doubles], config: dict[str, Any]) -> Doubles:
    """BERT's last layer: (tokens, hidden)."""
    n, heads, epsilon = len(ids), config["num_attention_heads"], config["layer_norm_eps"]

    def linear(x: Doubles, name: str) -> Doubles:
        found: Doubles = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        return found

    def split(x: Doubles) -> Doubles:
        return x.reshape(n, heads, -1).transpose(1, 0, 2)

    x = weights["embeddings.word_embeddings.weight"][ids] + weights["embeddings.position_embeddings.weight"][:n]
    x = layer_norm(x + weights["embeddings.token_type_embeddings.weight"][0], weights, "embeddings.LayerNorm", epsilon)
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        q, k, v = (split(linear(x, f"{layer}.attention.self.{part}")) for part in ("query", "key", "value"))
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (scores / scores.sum(axis=-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(n, -1)
        name = f"{layer}.attention.output"
        x = layer_norm(x + linear(mixed, f"{name}.dense"), weights, f"{name}.LayerNorm", epsilon)
        wide = gelu(linear(x, f"{layer}.intermediate.dense"))
        x = layer_norm(x + linear(wide, f"{layer}.output.dense"), weights, f"{layer}.output.LayerNorm", epsilon)
    return x


@click.command(help=__doc__)
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("heads", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(checkpoint: Path, heads: Path) -> None:
    """Print TOML."""
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    weights = {name: array.astype(np.float64) for name, array in load_file(checkpoint / "model.safetensors").items()}
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    matrices = {dim: load_file(heads / f"head-{dim}.safetensors")["linear.weight"] for dim in (128, 96, 64)}
    for role, text in TEXTS:
        prefix = len(tokenizer.encode(PREFIXES[role], add_special_tokens=False).ids)
        rows = backbone(tokenizer.encode(PREFIXES[role] + text).ids, weights, config)[1 + prefix : -1]
        for dim, matrix in matrices.items():
            found = rows @ matrix.T.astype(np.float64)
            found /= np.linalg.norm(found, axis=1, keepdims=True)
            for row in (0, len(found) - 1):
                values = ", ".join(f"{value:.5f}" for value in found[row, :VALUES])
                click.echo(f'\n[[golden]]\ntext = "{text}"\nrole = "{role}"\ndim = {dim}\nrow = {row}')
                click.echo(f"values = [{values}]\ntolerance = {TOLERANCE}")


if __name__ == "__main__":
    main()
