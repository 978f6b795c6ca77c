"""One process of bench_export: load an artefact and read one text.

    python export_parts.py ARTEFACT query              one 32-token query, then nine more
    python export_parts.py ARTEFACT document TOKENS    one document of that many tokens
    python export_parts.py ARTEFACT rate VARIANT       sixteen documents of about 170 tokens: tokens_per_second

Prints one JSON object: load_ms, first_ms, median_ms (of the nine, queries only), tokens (rows that came back), and in
resident megabytes (10^6 bytes) loaded_mb once the model is loaded and peak_mb, the most this process ever held.
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path

import colibri
from start.cold_start_parts import peak_megabytes

QUERY = "how fast does a hummingbird beat its wings?"
WORDS = ("water", "time", "house", "world", "people", "river", "city", "music", "year", "school")


def resident_megabytes() -> float:
    """What this process holds now; where there is no /proc, the most it ever held."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return peak_megabytes(resource.getrusage(resource.RUSAGE_SELF))
    lines = status.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e6


def milliseconds_since(start: float) -> float:
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    """Load, encode, print."""
    folder, role, *tokens = sys.argv[1:]
    start = time.perf_counter()
    model = colibri.load(folder, variant=tokens[0] if role == "rate" else "cpu-int8")
    found = {"load_ms": milliseconds_since(start), "loaded_mb": resident_megabytes()}
    start = time.perf_counter()
    if role == "query":
        rows = model.encode_queries([QUERY]).rows
        found["first_ms"] = milliseconds_since(start)
        again = []
        for _ in range(9):
            start = time.perf_counter()
            model.encode_queries([QUERY])
            again.append(milliseconds_since(start))
        found["median_ms"] = statistics.median(again)
    elif role == "rate":
        texts = [" ".join(WORDS[(i + n) % len(WORDS)] for i in range(160)) for n in range(16)]
        rows = model.encode_documents(texts[:2]).rows
        start = time.perf_counter()
        rows = model.encode_documents(texts).rows
        found["tokens_per_second"] = len(rows) / (milliseconds_since(start) / 1e3)
    else:
        # Every word is a token or more, so the document is cut at its limit.
        wanted = int(tokens[0])
        rows = model.encode_documents([" ".join(WORDS[i % len(WORDS)] for i in range(wanted))]).rows
        found["first_ms"] = milliseconds_since(start)
    found["tokens"] = len(rows)
    found["peak_mb"] = peak_megabytes(resource.getrusage(resource.RUSAGE_SELF))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
