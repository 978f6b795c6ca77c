"""Which pairs are learnt from, and which are held out: language-balanced, the same on every machine."""

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAIRS_A_GROUP = {
    "afriqa_train": 60,
    "debian_descriptions": 40,
    "debian_parallel": 20,
    "iapp_th_train": 400,
    "jaquad_train": 400,
    "libreoffice_help": 30,
    "libreoffice_help_parallel": 20,
    "manpages": 30,
    "medquad": 500,
    "scifact_train": 400,
    "tydiqa_id_train": 400,
}
"""Of each file and pair of languages in it: real questions weigh as much as help pages in 31 languages."""

PAIRS = 4150
"""Of all groups together, those whose SHA-256 comes first: what an hour on two busy cores has time for."""
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
    """The first PAIRS of all, by SHA-256, groups cut to their quota before. share: of PAIRS, such as 0.1 for a trial.

    A passage is learnt from or held out as a whole, however many questions have it.
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
    return [pair for _, pair in sorted(found, key=lambda item: item[0])][: round(PAIRS * share)]


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
