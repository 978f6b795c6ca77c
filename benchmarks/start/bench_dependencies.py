"""What each dependency costs: megabytes, files, milliseconds to import; and what an installation is in all.

    python3 run.py bench dependencies --json benchmarks/results/dependencies.jsonl

Sizes are those of the files that pip writes, .pyc among them, by each distribution's own list in this environment; the
package itself is counted as its wheel would be installed. What the base and [cpu] bring is found by following
requirements, as pip does. Imports are CPU time of fresh processes beyond a bare interpreter's, the least of three.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path
from py_compile import compile as compiled
from tempfile import TemporaryDirectory
from typing import IO, Any

import click
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from report import machine

ROOT = Path(__file__).parents[2]
RUNS = 3
EXTRAS = ("hub", "tokenizers", "numba", "server", "files", "export")
"""Those whose packages are in the environment of `run.py bench`."""
MODULES = {
    "numpy": "numpy",
    "click": "click",
    "numba": "numba",
    "onnxruntime": "onnxruntime",
    "huggingface-hub": "huggingface_hub",
    "tokenizers": "tokenizers",
    "starlette": "starlette",
    "uvicorn": "uvicorn",
    "msgspec": "msgspec",
    "orjson": "orjson",
    "prometheus-client": "prometheus_client",
    "pypdfium2": "pypdfium2",
    "chardet": "chardet",
    "webencodings": "webencodings",
    "watchfiles": "watchfiles",
    "onnx": "onnx",
    "onnx-ir": "onnx_ir",
    "safetensors": "safetensors",
}
"""What an import of it is; those that no code of ours imports have none."""


def required(requirements: list[str]) -> dict[str, str]:
    """Distribution -> who asked for it first, of all that pip would install here.

    Raises ClickException for what this environment lacks.
    """
    asked, found = [(line, "colibri-edge") for line in requirements], dict[str, str]()
    while asked:
        line, by = asked.pop(0)
        wanted = Requirement(line)
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})):
            continue
        found[name] = by
        try:
            asked += [(need, name) for need in metadata.requires(name) or []]
        except metadata.PackageNotFoundError as error:
            raise click.ClickException(f"{name} is not in this environment: {sys.executable}") from error
    return found


def size(distribution: str) -> tuple[int, int]:
    """Bytes and files of a distribution, with the .pyc file that pip makes of each .py."""
    found = [Path(str(path.locate())) for path in metadata.files(distribution) or []]
    there = {path for path in found if path.is_file()}
    there |= {Path(cache_from_source(str(path))) for path in there if path.suffix == ".py"}
    there = {path for path in there if path.is_file()}
    return sum(path.stat().st_size for path in there), len(there)


def own_size() -> tuple[int, int, int]:
    """Bytes of the package's code as installed, its files, and bytes of the artefact that comes along."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = config["tool"]["hatch"]["build"]["targets"]["wheel"]
    folders = [ROOT / package for package in wheel["packages"]]
    code = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    others = {ROOT / path: target for path, target in wheel["force-include"].items()}
    artefact = sum(path.stat().st_size for path, target in others.items() if "/artefacts/" in target)
    code += [path for path, target in others.items() if "/artefacts/" not in target]
    total = sum(path.stat().st_size for path in code)
    with TemporaryDirectory() as made:
        sources = [path for path in code if path.suffix == ".py" and not path.name.startswith("hook-")]
        for path in sources:
            total += Path(compiled(str(path), str(Path(made) / "one.pyc"), doraise=True) or "").stat().st_size
    return total, len(code) + len(sources), artefact


def import_ms(module: str) -> float:
    """CPU milliseconds of an import in a fresh process."""
    return max(_cpu_ms(f"import {module}") - _cpu_ms("pass"), 0.0)


def _cpu_ms(code: str) -> float:
    spent = []
    for _ in range(RUNS):
        process = subprocess.Popen([sys.executable, "-c", code])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise click.ClickException(f"{code}: exit code {process.returncode}")
        spent.append((usage.ru_utime + usage.ru_stime) * 1e3)
    return min(spent)


def rows() -> Iterator[dict[str, Any]]:
    """One a distribution, in the order in which an installation grows; then totals."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    own, own_files, artefact = own_size()
    yield {"part": "base", "name": "colibri-edge", "by": None, "mb": own / 1e6, "files": own_files, "ms": None}
    total, seen, model = own, set[str](), artefact
    for part in ("base", "cpu", *(extra for extra in EXTRAS if extra in extras)):
        wanted = project["dependencies"] if part == "base" else list(_plain(extras, part))
        found = {name: by for name, by in required(wanted).items() if name not in seen}
        added = 0
        for name, by in found.items():
            number, files = size(name)
            added += number
            ms = import_ms(MODULES[name]) if name in MODULES else None
            yield {"part": part, "name": name, "by": by, "mb": number / 1e6, "files": files, "ms": ms}
        if part == "base":
            total += added
            seen |= set(found)
            yield {"part": "total", "name": "the base, without the model", "mb": total / 1e6}
            yield {"part": "base", "name": "colibri-mini", "by": None, "mb": model / 1e6, "files": None, "ms": None}
        elif part == "cpu":
            seen |= set(found)
            yield {"part": "total", "name": "[cpu], with colibri-mini", "mb": (total + added + model) / 1e6}
        else:
            yield {"part": "total", "name": f"[{part}] adds", "mb": added / 1e6}


def _plain(extras: dict[str, list[str]], name: str) -> Iterator[str]:
    """An extra's requirements, those of the extras that it names among them."""
    for line in extras[name]:
        inner = re.fullmatch(r"colibri-edge\[([\w,-]+)\]", line)
        if inner is None:
            yield line
        else:
            for one in inner[1].split(","):
                yield from _plain(extras, one)


@click.command()
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a row.")
def main(lines: IO[str] | None) -> None:
    """Print what each dependency costs."""
    for row in rows():
        kept = {key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()}
        ms = "" if kept.get("ms") is None else f"{kept['ms']:.0f} ms"
        print(f"{kept['part']:<11}{kept['name']:<28}{kept['mb']:8.2f} MB  {kept.get('files') or '':>6}  {ms}")
        if lines:
            print(json.dumps({**kept, "runs": RUNS, "machine": machine.describe()}), file=lines)


if __name__ == "__main__":
    main()
