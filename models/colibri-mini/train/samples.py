"""Which pairs are learnt from, and which are held out: language-balanced, the same on every machine."""

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAIRS_A_GROUP = {
    "afriqa_train": 250,
    "debian_descriptions": 80,
    "debian_parallel": 30,
    "iapp_th_train": 2000,
    "jaquad_train": 3000,
    "libreoffice_help": 100,
    "libreoffice_help_parallel": 30,
    "manpages": 50,
    "medquad": 3000,
    "scifact_train": 900,
    "tydiqa_id_train": 2000,
}
"""Of each file and pair of languages in it: 20,744, six in ten of them questions over Wikipedia, medicine and science,
so that help pages in 31 languages do not decide what 128 directions tell apart (benchmarks/NOTES.md)."""

HELD_OUT = 10  # every tenth pair is never learnt from


@dataclass(frozen=True)
class Pair:
    """A query and the passage that answers it."""

    file: str
    lang: str
    query: str
    passage: str
    held_out: bool


def read_pairs(data: Path, share: float = 1.0) -> list[Pair]:
    """The pairs of every group whose SHA-256 comes first, as many as its quota, in the order of SHA-256.

    share: the first of all of those, 0.1 for a trial. A passage is learnt from or held out as a
    whole, however many questions have it.
    """
    found: list[tuple[bytes, Pair]] = []
    for name, most in PAIRS_A_GROUP.items():
        groups: dict[str, list[tuple[bytes, dict[str, str]]]] = defaultdict(list)
        with gzip.open(data / f"{name}.jsonl.gz", "rb") as file:
            for line in file:
                pair = json.loads(line)
                group = f"{pair['lang']}>{pair.get('positive_lang', pair['lang'])}"
                groups[group].append((hashlib.sha256(line).digest(), pair))
        for group in sorted(groups):
            first = sorted(groups[group], key=lambda item: item[0])[:most]
            found += [
                (digest, Pair(name, group, pair["query"], pair["positive"], _held_out(pair["positive"])))
                for digest, pair in first
            ]
    return [pair for _, pair in sorted(found, key=lambda item: item[0])][: round(len(found) * share)]


def _held_out(passage: str) -> bool:
    return hashlib.sha256(passage.encode()).digest()[0] % HELD_OUT == 0


def distinct(texts: Sequence[str]) -> tuple[list[str], list[int]]:
    """Each text once, in order of first appearance, and where each of those given is among them."""
    places: dict[str, int] = {}
    where = [places.setdefault(text, len(places)) for text in texts]
    return list(places), where


def data_hashes(data: Path) -> dict[str, str]:
    """File name -> SHA-256."""
    names = [f"{name}.jsonl.gz" for name in PAIRS_A_GROUP]
    return {name: hashlib.sha256((data / name).read_bytes()).hexdigest() for name in names}
