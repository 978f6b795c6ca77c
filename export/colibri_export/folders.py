"""Folders that appear under their name only when they are complete, and what an interrupted export leaves to go on."""

import json
import logging
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colibri.errors import ExportError

log = logging.getLogger(__name__)

_OF_EXPORT = "identity.json"


@dataclass(frozen=True)
class Folders:
    """Where one export works."""

    artefact: Path
    """Takes the artefact's name when the export succeeds."""
    scratch: Path
    """Gone when it ends."""
    journals: Path | None = None
    """Notes of what is written, where a later process may go on."""


@contextmanager
def folders(out: Path, replace: bool, identity: dict[str, Any] | None) -> Iterator[Folders]:
    """The folders of an export to `out`; identity: what must be the same for a later one to go on with them, or None
    where nothing is to be left behind."""
    if identity is None:
        with partial_folder(out, replace) as partial, scratch_folder(out) as scratch:
            yield Folders(partial, scratch)
        return
    root = kept_folder(out)
    try:
        with _begun(root, identity) as made:
            yield made
            _take_name(made.artefact, out, replace)
    except OSError as error:
        raise ExportError(f"{out}: {error.strerror or error}; {root} is kept, and --resume goes on") from error
    shutil.rmtree(root, ignore_errors=True)


def kept_folder(out: Path) -> Path:
    """What an interrupted export with --resume leaves beside `out`."""
    return out.with_name(f".{out.name}.resume")


@contextmanager
def _begun(root: Path, identity: dict[str, Any]) -> Iterator[Folders]:
    """The folders of an earlier process, if it had this identity, else new ones; one process at a time."""
    made = Folders(root / "artefact", root / "scratch", root / "journals")
    note = root / _OF_EXPORT
    try:
        found = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else None
    except (OSError, ValueError):
        found = None
    if root.exists() and found != json.loads(json.dumps(identity)):
        log.warning("%s: of another checkpoint or other options, so this export starts anew", root)
        shutil.rmtree(root)
    try:
        for folder in (made.artefact, made.scratch, made.journals):
            assert folder is not None
            folder.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(identity), encoding="utf-8")
        lock = (root / "lock").open("a")
    except OSError as error:
        raise ExportError(f"{root}: cannot be made ({error.strerror})") from error
    with lock:
        _lock(lock, root)
        known = {path.stem for path in (root / "journals").iterdir()}
        for path in (*made.artefact.iterdir(), *made.scratch.iterdir()):
            if f"{path.parent.name}.{path.name}" not in known:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        try:
            yield made
        except ExportError:
            # Another try would find the same, but for a full disk, which is an OSError.
            shutil.rmtree(root, ignore_errors=True)
            raise
        except KeyboardInterrupt:
            log.warning("interrupted; %s is kept, and the same command goes on from there", root)
            raise


def _lock(file: Any, root: Path) -> None:
    try:
        import fcntl  # noqa: PLC0415 - not on Windows, where two at once find files in use
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ExportError(f"{root}: another export works there") from error


def _take_name(partial: Path, out: Path, replace: bool) -> None:
    old = out.with_name(f".{out.name}.{secrets.token_hex(4)}.old")
    if out.exists():
        if not replace:
            raise ExportError(f"{out}: appeared while exporting; nothing was changed")
        out.rename(old)
    try:
        partial.rename(out)
    finally:
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(old, ignore_errors=True)


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
