"""What the fast code must agree with: definitions in plain Python loops, and the files the tests compare with."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri.artefact import Artefact
from colibri.artefact.manifest import Role, TokenizerSpec
from colibri.tokens import LightTokenizer, read_tokenizer_json

ARTEFACTS = Path(__file__).parent / "artefacts"
GOLDEN = Path(__file__).parent / "golden"

_DTYPES = {"F32": "<f4", "I64": "<i8"}


def tokenizer_json(artefact: Artefact) -> str:
    """An artefact's whole tokenizer.json, also where its vocabulary stands in unigram.npz alone."""
    named, unigram = artefact.manifest.tokenizer.file, artefact.manifest.tokenizer.unigram_file
    light = None if unigram is None else LightTokenizer(artefact.path(unigram))
    return read_tokenizer_json(artefact.path(named), light.vocabulary if light else None)


def maxsim(
    query: Iterable[Iterable[float]],
    documents: Iterable[Iterable[Iterable[float]]],
    weights: Sequence[float] | None = None,
) -> list[float]:
    """For each query row its largest dot product with any row of the document, times its weight, summed."""
    scores = []
    for document in documents:
        score = 0.0
        for i, row in enumerate(query):
            best = -math.inf
            for other in document:
                best = max(best, sum(float(x) * float(y) for x, y in zip(row, other, strict=True)))
            score += best if weights is None else best * float(weights[i])
        scores.append(score)
    return scores


def quantised(row: Iterable[float], most: int = 127) -> tuple[list[int], np.float32]:
    """A row as integers of -most to most and one scale, in float32 operations (`TokenVectors.quantize`)."""
    values = [np.float32(value) for value in row]
    largest = max((abs(value) for value in values), default=np.float32(0))
    if largest < np.float32(1e-30):
        return [0] * len(values), np.float32(0)
    return [int(np.rint(value * (np.float32(most) / largest))) for value in values], largest / np.float32(most)


def int8_maxsim(
    query: Iterable[Iterable[float]],
    documents: Iterable[Sequence[tuple[Sequence[int], np.float32]]],
    weights: Sequence[np.float32] | None = None,
) -> list[np.float32]:
    """The score of quantised documents to the bit, as `colibri.scoring.meaning` defines it."""
    rows = [quantised(row) for row in query]
    scores = []
    for document in documents:
        lines = [[np.float32(0)] * 16 for _ in range(max(1, -(-len(rows) // 16)))]
        for i, (integers, final) in enumerate(rows):
            sums = [
                (sum(int(x) * int(y) for x, y in zip(integers, other, strict=True)), scale) for other, scale in document
            ]
            best = max(np.float32(total) * np.float32(scale) for total, scale in sums)
            lines[i // 16][i % 16] = best * (final if weights is None else final * np.float32(weights[i]))
        total = lines[0]
        for line in lines[1:]:
            total = [x + y for x, y in zip(total, line, strict=True)]
        while len(total) > 1:
            half = len(total) // 2
            total = [total[i] + total[half + i] for i in range(half)]
        scores.append(total[0])
    return scores


@dataclass
class Slot:
    """One place of a model's input."""

    id: int
    keep: bool
    attended: bool = True


def layout(prefix_ids: Sequence[int], text_ids: Sequence[int], role: Role, frame: TokenizerSpec) -> list[Slot]:
    """What a role makes of the token ids of its prefix and of a text: cut, frame, marker, expansion, rows to keep."""
    slots = [Slot(i, role.keep_prefix_rows and i not in role.skiplist.ids) for i in prefix_ids]
    slots += [Slot(i, i not in role.skiplist.ids) for i in text_ids]

    framing = len(frame.start_ids) + len(frame.end_ids)
    limit = role.max_tokens if role.marker_id is None else role.max_tokens - 1
    while slots and len(slots) + framing > limit:
        slots.pop()

    slots = [Slot(i, role.keep_special_rows and not role.drop_start_rows) for i in frame.start_ids] + slots
    slots += [Slot(i, role.keep_special_rows) for i in frame.end_ids]
    if role.marker_id is not None:
        slots.insert(1, Slot(role.marker_id, role.keep_special_rows))

    if role.expansion is not None:
        while len(slots) < role.expansion.to_tokens:
            slots.append(Slot(role.expansion.mask_id, keep=True, attended=role.expansion.attended))

    if not any(slot.keep for slot in slots):
        slots[0].keep = True
    return slots


def best_pieces(word: str, pieces: Sequence[tuple[str, float]], unknown_id: int) -> list[tuple[int, int, int]]:
    """Unigram's choice for a word as (id, start, end): of the best sums the one whose last piece starts first, at
    every place. Unknown characters side by side are one piece; each costs 10 more than the worst piece."""
    ids = {piece: i for i, (piece, _) in enumerate(pieces)}
    unknown = min(score for _, score in pieces) - 10
    best: list[tuple[float, list[tuple[int, int, int]]]] = [(0.0, [])]
    for end in range(1, len(word) + 1):
        found = None
        for start in range(end):
            i = ids.get(word[start:end], unknown_id if end - start == 1 else None)
            if i is not None:
                score = pieces[i][1] if word[start:end] in ids else unknown
                total = score + best[start][0]
                if found is None or total > found[0]:
                    found = total, [*best[start][1], (i, start, end)]
        assert found is not None
        best.append(found)
    joined: list[tuple[int, int, int]] = []
    for i, start, end in best[-1][1]:
        if joined and i == unknown_id == joined[-1][0]:
            start = joined.pop()[1]  # noqa: PLW2901 - it now starts where the one before did
        joined.append((i, start, end))
    return joined


def unit_rows(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Every row divided by its length."""
    wide = rows.astype(np.float64)
    result: NDArray[np.float64] = wide / np.sqrt((wide * wide).sum(axis=1, keepdims=True))
    return result


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """All tensors of a file: 8 bytes of header length, a JSON header, the bytes."""
    raw = path.read_bytes()
    base = 8 + int.from_bytes(raw[:8], "little")
    tensors = {}
    for name, entry in json.loads(raw[8:base]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            flat = np.frombuffer(raw[base + first : base + last], _DTYPES[entry["dtype"]])
            tensors[name] = flat.reshape(entry["shape"])
    return tensors
