"""Which files there are below a folder, as git sees them: .gitignore holds, hidden files and links are left out.

An index is never gone into: what it holds of the files around it would be found twice, and change with every run.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from colibri.errors import InputError
from colibri.files.gitignore import Pattern, Patterns, parse
from colibri.index import is_index_folder

HIDDEN, IGNORED, NOT_CHOSEN, CONFIGURED = "hidden", "by .gitignore", "by --glob", "by ignore in config.toml"
LINK, NO_FILE, INDEX = "links", "pipes or devices", "Colibri indexes"
_BACK = "\\"
_OF_GIT = frozenset({".git", ".gitignore"})  # what they say is heeded, so that they are not left out


@dataclass(frozen=True)
class Found:
    """A file. path: absolute. given: whether it was named itself, so that every reader should be tried.

    changed_ns  when its inode changed: renaming a file leaves its other time alone, and two of one size can be swapped
    """

    path: Path
    size_bytes: int
    mtime_ns: int
    given: bool = False
    changed_ns: int = 0


@dataclass
class Troubles:
    """What a walk did not come to, and where it was.

    unreadable  paths that could not be looked at -> why
    left_out    paths that are not wanted -> which rule says so; a folder stands for all that is in it
    mounts      folders that lie on another file system than the one they are in
    entered     folders that were looked into
    """

    unreadable: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    mounts: set[str] = field(default_factory=set)
    entered: set[str] = field(default_factory=set)

    def note(self, path: os.PathLike[str] | str, error: OSError) -> None:
        """Remember one."""
        self.unreadable[shown(path)] = error.strerror or str(error)


def walk(
    roots: Sequence[Path],
    troubles: Troubles,
    *,
    globs: Sequence[str] = (),
    hidden: bool = False,
    ignore: bool = True,
    ignores: Sequence[str] = (),
    below: Collection[str] = (),
) -> Iterator[Found]:
    """Every file below the roots (files or folders), each once, sorted within a folder.

    globs   only files of which the last of these that matches them, or a folder they are in, has no `!`
    hidden  also files and folders whose name begins with a dot (.git never)
    ignore  whether .gitignore files hold, those above a root up to its repository's top included
            (below a root that lies in an ignored folder nothing is found: git never looks there)
    ignores patterns as in a .gitignore of the root, which no other brings back
    below   only what is one of these paths (as `shown`), or lies there; nothing else is even looked at. None: all

    Links are followed only where a root is one, so that loops cannot be; pipes and devices are left out. Raises
    InputError for a root that is not there, and for a glob that can match nothing.
    """
    wanted, unwanted = _patterns(globs) if globs else None, _patterns(ignores)
    asked = _Asked(below) if below else None
    seen: set[Path] = set()
    for root in roots:
        try:
            path = root.resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(f"{root}: cannot be found ({getattr(error, 'strerror', None) or error})") from error
        if path.is_dir():
            specs = _specs_above(path) if ignore else []
            if _within_ignored(path, specs):
                troubles.left_out[shown(path)] = IGNORED  # whatever a .gitignore further down says
                continue
            files = _below(path, specs, troubles, wanted, unwanted, hidden, ignore, asked)
        else:
            files = _one(path, troubles)
        for found in files:
            if found.path not in seen:
                seen.add(found.path)
                yield found


_Specs = list[tuple[Path, Patterns]]


class _Asked:
    """The paths that a walk is to look at, and those that lead there."""

    def __init__(self, below: Collection[str]) -> None:
        self._ends = set(below)
        self._ways = {shown(parent) for one in self._ends for parent in Path(one).parents}

    def among(self, folder: Path, entries: Iterable[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        """Those of a folder's entries that are such."""
        for entry in entries:
            path = shown(folder / entry.name)
            if path in self._ends or path in self._ways:
                yield entry

    def within(self, folder: Path) -> "_Asked | None":
        """The same of a folder; None: all of it is to be looked at."""
        return None if shown(folder) in self._ends else self


def _below(
    root: Path,
    specs: _Specs,
    troubles: Troubles,
    wanted: Patterns | None,
    unwanted: Patterns,
    hidden: bool,
    ignore: bool,
    asked: _Asked | None,
) -> Iterator[Found]:
    waiting = [(root, specs, root.stat().st_dev, asked and asked.within(root))]
    while waiting:
        here, above, device, asked = waiting.pop()
        try:
            with os.scandir(here) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            troubles.note(here, error)
            continue
        if is_index_folder({entry.name for entry in listed}):
            troubles.left_out[shown(here)] = INDEX
            continue
        troubles.entered.add(shown(here))
        own = _own_specs(here, above) if ignore else above
        folders = []
        for entry in listed if asked is None else asked.among(here, listed):
            path = here / entry.name
            if entry.name.startswith(".") and (not hidden or entry.name == ".git"):
                if entry.name not in _OF_GIT:
                    troubles.left_out[shown(path)] = HIDDEN
                continue
            try:
                found = entry.stat(follow_symlinks=False)
            except OSError as error:
                troubles.note(path, error)
                continue
            folder_here = stat.S_ISDIR(found.st_mode)
            why = _unwanted(found.st_mode) or (IGNORED if _ignored(path, own, folder=folder_here) else "")
            why = why or (CONFIGURED if unwanted.verdict(_below_base(path, root), folder_here) else "")
            if not why and not folder_here and wanted is not None and not wanted.choose(_below_base(path, root)):
                why = NOT_CHOSEN
            if why:
                troubles.left_out[shown(path)] = why
            elif folder_here:
                folders.append((path, own, found.st_dev, asked and asked.within(path)))
                if found.st_dev != device:
                    troubles.mounts.add(shown(path))
            else:
                yield Found(path, found.st_size, found.st_mtime_ns, changed_ns=found.st_ctime_ns)
        waiting += reversed(folders)


def _unwanted(mode: int) -> str:
    """What something is that is neither a file nor a folder."""
    return "" if stat.S_ISDIR(mode) or stat.S_ISREG(mode) else LINK if stat.S_ISLNK(mode) else NO_FILE


def _one(path: Path, troubles: Troubles) -> Iterator[Found]:
    try:
        found = path.stat()
    except OSError as error:
        troubles.note(path, error)
        return
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path}: neither a file nor a folder")
    yield Found(path, found.st_size, found.st_mtime_ns, given=True, changed_ns=found.st_ctime_ns)


def seen_again(one: Found) -> Found:
    """A file with the times and size that it has now; as it was found, where it is there no more."""
    try:
        found = one.path.lstat()
    except OSError:
        return one
    if not stat.S_ISREG(found.st_mode):
        return one
    return replace(one, size_bytes=found.st_size, mtime_ns=found.st_mtime_ns, changed_ns=found.st_ctime_ns)


def _specs_above(root: Path) -> _Specs:
    """.gitignore files from the top of the repository that a folder is in, down to its parent."""
    parents = []
    for parent in root.parents:
        if (parent / ".git").exists():
            parents.append(parent)
            break
        parents.append(parent)
    else:
        return []
    if (root / ".git").exists():
        return []
    specs: _Specs = []
    for parent in reversed(parents):
        specs = _own_specs(parent, specs)
    return specs


def _within_ignored(root: Path, specs: _Specs) -> bool:
    """Whether a root is an ignored folder, or lies in one."""
    return any(
        _ignored(folder, [one for one in specs if one[0] in folder.parents], folder=True)
        for folder in (root, *root.parents)
    )


def _own_specs(folder: Path, above: _Specs) -> _Specs:
    place = folder / ".gitignore"
    try:
        data = b"" if place.is_symlink() else place.read_bytes()  # git follows no link here either
    except OSError:
        return above
    return [*above, (folder, parse(data))]


def _ignored(path: Path, specs: _Specs, *, folder: bool) -> bool:
    """The deepest .gitignore that speaks of a path decides."""
    for base, patterns in reversed(specs):
        verdict = patterns.verdict(_below_base(path, base), folder)
        if verdict is not None:
            return verdict
    return False


def _below_base(path: Path, base: Path) -> bytes:
    return os.fsencode(path.relative_to(base).as_posix())


def _patterns(globs: Sequence[str]) -> Patterns:
    patterns = []
    for glob in globs:
        try:
            patterns.append(Pattern(os.fsencode(glob)))
        except ValueError as error:
            raise InputError(f"--glob {glob!r}: {error}; wanted is a pattern such as '*.md' or 'docs/**'") from error
    return Patterns(patterns)


def within(path: str, base: str) -> bool:
    """Whether a path, as `shown`, is another or lies below it."""
    return path == base or path.startswith((f"{base.rstrip('/')}/", f"{base.rstrip(_BACK)}{_BACK}"))


def outermost(paths: Iterable[str]) -> list[str]:
    """Of some paths those that lie in none of the others."""
    found: set[str] = set()
    for path in sorted(set(paths), key=len):
        if not any(shown(parent) in found for parent in Path(path).parents):
            found.add(path)
    return sorted(found)


def shown(path: os.PathLike[str] | str) -> str:
    """A path that can be printed and stored, whatever bytes its name is made of."""
    return os.fspath(path).encode("utf-8", "backslashreplace").decode()


def resolved(path: Path) -> str:
    """A path that somebody gave as an index has it: absolute, and without links, but those that lead in a circle.

    Raises InputError for what is no path anywhere.
    """
    try:
        return shown(os.path.realpath(path))  # Path.resolve raises for a circle
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(path)!r}: no path ({getattr(error, 'strerror', None) or error})") from error


def refuse_own_folder(path: Path, index: Path) -> None:
    """Raise InputError for a path that is the folder of the index that it is to go into, or lies there."""
    if within(resolved(path), resolved(index)):
        raise InputError(
            f"{shown(path)}: is in the folder of the index itself, {shown(index)}, where no files are looked for; "
            "name the files and folders that are to be found"
        )
