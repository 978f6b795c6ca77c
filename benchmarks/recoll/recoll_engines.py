"""Recoll and Colibri as a person calls them: one command that indexes a folder, one that searches it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ASKED = 20
"""Results that are asked for: some stand for the same file, of which the first counts."""

_COLIBRI = (sys.executable, "-m", "colibri")
_KERNELS = Path(__file__).parents[2] / "build" / "kernels"


@dataclass(frozen=True)
class Took:
    """Of one command. peak_mb: of the largest of its processes. cpu_s: of all of them."""

    seconds: float
    cpu_s: float
    peak_mb: float
    code: int
    out: str
    err: str


def run(words: Sequence[str], limit_s: float | None = None) -> Took:
    """A command in a process of its own. limit_s: it is interrupted then, as Ctrl-C does."""
    began = time.perf_counter()
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment(), errors="replace"
    )
    lines: list[str] = []
    assert process.stderr is not None
    assert process.stdout is not None
    beside = threading.Thread(target=lambda: lines.extend(process.stderr or ()))
    beside.start()
    timer = threading.Timer(limit_s or 0, process.send_signal, [signal.SIGINT])
    if limit_s is not None:
        timer.start()
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    timer.cancel()
    beside.join()
    process.returncode = code = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    return Took(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, code, out, "".join(lines))


def _environment() -> Mapping[str, str]:
    """A terminal's, without what was set of OpenBLAS and without a display; with kernels compiled ahead, as a wheel has
    them, where `python -m colibri_kernels build` made some."""
    ahead = {"COLIBRI_KERNEL_LIBRARIES": str(_KERNELS)} if _KERNELS.exists() else {}
    return ahead | {
        name: value
        for name, value in os.environ.items()
        if name not in {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "DISPLAY", "COLIBRI_INDEX", "RECOLL_CONFDIR"}
    }


class Recoll:
    """Configured as it comes, but for the folder, its own place, no spelling suggestions (which want aspell), and a
    priority that is ours: by default it takes the lowest, and other work on the machine would be in its seconds."""

    name = "recoll"
    modes: Mapping[str, tuple[str, ...]] = {"recoll, all words": (), "recoll, any word": ("-o",)}

    def __init__(self, work: Path, tree: Path) -> None:
        self._tree, self._place = tree, work / f"{tree.name}.recoll"

    def index(self, limit_s: float | None) -> dict[str, Any]:
        """Anew, and once more when nothing changed."""
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir()
        own = {"topdirs": self._tree, "noaspell": 1, "loglevel": 2, "idxniceprio": 0}
        (self._place / "recoll.conf").write_text("".join(f"{name} = {said}\n" for name, said in own.items()), "utf-8")
        words = ["recollindex", "-c", str(self._place)]
        return _indexed(run(words, limit_s), lambda: run(words), self._place, {"documents": self._documents})

    def _documents(self) -> int:
        found = re.search(r"(\d+) results", run(["recollq", "-c", str(self._place), "-E", "-n", "1", "mime:*"]).out)
        return int(found[1]) if found else 0

    def search(self, mode: str, text: str) -> tuple[list[str], float]:
        """Paths below the tree, best first, and seconds."""
        options = ("-b", "-e", "-n", str(ASKED), *self.modes[mode])
        took = run(["recollq", "-c", str(self._place), *options, text])
        urls = [line for line in took.out.splitlines() if line.startswith("file://")]
        return _below(self._tree, [unquote(urlsplit(url).path) for url in urls]), took.seconds


class Colibri:
    """As it comes."""

    name = "colibri"
    modes: Mapping[str, tuple[str, ...]] = {
        "colibri": (),
        "colibri, by meaning": ("--mode", "meaning"),
        "colibri, by words": ("--mode", "words"),
    }

    def __init__(self, work: Path, tree: Path) -> None:
        self._tree, self._place = tree, work / f"{tree.name}.colibri"

    def index(self, limit_s: float | None) -> dict[str, Any]:
        """See `Recoll.index`."""
        shutil.rmtree(self._place, ignore_errors=True)
        words = [*_COLIBRI, "index", str(self._tree), "--into", str(self._place)]
        took = run([*words, "--json"], limit_s)
        if took.code == 0:
            said = json.loads(took.out)
            kept = {name: said[name] for name in ("indexed", "tokens", "documents")}
            kept |= {"skipped": len(said["skipped"]), "not_read": sum(said["not_read"].values())}
            return _indexed(took, lambda: run([*words, "--json"]), self._place, kept)
        stopped = re.search(r"interrupted: ([\d,]+) files? indexed \(([\d,]+) tokens\)", took.err)
        if stopped is None:
            raise SystemExit(f"colibri index ended with {took.code}: {took.err}")
        files, tokens = (int(one.replace(",", "")) for one in stopped.groups())
        return _indexed(took, None, self._place, {"indexed": files, "tokens": tokens, "interrupted": True})

    def search(self, mode: str, text: str) -> tuple[list[str], float]:
        """See `Recoll.search`."""
        options = ("--json", "-k", str(ASKED), *self.modes[mode], "--index", str(self._place))
        took = run([*_COLIBRI, "search", *options, "--", text])
        if took.code:
            raise SystemExit(f"colibri search {text!r} ended with {took.code}: {took.err}")
        found = json.loads(took.out)["results"]
        return _below(self._tree, [one["payload"]["file"]["path"] for one in found]), took.seconds


def _indexed(took: Took, again: Any, place: Path, more: Mapping[str, Any]) -> dict[str, Any]:
    found = {"seconds": round(took.seconds, 1), "cpu_s": round(took.cpu_s, 1), "peak_mb": round(took.peak_mb)}
    if again is not None:
        second = again()
        found |= {"again_s": round(second.seconds, 1), "again_cpu_s": round(second.cpu_s, 1)}
    found["index_mb"] = round(sum(one.stat().st_size for one in place.rglob("*") if one.is_file()) / 1e6, 1)
    return found | {name: value() if callable(value) else value for name, value in more.items()}


def _below(tree: Path, paths: Sequence[str]) -> list[str]:
    """Each file once."""
    return list(dict.fromkeys(Path(path).relative_to(tree).as_posix() for path in paths))
