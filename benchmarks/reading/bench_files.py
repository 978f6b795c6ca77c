"""PDF files of Debian's documentation, read by Colibri and by pypdf, against the words that pdftotext finds.

    python3 run.py bench files --cache DIR

Needs Debian or a system of its kind (`apt-get download`, `dpkg-deb`) and pdftotext (poppler-utils). Packages are
fetched by name once and stay in DIR. Every file is read by every engine in a process of its own, one after the other;
one that has not ended within the limit counts as failed, with the limit as its time.
"""

import gzip
import hashlib
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import click

from report import machine

PACKAGES = tuple(
    "asymptote-doc bash-doc ddd-doc debian-faq debian-history debian-policy debian-refcard debmake-doc "  # noqa: SIM905
    "developers-reference developers-reference-de developers-reference-ja gnuplot-doc installation-guide-amd64 "
    "maint-guide maint-guide-ja octave-doc r-doc-pdf xorg-docs zsh-doc".split()
)
ENGINES = ("colibri", "pypdf")
PARTS = Path(__file__).with_name("files_parts.py")

_WORD = re.compile(r"[^\W_]+")
_ONE_BY_ONE = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")  # scripts without blanks: by character


def fetched(cache: Path) -> list[Path]:
    """The packages' PDF files, each once, in a folder of the cache."""
    packages, files = cache / "packages", cache / "pdf"
    packages.mkdir(parents=True, exist_ok=True)
    files.mkdir(exist_ok=True)
    for name in PACKAGES:
        if not list(packages.glob(f"{name}_*.deb")):
            subprocess.run(["apt-get", "download", "--quiet", name], cwd=packages, check=True, stdout=sys.stderr)
    known: set[str] = set()
    found = []
    for package in sorted(packages.glob("*.deb")):
        for name, data in _documents(package):
            digest = hashlib.sha256(data).hexdigest()
            if digest not in known:
                known.add(digest)
                path = files / f"{package.name.partition('_')[0]}+{name}"
                path.write_bytes(data)
                found.append(path)
    return found


def _documents(package: Path) -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
        for path in sorted(Path(folder).rglob("*.pdf*")):
            if path.is_file() and not path.is_symlink() and path.suffix in {".pdf", ".gz"}:
                data = path.read_bytes()
                yield path.name.removesuffix(".gz"), gzip.decompress(data) if path.suffix == ".gz" else data


def words(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for word in _WORD.findall(text):
        found.update(list(word) if _ONE_BY_ONE.search(word) else [word])
    return found


def measured(engine: str, path: Path, limit_s: float) -> dict[str, Any]:
    """One process. text: what came back."""
    with tempfile.NamedTemporaryFile(suffix=".txt") as out:
        command = [sys.executable, str(PARTS), engine, str(path), out.name]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit_s)
        except subprocess.TimeoutExpired:
            return {
                "seconds": limit_s,
                "cpu_s": limit_s,
                "peak_mb": None,
                "error": f"not done after {limit_s:g} s",
                "text": "",
            }
        if done.returncode:
            return {
                "seconds": None,
                "cpu_s": None,
                "peak_mb": None,
                "error": f"exit code {done.returncode}",
                "text": "",
            }
        report: dict[str, Any] = json.loads(done.stdout)
        return {**report, "text": Path(out.name).read_text(encoding="utf-8")}


def compared(path: Path, limit_s: float) -> dict[str, dict[str, Any]]:
    """Engine -> what it took, and the shares of the reference's words found and of its own that are the reference's."""
    done = subprocess.run(["pdftotext", "-enc", "UTF-8", str(path), "-"], capture_output=True, check=False)
    wanted = words(done.stdout.decode(errors="replace"))
    rows = {}
    for engine in ENGINES:
        row = measured(engine, path, limit_s)
        there = words(row.pop("text"))
        both = (wanted & there).total()
        row |= {"words": wanted.total(), "recall": both / wanted.total() if wanted else None}
        rows[engine] = {**row, "precision": both / there.total() if there else None}
    return rows


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of one engine over all files. A file without words in the reference has no recall, and to refuse it is right."""
    recalls = [row["recall"] for row in rows if row["recall"] is not None]
    seconds = [row["seconds"] for row in rows if row["seconds"] is not None]
    return {
        "files": len(rows),
        "recall": statistics.fmean(recalls),
        "below_0.9": sum(recall < 0.9 for recall in recalls),
        "precision": statistics.fmean(row["precision"] for row in rows if row["precision"] is not None),
        "failed": sum(row["error"] is not None and row["words"] > 0 for row in rows),
        "files_per_s": len(seconds) / sum(seconds),
        "cpu_s": sum(row["cpu_s"] or 0.0 for row in rows),
        "longest_s": max(seconds),
        "peak_mb": max(row["peak_mb"] or 0.0 for row in rows),
    }


@click.command()
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where packages stay.")
@click.option("--limit-s", type=click.FloatRange(min=1), default=120.0, show_default=True, help="For one file.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a file and engine.")
def main(cache: Path, limit_s: float, lines: IO[str] | None) -> None:
    """Read Debian's PDF documentation by each engine."""
    for program in ("apt-get", "dpkg-deb", "pdftotext"):
        if shutil.which(program) is None:
            raise click.ClickException(f"{program} is not installed (pdftotext is of poppler-utils)")
    files = fetched(cache.resolve())
    rows: dict[str, list[dict[str, Any]]] = {engine: [] for engine in ENGINES}
    for number, path in enumerate(files, 1):
        click.echo(f"{number} of {len(files)}: {path.name}", err=True)
        for engine, row in compared(path, limit_s).items():
            rows[engine].append(row)
            if lines is not None:
                lines.write(json.dumps({"file": path.name, "engine": engine, **row}) + "\n")
                lines.flush()
    print(f"{machine.describe()['cpu']}, {len(files)} files")
    for engine in ENGINES:
        print(f"{engine:8} " + "  ".join(f"{name} {value:.4g}" for name, value in summary(rows[engine]).items()))
    ours, theirs = (summary(rows[engine]) for engine in ENGINES)
    faster = ours["files_per_s"] / theirs["files_per_s"]
    print(f"files a second: {faster:.1f} times pypdf's; processor time: 1/{theirs['cpu_s'] / ours['cpu_s']:.1f}")


if __name__ == "__main__":
    main()
