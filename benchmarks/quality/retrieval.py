"""Retrieval collections in BEIR's layout, nDCG@10, and BM25 as the yardstick.

Scores are always (queries, documents) float32, whoever made them: BM25, one vector a text, or MaxSim.
"""

import csv
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import Stemmer
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DEPTH = 10
BM25_K1 = 1.2
BM25_B = 0.75
BM25_STEMMED = frozenset({"cisi", "medline"})
"""Sets whose published BM25 figure is with English stop words and Snowball. That of xquad-r-en and lohelp-en is with
plain words (.826, .503), although stemming is better there too (.842, .587)."""

_WORD = re.compile(r"\w+")
_CHINESE_OR_JAPANESE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Collection:
    """Documents, queries and judgments of one set.

    gains      for every query, document id -> gain; each query has at least one above 0
    query_ids  alike in sets that ask the same questions in several languages
    """

    name: str
    document_ids: list[str]
    documents: list[str]
    queries: list[str]
    gains: list[dict[str, int]]
    query_ids: list[str]


def load(folder: Path, limit: int | None = None) -> Collection:
    """Read corpus.jsonl, queries.jsonl and qrels.tsv. A document is its title, a space and its text.

    Queries without a positive judgment are left out; `limit` keeps the first so many of the others.
    """
    corpus = list(_json_lines(folder / "corpus.jsonl"))
    judged = _judgments(folder / "qrels.tsv")
    asked = [query for query in _json_lines(folder / "queries.jsonl") if query["_id"] in judged][:limit]
    return Collection(
        name=folder.name,
        document_ids=[document["_id"] for document in corpus],
        documents=[f"{document.get('title', '')} {document['text']}".strip() for document in corpus],
        queries=[query["text"] for query in asked],
        gains=[judged[query["_id"]] for query in asked],
        query_ids=[query["_id"] for query in asked],
    )


def crossed(asked: Collection, answered: Collection) -> tuple[Collection, list[int]]:
    """The queries of one set over the documents and judgments of another, and which queries of `asked` those are:
    those of an id that both sets have."""
    judged = dict(zip(answered.query_ids, answered.gains, strict=True))
    shared = [i for i, name in enumerate(asked.query_ids) if name in judged]
    return Collection(
        name=f"{asked.name}>{answered.name}",
        document_ids=answered.document_ids,
        documents=answered.documents,
        queries=[asked.queries[i] for i in shared],
        gains=[judged[asked.query_ids[i]] for i in shared],
        query_ids=[asked.query_ids[i] for i in shared],
    ), shared


def mean_ndcg(collection: Collection, scores: Floats) -> float:
    """nDCG@10 over all queries; documents of one score keep the corpus' order. scores (queries, documents)."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
    rankings = [[collection.document_ids[i] for i in row] for row in best]
    return float(np.mean([ndcg(ranking, gains) for ranking, gains in zip(rankings, collection.gains, strict=True)]))


def ndcg(ranking: list[str], gains: Mapping[str, int]) -> float:
    """nDCG@10 with linear gain (trec_eval's; 2^gain - 1 is the same for judgments of 0 and 1).

    ranking  document ids, best first
    gains    document id -> judgment of at least 0, one of them above 0
    """
    return _dcg(gains.get(name, 0) for name in ranking[:DEPTH]) / _dcg(sorted(gains.values(), reverse=True)[:DEPTH])


def bm25_scores(collection: Collection) -> Floats:
    """Lucene's BM25 at k1 1.2, b 0.75: (queries, documents) float32."""
    index = bm25s.BM25(k1=BM25_K1, b=BM25_B, method="lucene")
    index.index(_terms(collection.documents, collection.name), show_progress=False)
    nothing = np.zeros(len(collection.documents), np.float32)
    queries = _terms(collection.queries, collection.name)
    return np.stack([index.get_scores(terms) if terms else nothing for terms in queries])


def _dcg(gains: Iterable[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))


def _terms(texts: list[str], set_name: str) -> list[list[str]]:
    if set_name not in BM25_STEMMED:
        return [_plain_terms(text) for text in texts]
    stemmer = Stemmer.Stemmer("english")
    found: list[list[str]] = bm25s.tokenize(
        texts, stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False
    )
    return found


def _plain_terms(text: str) -> list[str]:
    """Lower-case words; a word with Chinese or Japanese characters becomes its character bigrams."""
    terms: list[str] = []
    for word in _WORD.findall(text.lower()):
        pairs = _CHINESE_OR_JAPANESE.search(word) and len(word) > 1
        terms += [word[i : i + 2] for i in range(len(word) - 1)] if pairs else [word]
    return terms


def _judgments(path: Path) -> dict[str, dict[str, int]]:
    """Query id -> document id -> gain, for queries with a gain above 0."""
    judged: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            judged.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    return {query: gains for query, gains in judged.items() if any(gain > 0 for gain in gains.values())}


def _json_lines(path: Path) -> Iterable[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
