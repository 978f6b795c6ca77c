"""Commands run as users that the system does not know, as in a container that runs as any number."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import colibri

NOBODYS = 54_321
"""A user without an entry in passwd."""

_IMPORTED = f"{Path(colibri.__file__).parents[1]}{os.pathsep}{Path(__file__).parents[1] / 'export'}"


def why_not() -> str | None:
    """Why no command can be run as another user here; None: it can."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "only root may run commands as other users"
    try:
        done = python("import colibri, numpy", user=NOBODYS)
    except OSError as error:  # an environment in a folder that is closed to others
        return f"another user cannot run this Python ({error})"
    return f"another user cannot read this checkout ({done.stderr.strip()[-200:]})" if done.returncode else None


def python(*code: str, user: int, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run what `start` starts, to its end."""
    running = start(*code, user=user, **options)
    said, complained = running.communicate()
    return subprocess.CompletedProcess(running.args, running.returncode, said, complained)


def start(
    *code: str,
    user: int,
    groups: tuple[int, ...] = (),
    umask: int = 0o022,
    folder: Path = Path("/"),
    environment: Mapping[str, str] | None = None,
) -> "subprocess.Popen[str]":
    """A program and its arguments, or `-m` and words, as a user who is in a group of the same number and in `groups`,
    without HOME and cache folders but for what the environment given says."""
    cleared = {"HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "NUMBA_CACHE_DIR", "COLIBRI_KERNEL"}
    variables = {name: value for name, value in os.environ.items() if name not in cleared}
    return subprocess.Popen(
        [sys.executable, *(code if code[0] == "-m" else ("-c", *code))],
        user=user,
        group=user,
        extra_groups=groups,
        umask=umask,
        cwd=folder,
        env={**variables, "PYTHONPATH": _IMPORTED, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def open_folder(mode: int, group: int = 0) -> Iterator[Path]:
    """A new folder that others can reach: pytest's own are closed to them."""
    with tempfile.TemporaryDirectory(prefix="colibri-test-") as made:
        os.chown(made, -1, group)
        Path(made).chmod(mode)
        yield Path(made)
