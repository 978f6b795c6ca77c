"""Files that have another name or place: told by their content, so that their rows stay.

A file has moved where its bytes are found under another path and its own path holds others, or nothing, by now. A copy
is none: the old file is still there. Which of several equal files went where is told by the folders that moved with
others in them, then by what is known to be gone since before this run, then by their names.
"""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from colibri.files.facts import Known
from colibri.files.known import by_ending
from colibri.files.presence import is_gone
from colibri.files.recognise import recognise
from colibri.files.text import Unreadable
from colibri.files.walk import Found, within

_DEEPEST = 8  # names of a path's end that equal files are told apart by
_FEW = 64  # pairs of equal files that tell of folders which moved; of more, each tells too little
_FOLDERS = 8  # that are asked of one: those that most files came from
_STREAMS = frozenset({".gz", ".bz2", ".xz", ".lzma", ".zst"})


@dataclass(frozen=True)
class Move:
    """old, new: paths. alike: whether its text is the same under the new name."""

    old: str
    new: str
    alike: bool


def moves(
    known: Mapping[str, Known],
    found: Mapping[str, Found],
    changed: Collection[str],
    missed: Callable[[str], bool] = lambda path: False,
) -> list[Move]:
    """Which files of the index are others of those found by now.

    changed  paths among the found that the index has with other times or sizes
    missed   whether the last run missed a path already: what left since then is what moved, if it may be either
    """
    sizes: dict[object, list[str]] = defaultdict(list)
    for path, entry in known.items():
        if isinstance(entry.facts.get("sha256"), str) and (path not in found or path in changed):
            sizes[entry.facts.get("size_bytes")].append(path)
    digests: dict[str, str] = {}
    for path, one in found.items():
        if (path not in known or path in changed) and one.size_bytes in sizes:
            digests[path] = _digest(one)
    by_content: dict[str, list[str]] = defaultdict(list)
    for path, digest in digests.items():
        own = known.get(path)
        if digest and (own is None or own.facts.get("sha256") != digest):
            by_content[digest].append(path)
    donors: dict[str, list[str]] = defaultdict(list)
    for paths in sizes.values():
        for path in paths:
            digest = str(known[path].facts["sha256"])
            if digest in by_content and digests.get(path) != digest:
                donors[digest].append(path)
    groups = [(olds, sorted(by_content[digest])) for digest, olds in donors.items()]
    folders = _folders(groups)
    some = []
    for olds, left in groups:
        # what has another file's name by now first: it surely moved
        ranks = {old: (old not in found, missed(old)) for old in sorted(olds)}
        pairs = _matched(ranks, left, folders, lambda old, new: old in found or is_gone(old, new))
        some += [Move(old, new, _alike(old, found[new])) for old, new in pairs]
    return some


def _folders(groups: Iterable[tuple[Sequence[str], Sequence[str]]]) -> dict[str, list[tuple[int, str]]]:
    """Folders that moved with several files: new one -> how many files may have come from which old one.

    groups  old and new paths of one content each
    """
    counts: Counter[tuple[str, str]] = Counter()
    for olds, news in groups:
        if len(olds) * len(news) <= _FEW:
            counts.update(_bases(old, new) for old in olds for new in news)
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for (old, new), count in counts.most_common():
        if count > 1 and len(found[new]) < _FOLDERS:
            found[new].append((count, old))
    return found


def _bases(old: str, new: str) -> tuple[str, str]:
    """What is left of two paths without the end that they share."""
    while old and new:
        (above, _, name), (others, _, other) = old.rpartition(os.sep), new.rpartition(os.sep)
        if name != other:
            break
        old, new = above, others
    return old, new


def _matched(
    ranks: Mapping[str, tuple[bool, bool]],
    left: list[str],
    folders: Mapping[str, Sequence[tuple[int, str]]],
    free: Callable[[str, str], bool],
) -> Iterator[tuple[str, str]]:
    """Equal files. ranks: old paths, the least first where all else is the same. left: new ones; loses some."""
    some = []
    for new in left:
        at = new.rfind(os.sep)
        while at >= 0:
            for count, old in folders.get(new[:at], ()):
                if old + new[at:] in ranks:
                    some.append((-count, ranks[old + new[at:]], old + new[at:], new))
            at = new.rfind(os.sep, 0, at)
    away, taken = set[str](), set[str]()
    for _, _, old, new in sorted(some):
        if old not in away and new not in taken and free(old, new):
            away.add(old)
            taken.add(new)
            yield old, new
    left[:] = [new for new in left if new not in taken]
    for rank in sorted(set(ranks.values())):
        yield from _paired([old for old in ranks if ranks[old] == rank and old not in away], left, free)


def _paired(waiting: list[str], left: list[str], free: Callable[[str, str], bool]) -> Iterator[tuple[str, str]]:
    """Equal files: those that share most of the end of their paths first, the rest in order. left: loses some."""
    if len(waiting) == len(left) == 1:
        if free(waiting[0], left[0]):
            yield waiting[0], left.pop()
        return
    if not waiting or not left:
        return
    for depth in (*range(_DEEPEST, 0, -1), 0):
        places: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for new in reversed(left):
            places[_end(new, depth)].append(new)
        still = []
        for old in waiting:
            same = places.get(_end(old, depth))
            if same and free(old, same[-1]):
                new = same.pop()
                left.remove(new)
                yield old, new
            else:
                still.append(old)
        waiting = still


def _end(path: str, depth: int) -> tuple[str, ...]:
    parts = path.replace("\\", "/").split("/") if os.name == "nt" else path.split("/")
    return tuple(parts[-depth:]) if depth else ()


def followed(moved: Collection[Move], known: Mapping[str, Known], found: Collection[str], root: str) -> list[Move]:
    """The rest of a root that is gone, where most of it was found elsewhere: files that were changed on the way."""
    bases: dict[str, int] = defaultdict(int)
    for one in moved:
        if within(one.old, root) and one.old != root and one.new.endswith(one.old.removeprefix(root)):
            bases[one.new.removesuffix(one.old.removeprefix(root))] += 1
    own = [path for path in known if within(path, root)]
    if not bases or 2 * max(bases.values()) < len(own):
        return []
    base = max(bases, key=lambda name: (bases[name], name))
    away, taken = {one.old for one in moved}, {one.new for one in moved}
    pairs = [(path, base + path.removeprefix(root)) for path in own if path not in away]
    return [Move(old, new, False) for old, new in pairs if new in found and new not in known and new not in taken]


def _digest(one: Found) -> str:
    try:
        with one.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""  # reading it will say why


def _alike(old: str, one: Found) -> bool:
    """Whether a file's text is what it was: its name also says how it is read."""
    before, after = PurePath(old), one.path
    suffix = before.suffix.lower()
    named = by_ending(before.name)
    if suffix == after.suffix.lower() and named is by_ending(after.name):
        if suffix in _STREAMS:
            return PurePath(before.stem).suffix.lower() == PurePath(after.stem).suffix.lower()
        return bool(suffix) or named is None or before.name.lower() == after.name.lower()
    try:
        data = one.path.read_bytes()
        kind = recognise(after.name, data)
        return kind is recognise(before.name, data) and kind.form == "document" and kind.module != "archives"
    except (OSError, Unreadable):
        return False
