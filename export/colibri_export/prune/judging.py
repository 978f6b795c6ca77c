"""nDCG@10 of an artefact on a set of one's own, in BEIR's layout: corpus.jsonl, queries.jsonl and qrels.tsv."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from colibri.artefact import Artefact
from colibri.errors import InputError
from colibri.model import Colibri
from colibri.scoring import maxsim

DEPTH = 10


@dataclass(frozen=True)
class JudgedSet:
    """Queries with judgments, and the documents they are of.

    documents  id -> title, a space, and text
    queries    (text, document id -> gain), each with a gain above 0
    """

    documents: dict[str, str]
    queries: list[tuple[str, dict[str, int]]]


def read_set(folder: Path) -> JudgedSet:
    """Read a folder; qrels.tsv may lie in qrels/test.tsv. Raises InputError for what is not of that form."""
    try:
        documents = {d["_id"]: f"{d.get('title') or ''} {d['text']}".strip() for d in _lines(folder / "corpus.jsonl")}
        judged = _judgments(next(p for p in (folder / "qrels.tsv", folder / "qrels" / "test.tsv") if p.is_file()))
        texts = {query["_id"]: query["text"] for query in _lines(folder / "queries.jsonl")}
        queries = [(texts[name], gains) for name, gains in judged.items() if any(g > 0 for g in gains.values())]
    except StopIteration:
        raise InputError(f"{folder}: no qrels.tsv, nor qrels/test.tsv; wanted a set in BEIR's layout") from None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{folder}: is no set in BEIR's layout ({error!r})") from error
    if not queries or not documents:
        raise InputError(f"{folder}: {len(documents)} documents, {len(queries)} judged queries; wanted some of both")
    return JudgedSet(documents, queries)


def mean_ndcg(artefact: Artefact, judged: JudgedSet) -> float:
    """nDCG@10 by exact MaxSim at the artefact's default width, rows stored as int8."""
    model = Colibri(artefact)
    ids = list(judged.documents)
    documents = model.encode_documents(list(judged.documents.values())).quantize()
    queries = model.encode_queries([text for text, _ in judged.queries])
    found = []
    for query, (_, gains) in zip(queries, judged.queries, strict=True):
        scores = maxsim(query, documents)
        best = np.argsort(-scores, kind="stable")[:DEPTH]
        found.append(ndcg([ids[i] for i in best], gains))
    return float(np.mean(found))


def ndcg(ranking: Sequence[str], gains: Mapping[str, int]) -> float:
    """nDCG@10 with linear gain, as trec_eval has it. gains: document id -> judgment, one of them above 0."""
    return _dcg([gains.get(name, 0) for name in ranking]) / _dcg(sorted(gains.values(), reverse=True))


def _dcg(gains: Sequence[int]) -> float:
    return sum(max(gain, 0) / math.log2(place + 1) for place, gain in enumerate(gains[:DEPTH], 1))


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _judgments(path: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            found.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    return found
