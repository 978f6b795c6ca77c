"""A folder of files out of Debian's documentation packages: fetched by name, unpacked, and linked into a tree."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PACKAGES = Path(__file__).with_name("packages.txt")
_KEPT = re.compile(r"\.(html?|txt|pdf|gz|md|pod|adoc|epub)$", re.IGNORECASE)


def unpacked(work: Path) -> Path:
    """A folder of the packages' files, one folder a package. Where the version of packages.txt is gone from the
    mirrors the newest one is taken, which is said."""
    packages, folder = work / "packages", work / "unpacked"
    packages.mkdir(parents=True, exist_ok=True)
    for line in PACKAGES.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, version = line.split()
        if not (folder / name).exists():
            if not list(packages.glob(f"{name}_*.deb")):
                _fetch(packages, name, version)
            partial = folder / f"{name}.partial"
            (found,) = packages.glob(f"{name}_*.deb")
            partial.mkdir(parents=True, exist_ok=True)
            subprocess.run(["dpkg-deb", "-x", str(found), str(partial)], check=True)
            partial.rename(folder / name)
    return folder


def _fetch(packages: Path, name: str, version: str) -> None:
    run = ["apt-get", "download", "--quiet"]
    if subprocess.run([*run, f"{name}={version}"], cwd=packages, check=False, stdout=sys.stderr).returncode:
        print(f"{name}: {version} is not to be had any more; the newest instead", file=sys.stderr)
        subprocess.run([*run, name], cwd=packages, check=True, stdout=sys.stderr)


def named(folder: Path) -> list[str]:
    """Paths of texts, pages, PDF, books and packed ones below it, in the order of their paths' SHA-256: the first N
    are a fair choice, the same everywhere."""
    found = [
        Path(parent, name).relative_to(folder).as_posix()
        for parent, _, names in os.walk(folder)
        for name in names
        if _KEPT.search(name) and Path(parent, name).is_file() and not Path(parent, name).is_symlink()
    ]
    return sorted(found, key=lambda path: hashlib.sha256(path.encode()).digest())


def tree(work: Path, first: Sequence[str], count: int, largest_kb: int | None = None) -> Path:
    """A folder of so many files: those that are named first, and others, of these none larger than largest_kb (1,000
    bytes each). Made anew, of hard links."""
    source = unpacked(work)
    made = work / (f"tree-{count}" if largest_kb is None else f"tree-{count}-{largest_kb}kb")
    if not made.exists():
        partial = made.with_name(f"{made.name}.partial")
        others = [
            path for path in named(source) if largest_kb is None or (source / path).stat().st_size <= largest_kb * 1000
        ]
        for path in list(dict.fromkeys([*first, *others]))[:count]:
            (partial / path).parent.mkdir(parents=True, exist_ok=True)
            if not (partial / path).exists():
                os.link(source / path, partial / path)
        partial.rename(made)
    return made
