"""One process of bench_tokenizer: load one engine, read all texts with it, tell times, memory and what came out.

    python tokenizer_parts.py ENGINE ARTEFACT DATA        (ENGINE: light, tokenizers or sentencepiece)

Prints one JSON object. `ids` and `offsets` hold one short digest a text; sentencepiece's offsets count bytes and are
left out.
"""

import hashlib
import json
import resource
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from start.cold_start_parts import peak_megabytes

AT_ONCE = 256  # as the encoder does
QUERY = "how many people live in Berlin?"
Read = Callable[[list[str]], Sequence[tuple[Any, Any]]]
"""Texts to (ids, offsets) of each."""


def light(folder: Path) -> Read:
    """Ours; a text that it leaves to `tokenizers` has no ids here."""
    from colibri.tokens.light_tokenizer import LightTokenizer  # noqa: PLC0415 - loading is what is timed, here and below

    engine = LightTokenizer(folder / "unigram.npz")
    return lambda texts: [((), None) if p is None else (p.ids, p.offsets) for p in engine.encode(texts)]


def tokenizers(folder: Path) -> Read:
    """The reference."""
    from tokenizers import Tokenizer  # noqa: PLC0415

    engine = Tokenizer.from_buffer((folder / "tokenizer.json").read_bytes())
    engine.encode_special_tokens = True
    return lambda texts: [(e.ids, e.offsets) for e in engine.encode_batch(texts, add_special_tokens=False)]


def sentencepiece(folder: Path) -> Read:
    """sentencepiece with the same pieces, scores and charsmap."""
    from sentencepiece import SentencePieceProcessor  # noqa: PLC0415

    engine = SentencePieceProcessor(model_proto=(folder / "sentencepiece.model").read_bytes())
    return lambda texts: [(ids, None) for ids in engine.encode(texts)]


def texts_of(data: Path) -> list[str]:
    """Documents (title, space, text) and queries of every set."""
    texts = []
    for file in sorted(data.glob("*/*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            texts.append(f"{row.get('title', '')} {row['text']}".strip())
    return texts


def digest(numbers: Any) -> str:
    """Short hash of whole numbers in any nesting."""
    flat = [int(n) for row in numbers for n in (row if hasattr(row, "__len__") else [row])]
    return hashlib.sha256(struct.pack(f"<{len(flat)}q", *flat)).hexdigest()[:12]


def resident_megabytes() -> float:
    """Now, or at most so far where /proc does not tell: a child's peak starts with its parent's."""
    statm = Path("/proc/self/statm")
    if statm.is_file():
        return int(statm.read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1e6
    return peak_megabytes(resource.getrusage(resource.RUSAGE_SELF))


def main() -> None:
    """Load, then one query again and again, then everything."""
    name, folder, data = sys.argv[1:]
    if name != "tokenizers":
        import numpy  # noqa: F401, PLC0415 - the runtime has it in any case
    before = resident_megabytes()
    start = time.perf_counter()
    read: Read = {"light": light, "tokenizers": tokenizers, "sentencepiece": sentencepiece}[name](Path(folder))
    load_ms = (time.perf_counter() - start) * 1e3
    after = resident_megabytes()
    texts = texts_of(Path(data))
    laps = []
    for _ in range(200):
        start = time.perf_counter()
        read([QUERY])
        laps.append((time.perf_counter() - start) * 1e3)
    encode_s = 0.0
    ids, offsets, tokens = [], [], 0
    for at in range(0, len(texts), AT_ONCE):
        start = time.perf_counter()
        found = read(texts[at : at + AT_ONCE])
        encode_s += time.perf_counter() - start
        tokens += sum(len(one) for one, _ in found)
        ids += [digest(one) if len(one) else "" for one, _ in found]
        offsets += [None if spans is None else digest(spans) for _, spans in found]
    report = {"load_ms": load_ms, "load_mb": after - before, "query_ms": sorted(laps)[len(laps) // 2]}
    report |= {"encode_s": encode_s, "tokens": tokens, "characters": sum(map(len, texts))}
    print(json.dumps(report | {"ids": ids, "offsets": offsets}))


if __name__ == "__main__":
    main()
