"""What HTTP costs: `colibri serve` on loopback beside the same model called in its own process.

    python3 run.py bench server --json benchmarks/results/server.jsonl

Two processes hold colibri-mini: the server, and one that is told by its stdin what to encode. They take turns, round by
round; the client shares the machine's cores with both. Texts are words drawn at random.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import click

from report import machine
from server.http_load import Reply, as_json, closed_loop, open_loop, unfinished

MODEL = "colibri-mini"
CLIENTS = (1, 4, 16, 64)
REQUEST_DOCUMENTS = 16
PASSAGES = 20
LORIS = 500
OVERLOAD = 3
QUIET = 0.05  # cores that other programs may take during a round
WAVES = 3  # requests of each client, at least
_WORDS = tuple(
    "the of and a river bridge water city people in live house old stone mountain winter summer train road market "  # noqa: SIM905
    "music light evening garden window letter answer question number island history language science paper".split()
)


def words(count: int, seed: int) -> str:
    """So many words, which are about as many tokens."""
    chosen = random.Random(seed)
    return " ".join(chosen.choices(_WORDS, k=count))


def documents(count: int) -> list[str]:
    """Of 20 to 200 words."""
    lengths = random.Random(7)
    return [words(lengths.randint(20, 200), i) for i in range(count)]


def engine() -> None:
    """The other process: loads, then answers each line of stdin by one on stdout."""
    import colibri  # noqa: PLC0415 - only this process needs it

    model = colibri.load()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        began = time.perf_counter()
        if "query" in asked:
            model.rerank(asked["query"], asked["documents"])
        else:
            with ThreadPoolExecutor(asked["clients"]) as clients:
                for _ in clients.map(model.encode_documents, asked["requests"]):
                    pass
        print(time.perf_counter() - began, flush=True)


class Sides:
    """The server and the other process."""

    def __init__(self, log: IO[bytes]) -> None:
        serve = [sys.executable, "-m", "colibri", "serve", "--port", "0", "--header-timeout", "60"]
        self._server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=log, text=True)
        self._engine = subprocess.Popen(
            [sys.executable, __file__, "--engine"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._server.stdout is not None
        assert self._engine.stdout is not None
        url = self._server.stdout.readline().split()[0]
        host, port = url.removeprefix("http://").split(":")
        self.address = (host, int(port))
        self._engine.stdout.readline()

    def inside(self, **asked: Any) -> float:
        """Seconds that the other process took."""
        assert self._engine.stdin is not None
        assert self._engine.stdout is not None
        self._engine.stdin.write(json.dumps(asked) + "\n")
        self._engine.stdin.flush()
        return float(self._engine.stdout.readline())

    def memory_mb(self) -> tuple[float, float]:
        """What the server holds, and the most it held since `forget_peak` (Linux)."""
        lines = Path(f"/proc/{self._server.pid}/status").read_text(encoding="ascii").splitlines()
        found = {line.partition(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith("Vm")}
        return found["VmRSS"], found["VmHWM"]

    def cpu_seconds(self) -> tuple[float, float]:
        """CPU time so far of the server and of the other process (Linux)."""
        ticks = os.sysconf("SC_CLK_TCK")
        times = []
        for process in (self._server, self._engine):
            fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            times.append((int(fields[11]) + int(fields[12])) / ticks)
        return times[0], times[1]

    def forget_peak(self) -> None:
        """The peak counts from here."""
        Path(f"/proc/{self._server.pid}/clear_refs").write_text("5", encoding="ascii")

    def close(self) -> None:
        """End both."""
        self._server.terminate()
        self._engine.terminate()
        for process in (self._server, self._engine):
            process.wait()


def good(replies: Sequence[Reply]) -> list[float]:
    """Seconds of the answers that are ones."""
    return [reply.seconds for reply in replies if reply.status == 200]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def throughput(sides: Sides, rounds: int, count: int, clients: int) -> dict[str, Any]:
    """Documents a second by so many clients, over what the other process does just before and just after.

    The other process makes the same calls from as many threads, and one call with everything, in which no worker is
    ever idle. Each client has several requests to make, so that ends and beginnings weigh little. CPU time a document
    is told as well: other programs on the machine change it less, and the client's own is no cost of the server.

    A round in which other programs took more than QUIET cores is not counted, but is made again, as often as
    there are rounds.
    """
    texts = documents(count)
    size = min(REQUEST_DOCUMENTS, max(1, count // (WAVES * clients)))
    requests = [texts[i : i + size] for i in range(0, count, size)]
    bodies = [as_json(model=MODEL, input=request) for request in requests]
    measured: dict[str, list[float]] = {}
    disturbed = 0
    while len(measured.get("ratio", ())) < rounds:
        busy, round_began, all_own = machine.busy_seconds(), time.perf_counter(), time.process_time()
        spent = [sides.cpu_seconds()]
        before, one_call = sides.inside(requests=requests, clients=clients), sides.inside(requests=[texts], clients=1)
        spent.append(sides.cpu_seconds())
        own, began = time.process_time(), time.perf_counter()
        replies = asyncio.run(closed_loop(sides.address, "/v1/embeddings", bodies, clients))
        took, own = time.perf_counter() - began, time.process_time() - own
        spent.append(sides.cpu_seconds())
        assert len(good(replies)) == len(bodies), {reply.status for reply in replies}
        one_call += sides.inside(requests=[texts], clients=1)
        after = sides.inside(requests=requests, clients=clients)
        spent.append(sides.cpu_seconds())
        engine = (spent[1][1] - spent[0][1] + spent[3][1] - spent[2][1]) / 4
        ours = sum(spent[3]) - sum(spent[0]) + time.process_time() - all_own
        others = (machine.busy_seconds() - busy - ours) / (time.perf_counter() - round_began)
        figures = {
            "ratio": (before + after) / 2 / took,
            "ratio_one_call": one_call / 2 / took,
            "server_cpu_ms": 1e3 * (spent[2][0] - spent[1][0]) / count,
            "inside_cpu_ms": 1e3 * engine / count,
            "client_cpu_ms": 1e3 * own / count,
            "p99_ms": 1e3 * percentile(good(replies), 0.99),
            "documents_per_second": count / took,
            "others_cores": others,
        }
        said = ", ".join(f"{name} {figure:.2f}" for name, figure in figures.items())
        if others > QUIET and disturbed < rounds:
            disturbed += 1
            click.echo(f"{clients} clients, not counted: {said}", err=True)
            continue
        click.echo(f"{clients} clients: {said}", err=True)
        for name, figure in figures.items():
            measured.setdefault(name, []).append(figure)
    medians = {name: round(statistics.median(found), 3) for name, found in measured.items()}
    return {"case": "throughput", "clients": clients, "documents": count, "request_documents": size} | medians


def rerank(sides: Sides, rounds: int) -> dict[str, Any]:
    """One client: a query and 20 passages, by turns inside and over HTTP."""
    passages = [words(80, 1000 + i) for i in range(PASSAGES)]
    inside, outside = [], []
    for i in range(rounds):
        query = words(8, 5000 + i)
        body = as_json(model=MODEL, query=query, documents=passages)
        inside.append(sides.inside(query=query, documents=passages))
        outside += good(asyncio.run(closed_loop(sides.address, "/v1/rerank", [body], 1)))
    p50 = statistics.median(inside), statistics.median(outside)
    return {
        "case": "rerank",
        "inside_p50_ms": round(1e3 * p50[0], 1),
        "p50_ms": round(1e3 * p50[1], 1),
        "ratio": round(p50[1] / p50[0], 3),
    }


def overload(sides: Sides, count: int) -> dict[str, Any]:
    """64 clients fill the server's queue; then requests come at three times the rate it can answer."""
    body = as_json(model=MODEL, input=documents(4), embedding_type="base64")
    began = time.perf_counter()
    full = good(asyncio.run(closed_loop(sides.address, "/v1/embeddings", [body] * count, 64)))
    rate = len(full) / (time.perf_counter() - began)
    replies = asyncio.run(open_loop(sides.address, "/v1/embeddings", body, a_second=OVERLOAD * rate, count=2 * count))
    refused = [reply.seconds for reply in replies if reply.status in {429, 503}]
    assert len(refused) + len(good(replies)) == len(replies)
    return {
        "case": "overload",
        "capacity_per_second": round(rate, 1),
        "offered_per_second": round(OVERLOAD * rate, 1),
        "full_p99_ms": round(1e3 * percentile(full, 0.99)),
        "accepted": len(good(replies)),
        "accepted_p99_ms": round(1e3 * percentile(good(replies), 0.99)),
        "ratio": round(percentile(good(replies), 0.99) / percentile(full, 0.99), 2),
        "refused": len(refused),
        "refused_p50_ms": round(1e3 * statistics.median(refused), 1),
        "refused_p99_ms": round(1e3 * percentile(refused, 0.99), 1),
    }


def slowloris(sides: Sides, rounds: int) -> dict[str, Any]:
    """A client's p99 alone, and beside 500 connections whose headers never end."""
    bodies = [as_json(model=MODEL, query=words(8, i), documents=[words(20, i)]) for i in range(rounds)]

    async def beside() -> list[Reply]:
        writers = await unfinished(sides.address, LORIS)
        replies = await closed_loop(sides.address, "/v1/rerank", bodies, 1)
        for writer in writers:
            writer.close()
        return replies

    alone, among = [], []
    for _ in range(3):
        alone += good(asyncio.run(closed_loop(sides.address, "/v1/rerank", bodies, 1)))
        among += good(asyncio.run(beside()))
    p99 = percentile(alone, 0.99), percentile(among, 0.99)
    return {
        "case": "slowloris",
        "sockets": LORIS,
        "alone_p99_ms": round(1e3 * p99[0], 1),
        "p99_ms": round(1e3 * p99[1], 1),
        "ratio": round(p99[1] / p99[0], 2),
    }


def memory(sides: Sides) -> dict[str, Any]:
    """One request of 2,048 documents, answered as float: the vectors, the answer, and what the server took for both."""
    body = as_json(model=MODEL, input=[words(40, i) for i in range(2048)])
    before, _ = sides.memory_mb()
    sides.forget_peak()
    (reply,) = asyncio.run(closed_loop(sides.address, "/v1/embeddings", [body], 1))
    assert reply.status == 200
    after, peak = sides.memory_mb()
    return {
        "case": "memory",
        "answer_mb": round(reply.size / 2**20),
        "peak_above_mb": round(peak - before),
        "kept_mb": round(after - before),
    }


@click.command()
@click.option("--engine", "as_engine", is_flag=True, hidden=True)
@click.option("--rounds", type=int, default=3, show_default=True, help="Interleaved rounds of throughput.")
@click.option("--documents", "count", type=int, default=384, show_default=True, help="Documents of a round.")
@click.option("--clients", type=int, multiple=True, help=f"Of throughput; default: {', '.join(map(str, CLIENTS))}.")
@click.option("--cases", default="throughput,rerank,overload,slowloris,memory", show_default=True)
@click.option("--json", "out", type=click.Path(path_type=Path), help="Append one JSON line a case.")
def main(as_engine: bool, rounds: int, count: int, clients: tuple[int, ...], cases: str, out: Path | None) -> None:
    """Measure the server beside the same model in its own process."""
    if as_engine:
        engine()
        return
    with tempfile.TemporaryFile() as log:
        sides = Sides(log)
        try:
            warm = documents(8)
            sides.inside(requests=[warm], clients=1)
            asyncio.run(closed_loop(sides.address, "/v1/embeddings", [as_json(model=MODEL, input=warm)], 1))
            measures: dict[str, Callable[[], list[dict[str, Any]]]] = {
                "throughput": lambda: [throughput(sides, rounds, count, number) for number in clients or CLIENTS],
                "rerank": lambda: [rerank(sides, 15 * rounds)],
                "overload": lambda: [overload(sides, 128)],
                "slowloris": lambda: [slowloris(sides, 40)],
                "memory": lambda: [memory(sides)],
            }
            rows = [row | {"rounds": rounds} for case in cases.split(",") for row in measures[case]()]
        finally:
            sides.close()
    about = machine.describe()
    for row in rows:
        click.echo(json.dumps(row))
    if out is not None:
        with out.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row | {"machine": about}) + "\n" for row in rows)


if __name__ == "__main__":
    main()
