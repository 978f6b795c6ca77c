"""A folder of Debian's documentation, indexed and searched by Recoll and by Colibri, on questions written beforehand.

    python3 run.py bench recoll --work DIR [--files 2000] [--largest-kb 30] [--minutes 60]

Needs Debian 12 (`apt-get download`, `dpkg-deb`) with recollcmd, poppler-utils and groff-base, which Recoll reads PDF
and manuals with. Packages (packages.txt) are fetched once into DIR. Both index the same folder, one after the other,
each with what it takes by itself of this machine's cores; then they take turns at the questions (questions.toml), each
search a fresh process. `--check` only tells whether what questions.toml says of its questions holds.
"""

import json
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from recoll import recoll_questions, recoll_tree
from recoll.recoll_engines import Colibri, Recoll
from recoll.recoll_questions import Question
from report import machine

NEEDED = ("apt-get", "dpkg-deb", "recollindex", "recollq", "pdftotext", "groff")
BEST = (1, 5, 10)
"""Files down to which an answer counts."""


def rank(found: Sequence[str], answers: Sequence[str]) -> int | None:
    """The place of the first answer among files, from 1."""
    return next((place for place, path in enumerate(found, 1) if path in answers), None)


def summary(rows: Sequence[dict[str, Any]], kind: str, mode: str) -> dict[str, Any]:
    """Shares of questions of a kind answered within the first 1, 5 and 10 files, and the median of a search."""
    chosen = [row for row in rows if row["kind"] == kind and row["mode"] == mode]
    hits = {f"hit@{k}": sum(row["rank"] is not None and row["rank"] <= k for row in chosen) for k in BEST}
    return hits | {"of": len(chosen), "search_ms": round(statistics.median(row["ms"] for row in chosen))}


def asked(
    engines: Sequence[Recoll | Colibri], questions: Sequence[Question], paths: Sequence[str], rounds: int
) -> list[dict[str, Any]]:
    """A row a question and mode; engines and modes take turns at each question."""
    rows = []
    for question in questions:
        answers = question.answers(paths)
        times: dict[str, list[float]] = {}
        found: dict[str, list[str]] = {}
        for _ in range(rounds):
            for engine in engines:
                for mode in engine.modes:
                    found[mode], seconds = engine.search(mode, question.text)
                    times.setdefault(mode, []).append(seconds * 1e3)
        for mode, took in times.items():
            ms = round(statistics.median(took), 1)
            place = rank(found[mode], answers)
            first = found[mode][0] if found[mode] else None
            rows.append({"kind": question.kind, "text": question.text, "mode": mode, "rank": place, "ms": ms})
            rows[-1] |= {"files": len(found[mode]), "first": first}
    return rows


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where things stay.")
@click.option("--files", default=2_000, show_default=True, help="Of the folder.")
@click.option(
    "--largest-kb",
    type=int,
    help="No larger file, but for those that answer a question: a tenth of these "
    "packages' files has two thirds of their bytes.",
)
@click.option("--minutes", type=float, help="After which an engine's indexing is interrupted; what it has by then is.")
@click.option("--rounds", default=3, show_default=True, help="Searches of each question and mode.")
@click.option("--only", type=click.Choice(["recoll", "colibri"]), help="One of the two, where time is short.")
@click.option("--keep", is_flag=True, help="Ask the indexes that an earlier run of so many files made.")
@click.option("--check", is_flag=True, help="Only the questions.")
@click.option("--json", "out", type=click.File("a", encoding="utf-8"), help="Append a JSON line.")
def main(
    work: Path,
    files: int,
    largest_kb: int | None,
    minutes: float | None,
    rounds: int,
    only: str | None,
    keep: bool,
    check: bool,
    out: IO[str] | None,
) -> None:
    """Print what indexing took, and which questions were answered how far up."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise click.ClickException(f"not installed: {', '.join(missing)} (recollcmd, poppler-utils, groff-base)")
    work, questions = work.resolve(), recoll_questions.read()
    source = recoll_tree.unpacked(work)
    paths = recoll_tree.named(source)
    if faults := recoll_questions.faults(questions, source, paths):
        raise click.ClickException("\n".join(faults))
    if check:
        print(f"{len(questions)} questions, {len(paths):,} files: all holds")
        return
    answers = [path for question in questions for path in question.answers(paths)]
    tree = recoll_tree.tree(work, answers, files, largest_kb)
    there = [path for path in paths if (tree / path).exists()]
    sizes = sum((tree / path).stat().st_size for path in there)
    print(f"{machine.describe()['cpu']}: {len(there):,} files, {sizes / 1e6:.0f} MB", flush=True)
    both: tuple[Recoll | Colibri, ...] = (Recoll(work, tree), Colibri(work, tree))
    engines = [one for one in both if only in {None, one.name}]
    indexed = {}
    for engine in [] if keep else engines:
        print(f"{engine.name} indexes", file=sys.stderr, flush=True)
        took = engine.index(None if minutes is None else minutes * 60)
        took["files_s"] = round(took.get("indexed", len(there)) / took["seconds"], 2)
        if "tokens" in took:
            took["tokens_s"] = round(took["tokens"] / took["seconds"])
        indexed[engine.name] = took
        print(f"{engine.name:24} " + "  ".join(f"{name} {value}" for name, value in took.items()), flush=True)
    rows = asked(engines, questions, there, rounds)
    shown: dict[str, dict[str, Any]] = {}
    for mode in dict.fromkeys(row["mode"] for row in rows):
        for kind in ("meaning", "name"):
            found = summary(rows, kind, mode)
            shown.setdefault(mode, {})[kind] = found
            print(f"{mode:24} {kind:8} " + "  ".join(f"{name} {value}" for name, value in found.items()))
    for row in rows:
        print(f"{row['mode']:24} {row['rank'] or '-':>4} of {row['files']:>3}  {row['text']}", file=sys.stderr)
    if out is not None:
        made = {
            "files": len(there),
            "largest_kb": largest_kb,
            "mb": round(sizes / 1e6, 1),
            "rounds": rounds,
            "indexed": indexed,
            "modes": shown,
        }
        out.write(json.dumps({**made, "rows": rows, "machine": machine.describe()}) + "\n")


if __name__ == "__main__":
    main()
