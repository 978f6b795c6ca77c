"""What the hub's cache holds already, read without the hub's client: only fetching needs that (colibri-edge[hub]).

The layout is the client's own, the same since huggingface_hub 0.9: models--OWNER--NAME/refs/BRANCH holds a commit, and
snapshots/COMMIT/ the files of that commit, as links.
"""

import os
from pathlib import Path

from colibri.machine import home

_YES = {"1", "ON", "YES", "TRUE"}


def cached_file(repo: str, name: str, cache_dir: str | None, revision: str | None) -> Path | None:
    """The path of a file of a repository; None: the cache does not have it.

    revision: a commit, or a branch or tag as it was when the cache last heard of it; None: main.
    """
    folder = Path(cache_dir).expanduser() if cache_dir else _cache()
    if folder is None:
        return None
    repository = folder / f"models--{repo.replace('/', '--')}"
    wanted = revision or "main"
    try:
        commit = (repository / "refs" / wanted).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):  # no branch, so a commit
        commit = wanted
    found = repository / "snapshots" / commit / name
    return found if os.path.isfile(found) else None  # noqa: PTH113 - Path.is_file raises for names that cannot be


def asks_no_hub() -> bool:
    """Whether the user said that nothing may be fetched."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in _YES


def _cache() -> Path | None:
    """As the client finds its folder; None where no home folder is known."""
    if folder := os.environ.get("HF_HUB_CACHE"):
        return _named(folder)
    if folder := os.environ.get("HF_HOME"):
        return _named(folder) / "hub"
    if folder := os.environ.get("XDG_CACHE_HOME"):
        return _named(folder) / "huggingface" / "hub"
    user = home()
    return user and user / ".cache" / "huggingface" / "hub"


def _named(folder: str) -> Path:
    return Path(os.path.expandvars(folder)).expanduser()
