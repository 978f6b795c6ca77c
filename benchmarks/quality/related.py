"""Pairs of texts that belong together and that no weight was learnt from: what cutoffs are measured on.

They are of `train/` in the data folder, less the pairs that `models/colibri-mini/train` learns from, and less every
passage of those. The sets of `dev/` stay apart, to check what was measured here.
"""

import gzip
import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from quality.retrieval import Collection

PAIRS_A_LANGUAGE = {
    "afriqa_train": 40,
    "debian_descriptions": 30,
    "iapp_th_train": 300,
    "jaquad_train": 300,
    "libreoffice_help": 30,
    "manpages": 30,
    "medquad": 300,
    "scifact_train": 200,
    "tydiqa_id_train": 300,
}
"""Of each file and language in it."""
LEARNT = {
    "afriqa_train": 250,
    "debian_descriptions": 80,
    "iapp_th_train": 2000,
    "jaquad_train": 3000,
    "libreoffice_help": 100,
    "manpages": 50,
    "medquad": 3000,
    "scifact_train": 900,
    "tydiqa_id_train": 2000,
}
"""`PAIRS_A_GROUP` of models/colibri-mini/train/samples.py: of each the first by SHA-256 were learnt from."""


@dataclass(frozen=True)
class Related:
    """Pairs as a collection, and of each the file and the query's language."""

    collection: Collection
    files: list[str]
    languages: list[str]


def read(data: Path) -> Related:
    """Of every file and language the pairs whose SHA-256 comes first behind the learnt ones, each passage once."""
    found: list[tuple[str, str, dict[str, str]]] = []
    seen: set[str] = set()
    for name, most in PAIRS_A_LANGUAGE.items():
        for group, ordered in sorted(_groups(data / f"{name}.jsonl.gz").items()):
            learnt = LEARNT[name]
            seen |= {pair["positive"] for pair in ordered[:learnt]}
            own: dict[str, dict[str, str]] = {}
            for pair in ordered[learnt:]:
                if pair["positive"] not in seen:
                    own.setdefault(pair["positive"], pair)
            taken = list(own.values())[:most]
            seen |= {pair["positive"] for pair in taken}
            found += [(name, group, pair) for pair in taken]
    ids = [str(i) for i in range(len(found))]
    passages, queries = [pair["positive"] for _, _, pair in found], [pair["query"] for _, _, pair in found]
    collection = Collection("related", ids, passages, queries, [{found_id: 1} for found_id in ids], ids)
    return Related(collection, [name for name, _, _ in found], [group for _, group, _ in found])


def _groups(path: Path) -> dict[str, list[dict[str, str]]]:
    """Pairs of languages -> the pairs, in the order of their lines' SHA-256."""
    groups: dict[str, list[tuple[bytes, dict[str, str]]]] = defaultdict(list)
    with gzip.open(path, "rb") as file:
        for line in file:
            pair = json.loads(line)
            group = f"{pair['lang']}>{pair.get('positive_lang', pair['lang'])}"
            groups[group].append((hashlib.sha256(line).digest(), pair))
    return {group: [pair for _, pair in sorted(own, key=lambda item: item[0])] for group, own in groups.items()}
