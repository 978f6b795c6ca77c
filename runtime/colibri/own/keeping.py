"""The user's own indexes: folders of their data folder, by name. "default" is the one that is meant without a name."""

import os
import re
import unicodedata
from pathlib import Path

from colibri.errors import InputError, StoreError
from colibri.machine import user_data, why_no_home

DEFAULT = "default"
"""The name of the user's own index that is meant where none is named."""
_LONGEST = 100  # bytes; file systems take 255
_SEPARATORS = frozenset('/\\:*?"<>|')  # of paths, or refused by Windows: an index may be carried there
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: with any ending, too
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|\Z)", re.IGNORECASE)
_WANTED = "wanted one such as 'work': letters, digits and . _ - within, no path"


def checked_name(name: str) -> str:
    """A name that can be a folder's everywhere, as NFC, since a keyboard, a file and macOS may have "é" in two forms.

    Raises InputError.
    """
    name = unicodedata.normalize("NFC", name)
    if not name or name != name.strip():
        raise InputError(f"a name of an index: found {name!r}; {_WANTED}")
    found = sorted(_SEPARATORS & set(name))
    if found:
        raise InputError(f"{name!r} is no name of an index: it has {found[0]!r}; {_WANTED} (--index names a folder)")
    if name[0] in ".-~" or name[-1] == "." or not name.isprintable() or _DEVICES.match(name):
        raise InputError(f"{name!r} is no name of an index that every system takes; {_WANTED}")
    try:
        if len(name.encode()) > _LONGEST:
            raise InputError(f"{name[:20]!r}… is no name of an index: {len(name.encode())} bytes, at most {_LONGEST}")
    except UnicodeEncodeError as error:
        raise InputError(f"{name!r} is no name of an index: it is not UTF-8") from error
    return name


def own_index(name: str = DEFAULT) -> Path:
    """Where an index of that name lies, or would. Raises InputError for what is no name, and without a home folder."""
    name, folder = checked_name(name), _indexes()
    if folder is None:
        raise InputError(
            f"{why_no_home()}, so there is no place for an index of your own; "
            "--index FOLDER or COLIBRI_INDEX names another"
        )
    return folder / name


def named_indexes() -> dict[str, Path]:
    """Those that are there, by name: "default" first, then by the alphabet. A folder of theirs may hold no index."""
    folder = _indexes()
    try:
        names = [] if folder is None else [one.name for one in folder.iterdir() if _is_one(one)]
    except OSError:
        return {}
    assert folder is not None or not names
    return {name: Path(folder or "", name) for name in sorted(names, key=lambda name: (name != DEFAULT, name))}


def name_of(place: Path) -> str | None:
    """Which of the user's own indexes lies in a folder; None: it is none of them."""
    folder = _indexes()
    if folder is None:
        return None
    path = Path(os.path.realpath(place))
    same = os.path.normcase(path.parent) == os.path.normcase(os.path.realpath(folder))
    return path.name if same else None


def make_room(place: Path) -> None:
    """Make the folder that the user's own indexes lie in, closed to others: an index holds the texts of files, those
    that only their owner may read among them. Of an index elsewhere nothing is made.

    Raises StoreError where it cannot be made, as in a home that is read-only.
    """
    if name_of(place) is None:
        return
    try:
        place.parent.parent.mkdir(parents=True, exist_ok=True)
        place.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{place.parent}: cannot be made ({error.strerror or error}); "
            "--index FOLDER or COLIBRI_INDEX names another place for the index"
        ) from error


def _indexes() -> Path | None:
    data = user_data()
    return data and data / "indexes"


def _is_one(place: Path) -> bool:
    try:
        return checked_name(place.name) == place.name and place.is_dir()
    except InputError:
        return False
