"""SQLite 3.38, the oldest that Colibri works with, and one without FTS5: built where there is npm and a C compiler.

    python3 run.py test-sqlite

better-sqlite3's package on npm carries SQLite's one source file, whose hash is pinned; it is never part of the project.
"""

import base64
import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

VERSION = "3.38.2"
_PACKAGE = "better-sqlite3-7.5.1"
_SHA512 = "+i6tH1y9KEIol1iYpZJrqDwBDQZGHioDENU49Rnidorp3bSXvw/QTYDjQGq9+TFF7RX4q0YV1sEOIRq4vDZdRg=="
_FOLDER = Path(__file__).parents[1] / "build" / f"sqlite-{VERSION}"
_SOURCE = "package/deps/sqlite3/sqlite3.c"
BUILDS: Mapping[str, tuple[str, ...]] = {"with-fts5": ("-DSQLITE_ENABLE_FTS5",), "without-fts5": ()}


def library(build: str) -> Path:
    """Where one is, or would be."""
    return _FOLDER / build / "libsqlite3.so.0"


def environment(build: str) -> dict[str, str]:
    """Ours, in which Python's sqlite3 is that one."""
    return {**os.environ, "LD_LIBRARY_PATH": str(library(build).parent)}


def make() -> None:
    """Both. Raises CalledProcessError, FileNotFoundError."""
    kept = _FOLDER.parent / f"{_PACKAGE}.tgz"
    kept.parent.mkdir(exist_ok=True)
    if not kept.exists():
        name, _, version = _PACKAGE.rpartition("-")
        subprocess.run(["npm", "pack", f"{name}@{version}", "--pack-destination", str(kept.parent)], check=True)
    found = base64.b64encode(hashlib.sha512(kept.read_bytes()).digest()).decode()
    if found != _SHA512:
        sys.exit(f"{kept}: its SHA-512 is {found}, wanted {_SHA512}; remove it and try again")
    with tarfile.open(kept) as packed:
        packed.extract(_SOURCE, _FOLDER, filter="data")
    for build, options in BUILDS.items():
        target = library(build)
        if target.exists():
            continue
        target.parent.mkdir(exist_ok=True)
        partial = target.with_name("partial.so")
        words = ["cc", "-O1", "-fPIC", "-shared", "-DSQLITE_ENABLE_COLUMN_METADATA", *options, str(_FOLDER / _SOURCE)]
        words += ["-o", str(partial), f"-Wl,-soname,{target.name}", "-lpthread", "-ldl", "-lm"]
        subprocess.run(words, check=True)
        partial.rename(target)


if __name__ == "__main__":
    make()
