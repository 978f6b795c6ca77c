"""What keeps the index of the page fresh: its folders, what is being indexed, and what was passed over."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from colibri.errors import InputError, StoreLocked
from colibri.files import Follower, Root, coming_back, noted_roots, owner, real, remove, shown, why_gone
from colibri.files import State as Following
from colibri.index import Index
from colibri.machine import counted
from colibri.server import Problem, invalid
from colibri.ui.held import Held
from colibri.ui.messages import Indexing, PassedAnswer, PassedCount, PassedOver, RootState

_JOIN_SECONDS = 10.0
_LONGEST_PATH = 4_096


class Tending:
    """Follows the folders of an index in a thread of its own, from `start` to `stop`."""

    def __init__(
        self, index: Index, options: Mapping[str, Any], *, follower: Callable[..., Follower] = Follower
    ) -> None:
        """options: of `colibri.load`, for the process that indexes, as JSON takes them."""
        self._index = index
        self.follower = follower(index.path, options=options)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="colibri-ui-follower", daemon=True)
        self._changing = threading.Lock()
        self.failed: str | None = None

    def start(self, paths: list[Path]) -> None:
        """Follow. paths: to index first."""
        if paths:
            self.follower.look_now(paths)
        self._thread.start()

    def stop(self) -> None:
        """End it, with the process that indexes; what is committed stays."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_SECONDS)

    def _follow(self) -> None:
        try:
            self.follower.run(self._stop)
        except Exception as error:  # searching goes on without it, and the page says so
            self.failed = str(error) or type(error).__name__

    def add(self, path: str) -> None:
        """Index a folder or file, and follow it. Raises Problem 422 for one that is not there, or no absolute path."""
        place = _absolute(path)
        try:
            place.stat()
            if place.is_dir():
                next(os.scandir(place), None)
            elif not place.is_file():
                raise invalid("path", f"{path}: neither a folder nor a file")
        except FileNotFoundError:
            raise invalid("path", f"{path}: no such file or folder") from None
        except (OSError, ValueError) as error:
            raise invalid("path", f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
        self.follower.look_now([place])

    def forget(self, path: str) -> str | None:
        """Take a folder or file out of the index, whether it is there or not; what there is to know of that.

        Raises Problem 404 for what the index holds nothing of, 503 while another program writes.
        """
        # Else what is being read of it would come in again.
        with self._changing, self.follower.held(_JOIN_SECONDS) as still:
            try:
                if not still:
                    raise _busy("what is being indexed does not end yet; try again")
                place = _absolute(path)
                waits = shown(place) in self.follower.state.asked
                self.follower.give_up(place)
                return self._said_of(remove(self._index, [place]).roots)
            except InputError as error:
                if waits:  # for its turn: nothing of it is there yet
                    return None
                raise Problem(404, "RESOURCE_NOT_FOUND", str(error)) from None
            except StoreLocked as error:
                raise _busy(str(error)) from None

    def _said_of(self, roots: Sequence[str]) -> str | None:
        with suppress(InputError):  # the user's file cannot be understood, which the next look says
            return "; ".join(coming_back(self._index.path, roots)) or None
        return None


def _busy(why: str) -> Problem:
    return Problem(503, "SERVICE_UNAVAILABLE", why, headers={"retry-after": "5"})


def _absolute(path: str) -> Path:
    """As the page shows it, or as it is typed. Raises Problem 422."""
    if len(path) > _LONGEST_PATH:
        raise invalid("path", f"{len(path):,} characters are too many for a path; wanted up to {_LONGEST_PATH:,}")
    found = Path(real(path))
    if path.startswith("~"):
        try:
            found = found.expanduser()
        except RuntimeError:
            raise invalid("path", f"{path}: no home folder is known") from None
    if "\0" in path or not found.is_absolute():
        raise invalid("path", f"{path!r}: wanted a whole path, from the root of the disk or ~ on")
    return found


def roots_of(index: Index, held: Held, asked: Sequence[str] = ()) -> list[RootState]:
    """Folders and files that the index is made of, as they are now, and those asked for that wait for their turn."""
    noted = noted_roots(index)
    found = []
    for path in sorted({*held.roots, *noted}):
        files = dict.fromkeys(held.paths[held.below(path)][:1])
        why = why_gone(path, files, noted[path].mounts if path in noted else ())  # type: ignore[arg-type]
        found.append(RootState(path=path, documents=held.roots.get(path, 0), present=not why, problem=why or None))
    here = {root.path for root in found}
    for path in asked:
        if owner(shown(os.path.realpath(real(path))), here) is None:
            found.append(RootState(path=path, documents=0, present=True, problem=None, waiting=True))
    return found


def indexing_of(following: Following | None, failed: str | None, *, empty: bool) -> Indexing:
    """What is being indexed. failed: why nobody follows. empty: whether there is nothing to follow."""
    if failed is not None:
        return Indexing(phase="failed", error=failed)
    if following is None or (empty and following.phase == "failed"):
        return Indexing()
    names = ("phase", "root", "file", "done", "total", "per_s", "left_s", "error")
    return Indexing(**{name: getattr(following, name) for name in names})


def passed_count(index: Index) -> PassedCount:
    """How many files the last looks passed over."""
    return PassedCount(
        count=sum(len(root.skipped) + root.more + sum(root.not_read.values()) for root in noted_roots(index).values())
    )


def passed_over(index: Index, offset: int, limit: int) -> PassedAnswer:
    """Which, with why and what to do: files by name, then kinds, then rules."""
    every = [one for path, root in sorted(noted_roots(index).items()) for one in _passed(path, root)]
    return PassedAnswer(items=every[offset : offset + limit], more=len(every) > offset + limit)


def _passed(path: str, root: Root) -> Iterator[PassedOver]:
    for file, why in sorted(root.skipped.items()):
        yield PassedOver(path=file, why=why, what_to_do=_what_to_do(why))
    if root.more:
        yield PassedOver(
            path=path, why=counted(root.more, "more file"), what_to_do="`colibri index --json` names them all"
        )
    for kind, count in sorted(root.not_read.items(), key=lambda entry: (-entry[1], entry[0])):
        yield PassedOver(
            path=path,
            why=f"{counted(count, 'file')} {kind}: of a kind that nothing here reads",
            what_to_do="`colibri index --kinds` shows what is read, and what some kinds need",
        )
    for rule, count in sorted(root.left_out.items(), key=lambda entry: (-entry[1], entry[0])):
        yield PassedOver(
            path=path, why=f"{count:,} left out ({rule}); a folder counts as one", what_to_do=_RULES.get(rule, "")
        )


_RULES = {
    "hidden": "`colibri index FOLDER --hidden` takes them in",
    "by .gitignore": "`colibri index FOLDER --no-ignore` takes them in",
    "by --glob": "`colibri index FOLDER --glob ''` takes all in",
    "by --remove": "add the path again to take it in",
    "links": "add the folder that a link leads to",
}

_ADVICE = (
    ("pip install", "run that command, then look again"),
    ("--max-mb", "`colibri index FOLDER --max-mb N` takes larger files"),
    ("password", "save it without a password, and it is read at the next look"),
    ("encrypt", "save it without a password, and it is read at the next look"),
    ("holds no text", "there is nothing in it to search; scanned pages need text recognition (OCR) first"),
    ("of a kind that nothing", "`colibri index --kinds` shows what is read"),
    ("denied", "let your user read it, then look again"),
    ("mounted", "mount the disk again; what was indexed stays meanwhile"),
    (" s, ", "`colibri index FOLDER --max-seconds N` gives it more time"),
)


def _what_to_do(why: str) -> str:
    return next((advice for sign, advice in _ADVICE if sign in why.lower()), "open it to see whether it is whole")
