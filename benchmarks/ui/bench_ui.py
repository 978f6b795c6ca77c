"""`colibri ui` from a key to its answer, by stage, on 100,000 passages of 20,000 files; and what it takes at rest.

    python3 run.py bench ui --work DIR                 makes the index in DIR first (1 GB, minutes), which is kept
    python3 run.py bench ui --work DIR --index PATH    asks one that is there, such as `bench recoll` leaves
    python3 run.py bench ui --work DIR --beside TREE   the terminal's command of another `git worktree`, in turns

A passage is pieces of this repository's documentation, 5 to 15 tokens each, with the rows that colibri-mini gives them
there: random rows would be as far from every query, and a search that sign bits screen would score them all. A query
is typed letter by letter: each of its beginnings is a request, as the page sends one after its debounce. Times are the
client's, so HTTP and JSON count; CPU time is the server's own.
"""

import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import numpy as np

import colibri
from colibri import Index, TokenVectors
from report import machine

ROOT = Path(__file__).parents[2]
FILES, PASSAGES_A_FILE, SHORTEST, LONGEST = 20_000, 5, 20, 60
SHORTEST_RUN, LONGEST_RUN = 5, 15
_BETWEEN_SECONDS = 0.2
STAGES = ("encode", "words", "score", "texts", "total")
LANGUAGES = ("en", "en", "en", "de", "fr", "und")
QUERIES = (
    "how do I keep an index fresh",
    "which port does the server listen on",
    "licence of the model",
    "scores of passages",
    "what happens when the disk is full",
)


def pieces() -> list[tuple[str, TokenVectors]]:
    """Paragraphs of the documentation of 20 characters and more, and their rows."""
    pages = sorted((ROOT / "docs").glob("*.md"))
    texts = [part for page in pages for part in page.read_text(encoding="utf-8").split("\n\n") if len(part) > SHORTEST]
    encoded = colibri.load("colibri-mini").encode_documents(texts, 64).quantize()
    found = []
    for number, (first, last) in enumerate(pairwise(encoded.starts.tolist())):
        if last - first >= LONGEST_RUN:
            assert encoded.spans is not None
            assert encoded.scales is not None
            own = slice(first, last)
            starts = np.array([0, last - first], np.int64)
            rows = TokenVectors(encoded.rows[own], starts, encoded.spans[own], scales=encoded.scales[own])
            found.append((texts[number], rows))
    return found


def documents(count: int) -> Iterator[dict[str, Any]]:
    """Files as `colibri index` keeps them; always the same."""
    chosen, every = random.Random(0), pieces()
    for number in range(count):
        text, spans, starts = "", list[tuple[int, int]](), [0]
        rows, scales = [], []
        for _ in range(PASSAGES_A_FILE):
            wanted = chosen.randint(SHORTEST, LONGEST)
            while len(spans) - starts[-1] < wanted:
                page, own = chosen.choice(every)
                run = chosen.randint(SHORTEST_RUN, LONGEST_RUN)
                first = chosen.randint(0, len(own.rows) - run)
                assert own.spans is not None
                assert own.scales is not None
                there = own.spans[first : first + run].tolist()
                begin, end = there[0][0], max(last for _, last in there)
                spans += [(len(text) + at - begin, len(text) + last - begin) for at, last in there]
                text += page[begin:end] + " "
                rows.append(own.rows[first : first + run])
                scales.append(own.scales[first : first + run])
            starts.append(len(spans))
            text += "\n\n"
        kept = (np.array(starts, np.int64), np.array(spans, np.int32))
        vectors = TokenVectors(np.concatenate(rows), *kept, scales=np.concatenate(scales))
        folder = f"/home/user/Documents/{number % 40:02}/{number % 400:03}"
        path = f"{folder}/file {number:05}.md"
        file = {"path": path, "root": "/home/user/Documents", "suffix": "md", "size_bytes": len(text)}
        file |= {"mtime_ns": 1_700_000_000_000_000_000 + number * 10**12, "sha256": f"{number:064x}", "passages": 180}
        file |= {"reader": ("text 1", "PDF 2", "HTML 3")[number % 3], "about": f"file {number:05}\nuser documents"}
        file |= {"language": LANGUAGES[number % len(LANGUAGES)], "verbatim": True}
        yield {"id": path, "text": text, "payload": {"file": file}, "vectors": vectors}


def prepare(work: Path, count: int) -> Path:
    """The index, made once."""
    place = work / f"{count}.index"
    if not place.exists():
        partial = work / f"{count}.partial"
        with Index.open(partial, "colibri-mini", 64) as index:
            index.add(documents(count))
        partial.rename(place)
    return place


class Page:
    """`colibri ui` on an index, and one connection to it."""

    def __init__(self, place: Path, log: Path) -> None:
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "colibri", "ui", "--no-browser", "--index", str(place)],
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        assert self.process.stdout is not None
        address = ""
        while not address.startswith("http://"):
            address = self.process.stdout.readline().decode().strip()
        parts = urlsplit(address)
        self._headers = {"X-Colibri-Token": parts.fragment.removeprefix("token="), "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(str(parts.hostname), int(parts.port or 0))

    def ask(self, name: str, body: dict[str, Any] | None = None) -> tuple[Any, float]:
        """An answer, and its milliseconds."""
        began = time.perf_counter()
        data = None if body is None else json.dumps(body)
        self._connection.request("GET" if body is None else "POST", f"/ui/api/{name}", data, self._headers)
        response = self._connection.getresponse()
        found = response.read()
        took = (time.perf_counter() - began) * 1e3
        assert response.status == 200, found
        return json.loads(found), took

    def cpu_seconds(self) -> float:
        """Of its process so far (Linux)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, name: str) -> int:
        """A number of its /proc status (Linux)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

    def end(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


def typed(page: Page, rounds: int, more: dict[str, Any]) -> dict[str, Any]:
    """Every beginning of every query."""
    walls: list[float] = []
    stages: dict[str, list[float]] = {stage: [] for stage in STAGES}
    before = page.cpu_seconds()
    for query in QUERIES * rounds:
        for end in range(2, len(query) + 1):
            answer, took = page.ask("search", {"query": query[:end], "typing": end < len(query), **more})
            walls.append(took)
            for stage in STAGES:
                stages[stage].append(answer["took_ms"][stage])
    cpu = (page.cpu_seconds() - before) * 1e3 / len(walls)
    figures = {stage: _of(own) for stage, own in stages.items()}
    return {"requests": len(walls), "answer_ms": _of(walls), "cpu_ms": round(cpu, 1), "stages_ms": figures}


def _of(times: list[float]) -> dict[str, float]:
    return {"p50": round(statistics.median(times), 1), "p95": round(float(np.percentile(times, 95)), 1)}


def commands(place: Path, rounds: int, trees: list[Path]) -> dict[str, Any]:
    """`colibri search` as a shell starts it, while the page answers it: of each tree in turns, by the clock."""
    walls: dict[Path, list[float]] = {tree: [] for tree in trees}
    for query in (QUERIES[0], *QUERIES * rounds):  # the first of each warms up
        for tree, own in walls.items():
            command = [sys.executable, "-m", "colibri", "search", *query.split(), "--index", str(place)]
            began = time.perf_counter()
            done = subprocess.run(
                command, env={**os.environ, "PYTHONPATH": str(tree / "runtime")}, capture_output=True, check=True
            )
            own.append((time.perf_counter() - began) * 1e3)
            assert done.stdout
            time.sleep(_BETWEEN_SECONDS)
    return {str(n or "this"): _of(own[1:]) for n, own in enumerate(walls.values())}


def at_rest(page: Page, seconds: float) -> dict[str, Any]:
    """Nobody asks: memory, CPU time and how often it woke."""
    cpu, wakes = page.cpu_seconds(), page.status("voluntary_ctxt_switches")
    time.sleep(seconds)
    return {
        "seconds": seconds,
        "rss_mb": round(page.status("VmRSS") / 1024),
        "of_files_mb": round(page.status("RssFile") / 1024),
        "cpu_ms": round((page.cpu_seconds() - cpu) * 1e3),
        "main_thread_wakes": page.status("voluntary_ctxt_switches") - wakes,
    }


@click.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Folder for the index.")
@click.option("--index", "own", type=click.Path(path_type=Path, exists=True), help="One that is there, in its place.")
@click.option("--files", type=click.IntRange(min=1), default=FILES, show_default=True, help="Of 5 passages each.")
@click.option("--rounds", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--rest", type=click.FloatRange(min=0), default=10.0, show_default=True, help="Seconds to look at rest.")
@click.option("--beside", type=click.Path(path_type=Path, exists=True), multiple=True, help="Trees of other builds.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Append one JSON line a case.")
def main(
    work: Path, own: Path | None, files: int, rounds: int, rest: float, beside: tuple[Path, ...], out: Path | None
) -> None:
    """Time the page's server."""
    work.mkdir(parents=True, exist_ok=True)
    place = prepare(work, files) if own is None else own
    with Index.open(place, create=False) as index:
        held = {"files": len(index), "passages": index.stats().passages}
    page = Page(place, work / "ui.log")
    try:
        rows: list[dict[str, Any]] = [{"case": "at start", **at_rest(page, min(rest, 2.0))}]
        _, first = page.ask("search", {"query": "first"})
        rows.append({"case": "first search", "answer_ms": round(first, 1)})
        typed(page, 1, {})
        filters: dict[str, list[str]] = {"kinds": ["text", "PDF"]}
        if own is None:
            filters["folders"] = ["/home/user/Documents/07"]
        rows.append({"case": "typing", **typed(page, rounds, {})})
        rows.append({"case": "typing, filtered", **typed(page, rounds, {"filters": filters})})
        state = [page.ask("state")[1] for _ in range(20)]
        rows.append({"case": "state", "answer_ms": _of(state)})
        rows.append({"case": "colibri search", "answer_ms": commands(place, 3 * rounds, [ROOT, *beside])})
        rows.append({"case": "after searching", **at_rest(page, rest)})
    finally:
        page.end()
    for row in rows:
        click.echo(json.dumps({**held, **row}))
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({**held, **row, "machine": machine.describe()}) + "\n" for row in rows)


if __name__ == "__main__":
    main()
