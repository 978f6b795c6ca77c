"""Memory of one, two and four processes that have the same model, with and without `colibri warmup --packed`.

    python3 run.py bench packed

Each process loads the model, encodes a query and a document, and waits, so that all are there at once; then each reads
what /proc says of it. PSS shares out what several map, so its sum is what the machine gave; a process alone comes
first, untimed, so that files are in the page cache and modules are compiled.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import click

from report import machine

COUNTS = (1, 2, 4)
KEYS = ("Rss", "Pss", "Private_Dirty")
CHILD = """
import json, sys, time
start = time.process_time()
import colibri
model = colibri.load(sys.argv[1] or None, engine_cache=sys.argv[2])
rows = model.encode_queries(["how many people live in Berlin?"]).rows
rows_ms = (time.process_time() - start) * 1e3
model.encode_documents(["Berlin has about 3.7 million inhabitants."])
print(json.dumps({"cpu_ms": rows_ms, "rows": rows.tobytes().hex()[:64]}), flush=True)
sys.stdin.readline()
lines = [line.split() for line in open("/proc/self/smaps_rollup")]
found = {parts[0][:-1]: int(parts[1]) * 1024 / 1e6 for parts in lines if len(parts) == 3}
print(json.dumps(found), flush=True)
sys.stdin.readline()
"""


def measure(count: int, name: str, cache: Path) -> dict[str, float]:
    """So many processes at once: their memory in MB, summed, and the median of CPU ms to the first rows."""
    command = [sys.executable, "-c", CHILD, name, str(cache)]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    try:
        first = [json.loads(ask(child)) for child in children]
        for child in children:
            tell(child)
        found = [json.loads(ask(child)) for child in children]
        for child in children:
            tell(child)
    finally:
        for child in children:
            child.communicate()
    assert len({one["rows"] for one in first}) == 1
    sums = {f"{key.lower()}_mb": round(sum(one[key] for one in found), 1) for key in KEYS}
    return sums | {"cpu_ms": round(statistics.median(one["cpu_ms"] for one in first), 1)}


def ask(child: "subprocess.Popen[str]") -> str:
    """Its next line."""
    assert child.stdout is not None
    return child.stdout.readline()


def tell(child: "subprocess.Popen[str]") -> None:
    """Let it go on."""
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


@click.command()
@click.option("--artefact", "name", default="", metavar="NAME|FOLDER", help="Default: the one that comes along.")
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="The median counts.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a case.")
def main(name: str, rounds: int, lines: IO[str] | None) -> None:
    """Print memory of 1, 2 and 4 processes, as they come and with packed weights, in turns."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise click.ClickException("memory is read from /proc/PID/smaps_rollup, which is Linux'")
    with tempfile.TemporaryDirectory() as made:
        caches = {"as it comes": Path(made) / "none", "packed": Path(made) / "packed"}
        pack = [sys.executable, "-m", "colibri", "warmup", "--packed", "--cache", str(caches["packed"])]
        subprocess.run([*pack, *(["--model", name] if name else [])], check=True, stdout=subprocess.DEVNULL)
        size = sum(path.stat().st_size for path in caches["packed"].rglob("*") if path.is_file())
        print(f"{size / 1e6:.1f} MB packed")
        print(f"{'':14}{'processes':>10}{'PSS MB':>10}{'RSS MB':>10}{'dirty MB':>10}{'CPU ms':>10}")
        for cache in caches.values():
            measure(1, name, cache)
        for count in COUNTS:
            found: dict[str, list[dict[str, float]]] = {case: [] for case in caches}
            for _ in range(rounds):
                for case, cache in caches.items():
                    found[case].append(measure(count, name, cache))
            for case, taken in found.items():
                row = {key: statistics.median(one[key] for one in taken) for key in taken[0]}
                print(
                    f"{case:14}{count:>10}{row['pss_mb']:>10.0f}{row['rss_mb']:>10.0f}"
                    f"{row['private_dirty_mb']:>10.0f}{row['cpu_ms']:>10.0f}",
                    flush=True,
                )
                if lines:
                    line = {"case": case, "processes": count, "rounds": rounds, "artefact": name or None, **row}
                    print(json.dumps({**line, "packed_mb": size / 1e6, "machine": machine.describe()}), file=lines)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
