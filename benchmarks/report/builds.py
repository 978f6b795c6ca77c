"""Another build beside this one: a revision in a git worktree of its own, so that both run in one benchmark."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

ROOT = Path(__file__).parents[2]


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """The files of a revision while the context lasts. Raises UsageError when git does not have it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "build"
        made = _git("worktree", "add", "--detach", str(folder), revision)
        if made.returncode:
            raise click.UsageError(f"{revision}: {made.stderr.strip()}")
        try:
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def environment(root: Path) -> dict[str, str]:
    """The environment of a process that runs the build in a folder, whatever is installed."""
    paths = [str(root / source) for source in ("runtime", "export")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def _git(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
