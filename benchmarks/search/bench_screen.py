"""Searches that sign bits screen against those that score every passage, in one run, on passages made of real rows.

    python3 run.py bench screen --data DIR --work DIR --json benchmarks/results/screen.jsonl
    python3 run.py bench screen --data DIR --work DIR --passages 100000 --against COMMIT

Each way is a process of its own, and they take turns on the same question. `--against` is another build, over the same
passages in an index of its own: it knows no sign bits, and scans. Encoding the real passages takes an hour of two cores
once, and is kept.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice, pairwise
from pathlib import Path
from typing import IO, Any

import click
import numpy as np

from colibri import TokenVectors
from colibri.scoring import choose_kernel
from report import machine
from report.builds import ROOT, checkout, environment
from report.child import Child
from search import screen_data

K = 10
LENGTHS = (10, 32)
_ENGINE = Path(__file__).with_name("screen_engine.py")


class Contestant(Child):
    """A build and a way of asking, in its process."""

    def __init__(self, root: Path, place: Path, options: dict[str, bool]) -> None:
        super().__init__([sys.executable, str(_ENGINE), "serve", str(place)], at_once(root))
        self._options = options

    def search(self, query: TokenVectors, threads: int, *, touched: bool = False) -> dict[str, Any]:
        """One question. Raises ClickException when the process ended."""
        weights = np.ones(len(query.rows)) if query.weights is None else query.weights
        asked = {"rows": query.rows.tolist(), "weights": weights.tolist(), "k": K, "threads": threads}
        return self.ask(asked | {"options": self._options, "touched": touched})


def at_once(root: Path) -> dict[str, str]:
    """The environment of a build that compiles its kernels before its first answer."""
    return environment(root) | {"COLIBRI_KERNEL": choose_kernel(os.environ.get("COLIBRI_KERNEL"))}


def of_length(questions: TokenVectors, tokens: int) -> Iterator[TokenVectors]:
    """Questions of so many rows: those of each, over and over."""
    for first, last in pairwise(questions.starts.tolist()):
        own = first + np.arange(tokens) % (last - first)
        weights = None if questions.weights is None else questions.weights[own]
        yield TokenVectors(questions.rows[own], np.array([0, tokens], np.int64), weights=weights)


def one_of(questions: TokenVectors, number: int) -> TokenVectors:
    """A question as it was encoded."""
    own = slice(int(questions.starts[number]), int(questions.starts[number + 1]))
    weights = None if questions.weights is None else questions.weights[own]
    return TokenVectors(questions.rows[own], np.array([0, own.stop - own.start], np.int64), weights=weights)


def touched(place: Path, questions: TokenVectors, count: int = 9) -> dict[str, Any]:
    """MB of each kind of file that the first search of a process looks at, in pages of 4 KB: of so many questions the
    one in the middle, and the most. Beside them what Linux maps for it (`screen_engine.Looked`)."""
    asked = islice(of_length(questions, LENGTHS[-1]), 0, 50 * count, 50)
    whole = {path.suffix[1:]: 0.0 for path in (place / "segments").iterdir()}
    for path in (place / "segments").iterdir():
        whole[path.suffix[1:]] += path.stat().st_size / 1e6
    found = []
    for query in asked:
        way = Contestant(ROOT, place, {})
        said = way.search(query, 1, touched=True)
        way.end()
        found.append((said["looked_mb"] | {"signs": whole["signs"]}, said["touched_mb"]))
    found.sort(key=lambda both: sum(both[0].values()))
    (looked, mapped), (most, _) = found[len(found) // 2], found[-1]
    scan = whole["rows"] + whole["scales"]
    shares = {"share": sum(looked.values()) / scan, "most": sum(most.values()) / scan}
    return {"mb": looked, "mapped_mb": mapped, "of_mb": scan, **shares}


def timed(ways: dict[str, Contestant], questions: TokenVectors, rounds: int) -> Iterator[dict[str, Any]]:
    """Milliseconds and CPU of every way, by the questions' length and by threads."""
    for tokens in LENGTHS:
        for threads in (1, 2):
            times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
            for number, query in zip(range(-1, rounds), of_length(questions, tokens), strict=False):
                for name, way in ways.items():
                    found = way.search(query, threads)
                    if number >= 0:
                        times[name].append((found["ms"], found["cpu_ms"]))
            p50 = {name: statistics.median(ms for ms, _ in own) for name, own in times.items()}
            cpu = {name: statistics.median(ms for _, ms in own) for name, own in times.items()}
            x = {name: {"ms": p50[name] / p50["screened"], "cpu": cpu[name] / cpu["screened"]} for name in ways}
            yield {"tokens": tokens, "threads": threads, "rounds": rounds, "p50_ms": p50, "cpu_ms": cpu, "x": x}


def kept(ways: dict[str, Contestant], questions: TokenVectors, count: int) -> dict[str, Any]:
    """Which of the exact ten the screened search has, over so many questions, and which were worst."""
    shares, ways_taken, whole = [], [], []
    for number in range(min(count, len(questions))):
        query = one_of(questions, number)
        exact, screened = (ways[name].search(query, 2) for name in ("exact", "screened"))
        ways_taken.append(screened["screened"])  # short questions of few passages are not
        own = dict(zip(exact["ids"], exact["scores"], strict=True))
        assert all(
            own.get(found, score) == score for found, score in zip(screened["ids"], screened["scores"], strict=True)
        )
        shares.append(len({*exact["ids"]} & {*screened["ids"]}) / len(exact["ids"]))
        if "before" in ways:
            whole.append(len({*ways["before"].search(query, 2)["ids"]} & {*screened["ids"]}) / len(exact["ids"]))
        if number % 100 == 99:
            click.echo(f"{number + 1:,} questions: {100 * statistics.mean(shares):.2f} % of the exact ten", err=True)
    return {
        "questions": len(shares),
        "screened": sum(ways_taken),
        "kept": statistics.mean(shares),
        "all_ten": statistics.mean(share == 1 for share in shares),
        "worst": min(shares),
        **({"of_int8": statistics.mean(whole)} if whole else {}),
    }


def pool(work: Path, real: TokenVectors, passages: int, times: int) -> None:
    """Real passages and then made ones, as arrays; kept. times: how many passages a row may be in."""
    if (work / "starts.npy").exists():
        return
    assert real.scales is not None
    made = max(passages - len(real), 0)
    count = min(passages, len(real))
    tokens = int(real.starts[count])
    size = tokens + made * screen_data.LENGTH
    rows = np.lib.format.open_memmap(work / "rows.npy", "w+", np.int8, (size, screen_data.DIM))
    scales = np.lib.format.open_memmap(work / "scales.npy", "w+", np.float32, (size,))
    rows[:tokens], scales[:tokens] = real.rows[:tokens], real.scales[:tokens]
    at = tokens
    for own, own_scales in screen_data.made(real, made, times):
        rows[at : at + len(own)], scales[at : at + len(own)] = own, own_scales
        at += len(own)
    starts = np.concatenate([real.starts[: count + 1], tokens + screen_data.LENGTH * np.arange(1, made + 1)])
    np.save(work / "starts.npy", starts)


def built(work: Path, place: Path, root: Path, passages: int, *kind: str) -> dict[str, Any]:
    """An index of the pool, made by a build. kind: of its rows, where they are not the build's default."""
    command = [sys.executable, str(_ENGINE), "build", str(work), str(place), str(passages), *kind]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment(root))
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), required=True, help="6 GB for a million.")
@click.option("--passages", type=click.IntRange(min=1_000), default=1_000_000, show_default=True)
@click.option("--real", "real_count", type=click.IntRange(min=100), default=60_000, show_default=True)
@click.option("--times", type=click.IntRange(min=1), default=20, show_default=True, help="Passages a real row is in.")
@click.option("--questions", "count", type=click.IntRange(min=1), default=1_000, show_default=True, help="For recall.")
@click.option("--rounds", type=click.IntRange(min=2), default=20, show_default=True)
@click.option("--against", metavar="COMMIT", help="Another build, which scans an index of its own.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a case.")
def main(
    data: Path,
    work: Path,
    passages: int,
    real_count: int,
    times: int,
    count: int,
    rounds: int,
    against: str | None,
    lines: IO[str] | None,
) -> None:
    """Print time, recall, memory and bytes of screened searches beside exact ones."""
    own = work / f"pool-{passages}"
    own.mkdir(parents=True, exist_ok=True)
    questions = screen_data.asked(data, work, 1_500)
    real = screen_data.real(data, work, real_count)
    pool(own, real, passages, times)

    def tell(case: str, found: dict[str, Any]) -> None:
        line = {"case": case, "passages": passages, "real": len(real), "times": times, **found}
        click.echo(json.dumps(line))
        if lines:
            print(json.dumps(line | {"machine": machine.describe()}), file=lines, flush=True)

    with ExitStack() as stack:
        other = None if against is None else stack.enter_context(checkout(against))
        place = own / "index"
        if not (own / "built").exists():
            shutil.rmtree(place, ignore_errors=True)
            tell("built", built(own, place, ROOT, passages))
            (own / "built").touch()
        if other is not None:
            few = min(passages, 30_000)
            for name, root in (("this", ROOT), ("before", other), ("this", ROOT), ("before", other)):
                shutil.rmtree(own / "again", ignore_errors=True)
                tell("ingest", {"build": name} | built(own, own / "again", root, few))
            shutil.rmtree(own / "again")
        tell("touched by one search", touched(place, questions))
        ways = {"screened": Contestant(ROOT, place, {}), "exact": Contestant(ROOT, place, {"exact": True})}
        if other is not None:
            if not (own / f"built-{against}").exists():
                shutil.rmtree(own / "before", ignore_errors=True)
                tell("built", {"build": "before"} | built(own, own / "before", other, passages))
                (own / f"built-{against}").touch()
            ways["before"] = Contestant(other, own / "before", {})
        for found in timed(ways, questions, rounds):
            tell("timed", found)
        tell("kept", kept(ways, questions, count))
        for way in ways.values():
            way.end()


if __name__ == "__main__":
    main()
