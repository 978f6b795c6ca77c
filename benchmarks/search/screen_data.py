"""Passages for `bench_screen`: real ones, and as many more as wanted that are made of pieces of them.

A made passage is runs of 5 to 15 rows, each of another real passage. No row is in more than `times` passages, and
none is changed, so that scores between made passages should lie about as close together as those between real ones:
`bench_growth` prints how close they do, from the 10th to the 100th.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import colibri
from colibri import Colibri, TokenVectors

DIM = 64
LENGTH = 40  # rows of a made passage, and tokens of a real one at most
MOST_TIMES = 20
_ROWS_A_PART = 32_768
SHORTEST_RUN, LONGEST_RUN = 5, 15
_OTHERS = ("debian_descriptions", "manpages", "libreoffice_help")


def windows(model: Colibri, texts: Iterator[str]) -> Iterator[str]:
    """Parts of so many tokens, one after the other; the rest of a text where it is half as long at least."""
    for text in texts:
        offsets = model.token_offsets(text)
        for first in range(0, len(offsets), LENGTH):
            own = offsets[first : first + LENGTH]
            if len(own) >= LENGTH // 2:
                yield text[own[0, 0] : own[-1, 1]]


def texts(data: Path) -> Iterator[str]:
    """Of every dev set's corpus and of other documentation in turn, so that any number of them is of all."""
    left = [_lines(path) for path in sorted(data.glob("dev/*/corpus.jsonl"))]
    left += [_lines(data / "train" / f"{name}.jsonl.gz") for name in _OTHERS]
    while left:
        for source in list(left):
            found = next(source, None)
            if found is None:
                left.remove(source)
            else:
                yield found.get("text") or found["positive"]


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def questions(data: Path, count: int) -> list[str]:
    """As many of every dev set, as far as it has them."""
    sets = []
    for path in sorted(data.glob("dev/*/queries.jsonl")):
        with path.open(encoding="utf-8") as lines:
            sets.append([json.loads(line)["text"] for line in lines])
    picked: list[str] = []
    for place in range(max(map(len, sets))):
        picked += [one[place] for one in sets if place < len(one)]
    return picked[:count]


def asked(data: Path, work: Path, queries: int) -> TokenVectors:
    """Questions as float32 rows; kept in `work`."""
    place = work / f"questions-{queries}.safetensors"
    if not place.exists():
        colibri.load().encode_queries(questions(data, queries), DIM).save(place)
    return TokenVectors.load(place)


def real(data: Path, work: Path, count: int) -> TokenVectors:
    """So many real passages, int8; kept in `work`, in parts, so that a run that was interrupted goes on."""
    parts = [TokenVectors.load(place, mmap=True) for place in sorted(work.glob("real-*.safetensors"))]
    done = sum(map(len, parts))
    if done < count:
        model = colibri.load()
        left = islice(windows(model, texts(data)), done, count)
        for some in model.stream_documents(left, DIM, dtype="int8", chunk_tokens=_ROWS_A_PART):
            parts.append(some)
            some.save(work / f"real-{len(parts):04d}.safetensors")
            print(f"{sum(map(len, parts)):,} real passages", flush=True)
    return _joined(parts)


def kept(work: Path) -> TokenVectors:
    """What `real` has left there."""
    return _joined([TokenVectors.load(place, mmap=True) for place in sorted(work.glob("real-*.safetensors"))])


def _joined(parts: Sequence[TokenVectors]) -> TokenVectors:
    starts = np.cumsum(np.concatenate([[0], *(np.diff(part.starts) for part in parts)]), dtype=np.int64)
    scales = np.concatenate([part.scales for part in parts if part.scales is not None])
    rows = np.concatenate([part.rows for part in parts])
    return TokenVectors(rows, starts, scales=scales, space_id=parts[0].space_id)


def made(
    real: TokenVectors, count: int, times: int = MOST_TIMES, seed: int = 0, shortest: int = LENGTH
) -> Iterator[tuple[NDArray[np.int8], NDArray[np.float32]]]:
    """Rows (tokens, DIM) and scales (tokens,) of so many passages, of `shortest` to LENGTH tokens.

    Every row of every real passage is dealt out up to so many times, in runs, in random order. Raises ValueError where
    there are too few real rows.
    """
    assert real.scales is not None
    rng = np.random.default_rng(seed)
    lengths = rng.integers(shortest, LENGTH + 1, count) if shortest < LENGTH else np.full(count, LENGTH)
    if (wanted := int(lengths.sum())) > 0.9 * times * len(real.rows):
        raise ValueError(f"{count:,} passages need {wanted // times:,} real rows, found {len(real.rows):,}")
    runs = _runs(real, rng, times)
    for tokens in lengths.tolist():
        left = tokens
        places: list[NDArray[np.int64]] = []
        owners: set[int] = set()
        while left:
            owner, first, length = next(runs)
            if owner in owners:
                continue
            owners.add(owner)
            places.append(np.arange(first, first + min(length, left)))
            left -= len(places[-1])
        own = np.concatenate(places)
        yield real.rows[own], real.scales[own]


def _runs(real: TokenVectors, rng: np.random.Generator, times: int) -> Iterator[tuple[int, int, int]]:
    """(passage, first row, rows) in random order, each row in so many of them."""
    for _ in range(times):
        cut = []
        for owner, (begin, end) in enumerate(zip(real.starts[:-1].tolist(), real.starts[1:].tolist(), strict=True)):
            at = begin
            while at < end:
                length = min(int(rng.integers(SHORTEST_RUN, LONGEST_RUN + 1)), end - at)
                cut.append((owner, at, length))
                at += length
        for i in rng.permutation(len(cut)):
            yield cut[i]
