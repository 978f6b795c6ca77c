"""Where artefacts lie on this machine: the search path, what lies in each place, and which of several is meant.

The places, in order: what came along with the package; each folder of COLIBRI_MODELS (os.pathsep between them); the
current folder; ./models; the user's own folder, where `colibri export` puts what it makes. In a place every folder with
a colibri.json is an artefact, and so is the place itself if it has one.

A name means an artefact by its folder's name, its manifest's name, one of its aliases or its source (such as the hub id
it was exported from). The earlier place wins, and within one place the earlier of these four, then the folder's name.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from colibri.artefact.manifest_file import FILE_NAME
from colibri.errors import InputError
from colibri.machine import home, user_data

log = logging.getLogger(__name__)

MODELS, ALIAS = "COLIBRI_MODELS", "COLIBRI_ALIAS"
_PACKAGE = Path(__file__).resolve().parents[1]
_told: set[str] = set()


@dataclass(frozen=True, kw_only=True)
class Held:
    """A folder with a colibri.json, and what that says about names. Nothing else of it is checked yet."""

    folder: Path
    name: str
    aliases: tuple[str, ...]
    source: str
    space_id: str
    problem: str | None = None
    """Why its colibri.json cannot be read; its names are then empty."""

    def answers(self, name: str) -> int | None:
        """How well a name fits, 0 best; None: it means something else. But for a folder's, its case does not matter."""
        if name and name == self.folder.name:
            return 0
        names = ((self.name,), self.aliases, (self.source,))
        told = [{known.casefold() for known in some} for some in names]
        return next((rank for rank, some in enumerate(told, 1) if name and name.casefold() in some), None)


def user_models() -> Path | None:
    """The user's own folder of artefacts; None where no home folder is known."""
    folder = user_data()
    return folder and folder / "models"


def shipped_roots() -> tuple[Path, ...]:
    """Folders that may hold shipped artefacts: inside the wheel, then the checkout of an editable install."""
    checkout = _PACKAGE.parents[1]
    return (_PACKAGE / "artefacts", *([checkout / "models"] if is_file(checkout / "pyproject.toml") else []))


def search_path() -> list[Path]:
    """All places in their order, each once; those that are not there are left out, and said if the user named them."""
    user = user_models()
    own = [Path(), Path("models"), *([user] if user else [])]
    found: dict[str, Path] = {}
    for place in (*shipped_roots(), *_named_places(), *own):
        if is_folder(place):
            found.setdefault(os.path.realpath(place), place)
    return list(found.values())


def held() -> Iterator[Held]:
    """Every artefact of the search path, by place and then by folder, each folder once."""
    seen: set[str] = set()
    for place in search_path():
        for folder in (place, *(place / name for name in names_in(place))):
            real = os.path.realpath(folder)
            if real not in seen and is_file(folder / FILE_NAME):
                seen.add(real)
                yield _read(folder)


def meant(name: str) -> list[Held]:
    """The artefacts that a name means, the one that wins first; those that cannot be read last."""
    by_place: dict[Path, list[tuple[int, Held]]] = {}
    for one in held():
        rank = one.answers(name)
        if rank is not None:
            by_place.setdefault(one.folder.parent, []).append((rank, one))
    ranked = [one for found in by_place.values() for _, one in sorted(found, key=lambda pair: pair[0])]
    return sorted(ranked, key=lambda one: one.problem is not None)


def aliases() -> Mapping[str, str]:
    """What COLIBRI_ALIAS maps: "colbert-ir/colbertv2.0=colibri-mini", several with commas between.

    Raises InputError for what is not of that form, or gives one name two meanings.
    """
    found: dict[str, str] = {}
    for entry in os.environ.get(ALIAS, "").split(","):
        if not entry.strip():
            continue
        name, _, target = (part.strip() for part in entry.partition("="))
        if not name or not target:
            raise InputError(f"{ALIAS}: found {entry.strip()!r}, wanted NAME=NAME, several with commas between")
        if found.setdefault(name, target) != target:
            raise InputError(f"{ALIAS}: {name} is both {found[name]} and {target}")
    return found


def names_in(place: Path) -> list[str]:
    """Names of the artefacts' folders in a place, sorted. Hidden ones are none: an export under way has such a name."""
    try:
        with os.scandir(place) as entries:
            folders = [entry for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
            return sorted(entry.name for entry in folders if is_file(Path(entry.path, FILE_NAME)))
    except (OSError, ValueError):
        return []


def tell_once(said: str) -> None:
    """A warning that a process gives once."""
    if said not in _told:
        _told.add(said)
        log.warning(said)


def is_file(path: Path) -> bool:
    """A name that no file system takes (too long, with NUL) is no file, nor is one in a folder closed to us."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for those


def is_folder(path: Path) -> bool:
    """As `is_file`."""
    return os.path.isdir(path)  # noqa: PTH112 - as above


def _named_places() -> Iterator[Path]:
    user = home()
    for entry in os.environ.get(MODELS, "").split(os.pathsep):
        if not entry:
            continue
        place = user.joinpath(*Path(entry).parts[1:]) if user and Path(entry).parts[:1] == ("~",) else Path(entry)
        if is_folder(place):
            yield place
        else:
            tell_once(f"{MODELS}: {place} is no folder that can be read")


def _read(folder: Path) -> Held:
    try:
        document = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return Held(
            folder=folder,
            name=str(document["name"]),
            aliases=tuple(map(str, document["aliases"])),
            source=str(document["source"]["name"]),
            space_id=str(document["space_id"]),
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}" if isinstance(error, LookupError) else str(error)
        return Held(folder=folder, name="", aliases=(), source="", space_id="", problem=said or "cannot be read")
