"""How soon a save is findable, and what `colibri index --watch` takes while nothing happens (Linux).

    python3 run.py bench watch [--folders 200] [--rest 60] [--saves 20]

The shipped model, a process of its own that watches folders of one small file each. `cold` is a save that the process
that indexes has to be started for, `warm` one while it still waits; both until the look that found it has ended. Then
seconds of processor and wake-ups (voluntary switches) of each thread of the one that watches, at rest.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


class Watched:
    """The process, by its lines."""

    def __init__(self, place: Path, folder: Path) -> None:
        words = [sys.executable, "-m", "colibri", "index", "--watch", "--json", "--into", str(place), str(folder)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """A line of a kind."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if wanted(json.loads(line)):
                return
        raise SystemExit(f"it ended: {self.process.wait()}")

    def saved(self, path: Path, text: str) -> float:
        """Milliseconds from a save to its being found."""
        began = time.perf_counter()
        path.write_text(text, encoding="utf-8")
        self.until(lambda line: str(path) in line.get("files", ()))
        return (time.perf_counter() - began) * 1e3

    def children(self) -> list[str]:
        """Processes that it started and that are there."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return [one for task in tasks.iterdir() for one in (task / "children").read_text(encoding="ascii").split()]

    def threads(self) -> dict[str, tuple[str, int, float]]:
        """Of each its name, wake-ups and milliseconds of processor so far."""
        found = {}
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            status = (task / "status").read_text(encoding="utf-8")
            name = status.partition("Name:\t")[2].partition("\n")[0]
            wakes = int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
            spent = int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e6
            found[task.name] = (name, wakes, spent)
        return found

    def gone(self) -> None:
        """Until the process that indexes is."""
        while self.children():
            time.sleep(1)


@click.command(help=__doc__)
@click.option("--folders", default=200, show_default=True)
@click.option("--rest", default=60.0, show_default=True, help="Seconds.")
@click.option("--saves", default=20, show_default=True)
def main(folders: int, rest: float, saves: int) -> None:
    """One JSON line a measure."""
    with tempfile.TemporaryDirectory() as base:
        root = Path(base, "notes")
        for i in range(folders):
            (root / str(i)).mkdir(parents=True)
            (root / str(i) / "note.md").write_text(f"Note {i}: a small bird sat near a river.", encoding="utf-8")
        watched = Watched(Path(base, "index"), root)
        try:
            watched.until(lambda line: line["event"] == "watching")
            watched.gone()
            before = watched.threads()
            time.sleep(rest)
            for task, (name, wakes, spent) in watched.threads().items():
                own = before.get(task, (name, 0, 0.0))
                _say(what="rest", thread=name, wake_ups=wakes - own[1], processor_ms=round(spent - own[2], 2))
            page = os.sysconf("SC_PAGE_SIZE")
            pages = int(Path(f"/proc/{watched.process.pid}/statm").read_text(encoding="ascii").split()[1])
            _say(what="rest", seconds=rest, rss_mb=round(pages * page / 1e6, 1))
            _say(what="cold", ms=round(watched.saved(root / "0" / "note.md", "A first save of the day.")))
            warm = [watched.saved(root / str(i) / "note.md", f"Save {i}, and a bird.") for i in range(1, saves + 1)]
            _say(what="warm", p50_ms=round(statistics.median(warm)), worst_ms=round(max(warm)), saves=saves)
        finally:
            watched.process.send_signal(signal.SIGTERM)
            watched.process.wait()


def _say(**found: object) -> None:
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
