"""Exact words beside MaxSim: nDCG@10 of each and of both, and names and codes that stand in one document.

    python3 run.py bench words --data DIR [--cache DIR]

Every set goes into a real index (ready vectors of the artefact's smallest width, int8, with texts), which is asked by
meaning, by words, and by both. Names and codes are made by rule: words of four letters or more that stand in one
document, with a digit or a capital letter within a sentence (in scripts without capitals: Latin ones), up to --names a
set, the same every time; typed alone, and in a question. --weight tries another weight of words.
"""

import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import click
import numpy as np

from colibri import Colibri, ColibriError, Index, TokenVectors
from colibri.index import Mode, blending
from colibri.index.ranking import part_of
from quality import retrieval
from quality.bench_quality import SETS, load_models, set_folders
from quality.encoded import token_vectors
from quality.retrieval import DEPTH, Collection
from report import machine

MODES: tuple[Mode, ...] = ("meaning", "words", "both")
QUESTIONS = {
    "en": "what is {}?",
    "de": "was ist {}?",
    "ar": "ما هو {}؟",
    "zh": "什么是 {}？",
    "ja": "{} とは何ですか？",
    "fr": "qu'est-ce que {} ?",
    "ko": "{} 이란 무엇입니까?",
    "it": "che cos'è {}?",
    "pl": "co to jest {}?",
    "ru": "что такое {}?",
    "es": "¿qué es {}?",
}
_WITHIN = re.compile(r"(?<=[^\W\d_] )([^\W\d_a-z]\w{3,}|\w*\d\w*)(?!\w)")
_LATIN = re.compile(r"(?<![\w.])([A-Za-z][A-Za-z0-9]{3,}|[A-Za-z]+\d+[A-Za-z0-9]*)(?![\w.])", re.ASCII)
_FEWEST = 20  # names that make a figure


@dataclass(frozen=True)
class WordsResult:
    """Figures of one set, by mode.

    ndcg        nDCG@10. alone, in_question: share of names whose document comes first; empty where there are few names
    words_bytes what words take on the disk, of so many bytes of text
    """

    set: str
    queries: int
    documents: int
    names: int
    ndcg: dict[str, float]
    alone: dict[str, float]
    in_question: dict[str, float]
    words_bytes: int
    text_bytes: int


def judge(collection: Collection, model: Colibri, names: int, cache: Path | None) -> WordsResult:
    """All figures of one set."""
    dim = min(model.dims)
    documents = token_vectors(model, collection, "document", cache)[dim].quantize()
    queries = token_vectors(model, collection, "query", cache)[dim]
    picked = names_of(collection, names)
    language = collection.name.rpartition("-")[2]
    question = QUESTIONS.get("ja" if collection.name == "jaquad" else language, QUESTIONS["en"])
    asked = {"alone": list(picked), "in_question": [question.format(name) for name in picked]}
    with tempfile.TemporaryDirectory() as folder, Index.open(folder + "/index", dim=dim, space_id="bench") as index:
        index.add(
            {"id": name, "text": text, "vectors": _part(documents, i)}
            for i, (name, text) in enumerate(zip(collection.document_ids, collection.documents, strict=True))
        )
        ndcg: dict[str, float] = {mode: _ndcg(index, collection, queries, mode) for mode in MODES}
        hit: dict[str, dict[str, float]] = {"alone": {}, "in_question": {}}
        if len(picked) >= _FEWEST:
            for kind, texts in asked.items():
                named = Collection(f"{collection.name}-{kind}", [], [], texts, [], [])
                encoded = token_vectors(model, named, "query", cache)[dim]
                hit[kind] = {mode: _first(index, texts, encoded, list(picked.values()), mode) for mode in MODES}
        size = index.stats().words_bytes
    return WordsResult(
        collection.name,
        len(collection.queries),
        len(collection.documents),
        len(picked),
        ndcg,
        hit["alone"],
        hit["in_question"],
        size,
        sum(len(text.encode()) for text in collection.documents),
    )


def names_of(collection: Collection, count: int) -> dict[str, str]:
    """Names and codes -> the one document they stand in; the same for a set."""
    owners: dict[str, set[int]] = {}
    shown: dict[str, str] = {}
    for i, text in enumerate(collection.documents):
        for word in re.findall(r"\w+", text):
            owners.setdefault(word.casefold(), set()).add(i)
        for pattern in (_WITHIN, _LATIN) if _capitals(text) else (_LATIN,):
            for name in pattern.findall(text):
                shown.setdefault(name, collection.document_ids[i])
    kept = sorted(name for name in shown if len(owners.get(name.casefold(), ())) == 1 and len(name) >= 4)
    chosen = random.Random(collection.name).sample(kept, min(count, len(kept)))
    return {name: shown[name] for name in chosen}


def _capitals(text: str) -> bool:
    counts = Counter(character.islower() for character in text if character.isalpha())
    return counts[True] > counts[False]


def _part(vectors: TokenVectors, i: int) -> TokenVectors:
    own = slice(vectors.starts[i], vectors.starts[i + 1])
    assert vectors.scales is not None
    return TokenVectors(vectors.rows[own], np.array([0, own.stop - own.start]), scales=vectors.scales[own])


def _rankings(index: Index, texts: Sequence[str], vectors: TokenVectors, mode: Mode) -> list[list[str]]:
    return [
        [hit.id for hit in index.search(part_of(vectors, i, i + 1), DEPTH, mode=mode, text=text, passages=1)]
        for i, text in enumerate(texts)
    ]


def _ndcg(index: Index, collection: Collection, queries: TokenVectors, mode: Mode) -> float:
    rankings = _rankings(index, collection.queries, queries, mode)
    return float(
        np.mean([retrieval.ndcg(ranking, gains) for ranking, gains in zip(rankings, collection.gains, strict=True)])
    )


def _first(index: Index, texts: Sequence[str], vectors: TokenVectors, owners: Sequence[str], mode: Mode) -> float:
    rankings = _rankings(index, texts, vectors, mode)
    return float(np.mean([ranking[:1] == [owner] for ranking, owner in zip(rankings, owners, strict=True)]))


def print_row(result: WordsResult, *, titles: bool) -> None:
    """One line of the table."""
    if titles:
        print(f"{'':12}  nDCG@10 {'/'.join(MODES)}    names alone, hit@1    in a question       words/text bytes")
    figures = [
        "  ".join(f"{100 * found[mode]:6.2f}" for mode in MODES) if found else " " * 22
        for found in (result.ndcg, result.alone, result.in_question)
    ]
    share = result.words_bytes / max(result.text_bytes, 1)
    print(f"{result.set:12}  {'   '.join(figures)}   {share:.2f}", flush=True)


def print_means(results: Sequence[WordsResult]) -> None:
    """The mean of every column, and the worst set of both against meaning."""
    gains = {one.set: one.ndcg["both"] - one.ndcg["meaning"] for one in results}
    worst = min(gains, key=lambda name: gains[name])
    for title in ("ndcg", "alone", "in_question"):
        rows = [getattr(one, title) for one in results if getattr(one, title)]
        means = {mode: 100 * float(np.mean([row[mode] for row in rows])) for mode in MODES} if rows else {}
        print(f"{title:12}  {means and '  '.join(f'{mode} {value:.2f}' for mode, value in means.items())}")
    print(f"both gains {100 * float(np.mean(list(gains.values()))):+.2f}, worst {worst} {100 * gains[worst]:+.2f}")


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--data", type=_FOLDER, required=True, help="Holds one folder a set, in BEIR's layout.")
@click.option("--sets", default=",".join(SETS), show_default=True, help="Folders of --data, comma-separated.")
@click.option("--artefact", "name", metavar="NAME|FOLDER", help="Default: the one that comes with the package.")
@click.option("--variant", default="cpu-int8", show_default=True)
@click.option("--names", type=click.IntRange(min=0), default=60, show_default=True, help="Names and codes of a set.")
@click.option("--weight", type=float, default=blending.WEIGHT, show_default=True)
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Keep encoded collections here.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a set.")
def main(
    data: Path,
    sets: str,
    name: str | None,
    variant: str,
    names: int,
    weight: float,
    cache: Path | None,
    lines: IO[str] | None,
) -> None:
    """Print nDCG@10 by meaning, words and both, and how often a name's document comes first."""
    try:
        (model,) = load_models(name, variant).values()
    except ColibriError as error:
        raise click.ClickException(str(error)) from error
    blending.WEIGHT = weight
    results: list[WordsResult] = []
    for folder in set_folders(data, sets):
        results.append(judge(retrieval.load(folder), model, names, cache))
        print_row(results[-1], titles=len(results) == 1)
        if lines:
            line = {"artefact": model.manifest.name, "weight": weight}
            print(json.dumps(line | asdict(results[-1]) | {"machine": machine.describe()}), file=lines, flush=True)
    print_means(results)


if __name__ == "__main__":
    main()
