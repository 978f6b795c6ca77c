"""Folders that appear under their name only when they are complete."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from colibri.errors import ExportError


@contextmanager
def partial_folder(out: Path, replace: bool) -> Iterator[Path]:
    """A folder beside `out` that takes its name when the block succeeds and is gone when it does not."""
    # Not the process id: in containers it is the same every time, and a killed export may have left its folder.
    token = secrets.token_hex(4)
    partial = out.with_name(f".{out.name}.{token}.partial")
    old = out.with_name(f".{out.name}.{token}.old")
    parents = [parent for parent in out.parents if not parent.exists()]
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise ExportError(f"{partial}: cannot be made ({error.strerror})") from error
    try:
        yield partial
        if out.exists():
            if not replace:
                raise ExportError(f"{out}: appeared while exporting; nothing was changed")
            out.rename(old)
        partial.rename(out)
    except OSError as error:
        raise ExportError(f"{out}: {error.strerror or error}; nothing was left behind") from error
    finally:
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        if not out.exists():
            for parent in parents:
                with suppress(OSError):  # not empty: somebody else uses it by now
                    parent.rmdir()


@contextmanager
def scratch_folder(out: Path) -> Iterator[Path]:
    """A folder beside `out`, where there is room, that is gone after the block."""
    scratch = out.with_name(f".{out.name}.{secrets.token_hex(4)}.scratch")
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
