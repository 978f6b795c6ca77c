"""Where compiled graphs are kept: a folder for each graph on each device with each driver and version."""

import hashlib
import json
import logging
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from colibri.artefact import Artefact
from colibri.providers.choice import Choice
from colibri.providers.known import known_provider

log = logging.getLogger(__name__)

_MODEL = "compiled.onnx"
_ONCE, _TWICE = "refused", "refused-again"


def cache_home() -> Path | None:
    """The user's folder for such things: LOCALAPPDATA, ~/Library/Caches, XDG_CACHE_HOME or ~/.cache; then /colibri.

    None for a user without a home: HOME is not set, and the system does not know the user (a container's).
    """
    named, below = {
        "win32": (os.environ.get("LOCALAPPDATA"), ("AppData", "Local")),
        "darwin": (None, ("Library", "Caches")),
    }.get(sys.platform, (os.environ.get("XDG_CACHE_HOME"), (".cache",)))
    if named:
        return Path(named, "colibri", "engines")
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home.joinpath(*below, "colibri", "engines") if home.is_absolute() else None


def cache_place(asked: str | os.PathLike[str] | Literal[False] | None) -> Path | None:
    """Where to keep what is compiled: the user's folder (None), another, or nowhere (False)."""
    return None if asked is False else cache_home() if asked is None else Path(asked)


def cache_folder(
    artefact: Artefact, choice: Choice, options: Mapping[str, str], version: str, root: Path
) -> Path | None:
    """The folder for a graph, made if need be; None where nothing can be written.

    Its name ends in a hash of all that a compiled graph depends on: the SHA-256 of every file of the graph, device,
    driver, onnxruntime's version and the plugin's, and the options. They stand in its key.json.
    """
    assert choice.device is not None
    files = artefact.files_to_run(choice.variant, choice.graph)
    key = {
        "files": {name: artefact.manifest.files[name].sha256 for name in files},
        "provider": choice.provider,
        "device": choice.device.description,
        "facts": dict(sorted(choice.device.facts.items())),
        "options": dict(sorted(options.items())),
        "onnxruntime": version,
        "system": f"{platform.system()} {platform.machine()}",
    }
    text = json.dumps(key, indent=2)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    name = f"{artefact.manifest.name}-{choice.variant_name}-{known_provider(choice.provider).name}-{digest}"
    path = root / "".join(c if c.isalnum() or c in "-._" else "_" for c in name)
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (path / "key.json").exists():
            _write(path / "key.json", text)
    except OSError as error:
        log.info("compiled graphs are not kept: %s cannot be written (%s)", path, error.strerror)
        return None
    return path


def cached_graph(folder: Path) -> Path | None:
    """The compiled model that was kept in a cache folder."""
    path = folder / "model" / _MODEL
    return path if path.is_file() else None


def forget_graph(folder: Path) -> None:
    """Remove a compiled model that cannot be loaded. It is made again once; after that the graph itself is loaded."""
    shutil.rmtree(folder / "model", ignore_errors=True)
    (folder / (_TWICE if (folder / _ONCE).exists() else _ONCE)).touch()


def may_keep_graph(folder: Path) -> bool:
    """Whether a compiled model is worth keeping there."""
    return not (folder / _TWICE).exists()


@contextmanager
def keeping_graph(folder: Path) -> Iterator[Path]:
    """Where to write a compiled model: it gets its place when all of it is there, so that whoever is interrupted
    leaves nothing that looks whole."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="unfinished-", ignore_cleanup_errors=True) as scratch:
        place = Path(scratch) / "model"
        place.mkdir()
        yield place / _MODEL
        if (place / _MODEL).is_file() and not (folder / "model").exists():
            try:
                place.rename(folder / "model")
            except OSError as error:  # another process was first
                log.info("%s: not kept (%s)", folder, error.strerror)


def _write(path: Path, text: str) -> None:
    handle, scratch = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(scratch).replace(path)
