"""How this copy of Colibri came here, and so what installs an extra of it: an index need not serve the package."""

import json
import os
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from colibri.machine.frozen import frozen_by

_NAME = "colibri-edge"


def install_command(*extras: str, more: str = "") -> str:
    """What to type for an extra of this copy, and `more` beside it, words for pip.

    Where it is an editable checkout that is `pip install -e '/its/folder[files]'`, where it came of a wheel or a folder
    that is still there, that one again (PEP 610's direct_url.json); where that is gone, what the extra brings, by name.
    Else an index served it, and will again.
    """
    wanted = ",".join(extras)
    plain = _pip(f"{_NAME}[{wanted}]", more)
    by = frozen_by()
    if by is not None:
        return f"{plain}, and the program frozen again, since this one was frozen by {by} without"
    try:
        origin = json.loads(metadata.distribution(_NAME).read_text("direct_url.json") or "null")
    except (metadata.PackageNotFoundError, OSError, ValueError):
        return plain
    if not isinstance(origin, dict) or not isinstance(origin.get("url"), str):
        return plain
    return _again(origin, wanted, more) or _pip(" ".join(_brought_by(extras)), more, several=True)


def _again(origin: dict[str, Any], wanted: str, more: str) -> str | None:
    """From where it came; None: nothing is there any more."""
    url: str = origin["url"]
    if origin.get("vcs_info"):
        vcs, commit = (origin["vcs_info"].get(word, "") for word in ("vcs", "commit_id"))
        below = f"#subdirectory={origin['subdirectory']}" if origin.get("subdirectory") else ""
        return _pip(f"{_NAME}[{wanted}] @ {vcs}+{url}@{commit}{below}", more)
    if urlsplit(url).scheme != "file":
        return _pip(f"{_NAME}[{wanted}] @ {url}", more)
    path = unquote(urlsplit(url).path)
    place = Path(path.removeprefix("/") if os.name == "nt" else path)
    if not place.exists():
        return None
    if origin.get("dir_info", {}).get("editable"):
        return _pip(f"{place}[{wanted}]", more, "-e ")
    return _pip(f"{_NAME}[{wanted}] @ {url}", more)


def _brought_by(extras: tuple[str, ...]) -> Iterator[str]:
    """Requirements of extras as a shell takes them. What an extra brings by naming another stands there in full."""
    for line in metadata.requires(_NAME) or []:
        requirement, _, marker = line.replace('"', "'").partition(";")
        if any(f"extra == '{extra}'" in marker for extra in extras):
            older = re.search(r"python_version < '3\.(\d+)'", marker)
            if older is None or sys.version_info < (3, int(older[1])):
                yield _quoted(requirement.strip())


def _pip(words: str, more: str, flag: str = "", *, several: bool = False) -> str:
    return f"pip install {flag}{words if several else _quoted(words)}{f' {more}' if more else ''}"


def _quoted(word: str) -> str:
    """For a shell: single quotes, which cmd.exe does not know, are what all our documentation has."""
    if os.name == "nt" and not word.startswith(_NAME):
        return f'"{word}"'
    return "'" + word.replace("'", "'\"'\"'") + "'"
