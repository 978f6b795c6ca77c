"""What of an index's folders has to be looked at, and when: told by the system, or because it is time again."""

import math
import os
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from colibri.errors import MissingExtra
from colibri.files.follow import limits, notices
from colibri.files.follow.batches import Batches
from colibri.files.follow.listening import Hear, Listening
from colibri.files.known import by_ending
from colibri.files.looking import owner
from colibri.files.presence import real
from colibri.files.roots import Root, current_roots
from colibri.files.walk import outermost, shown, within
from colibri.index import Index

DAILY_SECONDS = 86_400.0
SLOW_SECONDS = 900.0
"""Between two looks at what nothing is told of; more where a look takes long."""
CHECK_SECONDS = 10.0
"""Between two looks at whether the folders themselves are there: a disk that comes tells nothing."""
EXTEND_SECONDS = 0.2
"""After which folders that came are watched, too: others may be about to."""
TIDY_SECONDS = 60.0
"""After which all folders are watched by one again: each listens, five times a second."""
PATIENCE_SECONDS = 60.0
"""Without a commit, after which a root that another process began to index is taken for left."""
_SHARE = 100.0  # a look that takes so many times less than the time to the next
_ASKED = 50  # paths, whether they are files that are read
_RESTART_SECONDS = 2.0
_LONGEST_RESTART = 3_600.0

Look = Mapping[str, Any]
Identity = tuple[int, int, str] | None


class Watching:
    """Of one index. Not for several threads: what is heard goes through `hear` to the one that owns it."""

    def __init__(self, index: Index, hear: Hear, now: float) -> None:
        """hear: called by other threads, with what `heard` takes."""
        self._index = index
        self._own = shown(index.path.resolve())
        self._batches = Batches()
        self._roots: dict[str, Root] = {}
        self._remote: dict[str, str] = {}
        self._there: dict[str, Identity] = {}
        self._listening = Listening(hear)
        self._why = ""  # nothing is told
        self._lost_at, self._restarts = -math.inf, 0
        self._restart_at: float | None = None
        self._came: set[str] = set()
        self._extend_at = math.inf
        self._unseen: set[str] = set()  # roots to be looked at as a whole when all is watched
        self._roots_due: set[str] = set()
        self._whole_at = math.inf
        self._slow_at = math.inf
        self._check_at = now
        self._commits = self._others_at = -1
        self._patience_ends = math.inf
        self._ours: set[str] = set()  # roots that are being indexed here
        self._gone: set[str] = set()  # roots that were not there when they were looked at last
        self._begun = False
        self._took = 0.0

    @property
    def told(self) -> bool:
        """Whether the system tells of changes."""
        return not self._why and self._listening.ready and bool(self._listened())

    @property
    def note(self) -> str | None:
        """What a user should know; None: all is well."""
        said = []
        if self._why:
            said.append(f"{self._why}; until then all is looked at every {self._slow_words()}")
        for path, kind in self._remote.items():
            said.append(
                f"{path} is on a network drive ({kind}): what others change is not told, and it is looked at every "
                f"{self._slow_words()}"
            )
        return "; ".join(said) or None

    def close(self) -> None:
        """End what listens."""
        self._listening.close()

    def next_time(self) -> float:
        """When `due` has something to do again."""
        times = [self._check_at, self._whole_at, self._slow_at, self._batches.next_time(), self._restart_at]
        times += [None if self._listening.beginning else self._extend_at]
        return min(one for one in times if one is not None)

    def heard(self, what: notices.Heard, value: Any, now: float) -> None:
        """What a thread that listens had to say."""
        number, value = value
        if not self._listening.knows(number, what):
            return
        if what == "lost":
            self._lost(value, now)
        elif what == "ready":
            self._ready(number, now)
        elif what == "limited":
            self._limited(value, now)
        else:
            self._changed(value, now)

    @property
    def expects_files(self) -> bool:
        """Whether something is about to be looked at that will probably be indexed."""
        return any(_is_read(path) for path in islice(self._batches, _ASKED))

    def due(self, now: float) -> list[Look]:
        """Looks that are due by now, in their order."""
        if now >= self._check_at:
            self._check(now)
        if self._restart_at is not None and now >= self._restart_at:
            self._listen(now)
        elif now >= self._extend_at and not self._listening.beginning:
            self._extend(now)
        found: list[Look] = []
        if now >= self._whole_at:
            self._whole_at = now + DAILY_SECONDS
            found.append({"paths": []})
        if now >= self._slow_at:
            found += self._slow(now)
        if roots := sorted(self._roots_due & self._roots.keys()):
            found.append({"paths": roots})
        self._roots_due.clear()
        if paths := self._batches.ready(now):
            found.append({"changed": outermost(paths)})
        return found

    def begun(self, roots: Iterable[str], now: float) -> None:
        """A look fills the index with files of these, which are told of from here on, should they be new."""
        if new := set(roots) - self._roots.keys():
            self._ours |= new
            self._commits, self._check_at = -1, now

    def looked(self, look: Look, done: Mapping[str, Any], now: float) -> None:
        """A look ended. One that is done once more, for what went on beside it, says nothing of how it went."""
        self._missed(set(done["gone"]), look)
        if look.get("again"):
            return
        if "changed" in look:
            found = any(done[name] for name in ("indexed", "moved", "removed"))
            self._batches.looked(look["changed"], now, found=found)
        elif not look["paths"]:
            self._took = done["seconds"]
        self._check_at = now  # it may have brought roots

    def _missed(self, gone: set[str], look: Look) -> None:
        """Roots that a look did not find. One that vanished and is back before `_check` sees it is the same as before,
        but what listened to it may not any more, and what changed there was passed over: it counts as one that came."""
        for path in gone - self._gone:
            self._there.pop(path, None)
        seen = {path for path in self._gone if _is_of(look, path)}
        self._gone = (self._gone - seen) | gone

    def _check(self, now: float) -> None:
        """Whether roots came, left, or are others than before."""
        self._check_at = now + CHECK_SECONDS
        if (commits := self._index.commits()) != self._commits or now >= self._patience_ends:
            self._commits, self._patience_ends = commits, math.inf
            roots = current_roots(self._index)
            others = {path for path, root in roots.items() if not root.when and path not in {*self._roots, *self._ours}}
            if others and self._begun and commits != self._others_at:
                # Another process indexes them now; interrupted, it commits no more, and they are ours.
                self._others_at, self._patience_ends = commits, now + PATIENCE_SECONDS
                roots = {path: root for path, root in roots.items() if path not in others}
            self._roots = roots
            self._remote = {path: kind for path in self._roots if (kind := limits.remote(real(path)))}
        there = {path: None if path in self._remote else _identity(path, root) for path, root in self._roots.items()}
        if there == self._there and self._begun:
            return
        self._unseen |= {path for path in there if path not in self._there or there[path] != self._there[path]}
        self._there = there
        self._listen(now)

    def _listened(self) -> list[str]:
        return [path for path, found in self._there.items() if found is not None]

    def _listen(self, now: float, came: Collection[str] = ()) -> None:
        """To all roots that are there; what listened before goes on until that is ready. came: folders to be looked at
        then."""
        self._restart_at = None
        try:
            notices.check()
        except MissingExtra as error:
            self._why = str(error)
            self._look_at_unseen(now)
            return
        self._why = ""
        roots = {path: self._roots[path].wanted for path in self._listened()}
        if roots:
            self._listening.to_all(roots, came)
        else:
            self.close()
            self._look_at_unseen(now)

    def _extend(self, now: float) -> None:
        """To folders that came, too; or to all anew where there are many such."""
        came, self._came = outermost(self._came), set()
        self._extend_at = math.inf
        if not came or self._listening.enough:
            self._listen(now, came)
        else:
            self._listening.to_more({path: root.wanted for path, root in self._roots.items()}, came)

    def _ready(self, number: int, now: float) -> None:
        """Nothing is missed from now on: what came before is looked at."""
        came, all_of_them = self._listening.began(number)
        self._batches.add(came, now)
        if all_of_them:
            self._look_at_unseen(now)
        else:
            self._extend_at = min(self._extend_at, now + TIDY_SECONDS)

    def _limited(self, why: str, now: float) -> None:
        """Of some folders nothing is told; of the others it is."""
        self._why, self._restart_at = why, now + _LONGEST_RESTART
        self._slow_at = min(self._slow_at, now + self._slow_seconds())

    def _lost(self, why: str, now: float) -> None:
        """Nothing is told any more: try again soon, or look now and then."""
        self.close()
        if now - self._lost_at > _LONGEST_RESTART:
            self._restarts = 0
        wait = _LONGEST_RESTART if limits.is_reached(why) else _RESTART_SECONDS * 4.0**self._restarts
        wait = min(wait, _LONGEST_RESTART)
        self._why, self._lost_at, self._restart_at = why, now, now + wait
        self._restarts += 1
        self._unseen |= self._roots.keys()
        self._came.clear()
        if wait > _RESTART_SECONDS:
            self._look_at_unseen(now)

    def _look_at_unseen(self, now: float) -> None:
        """What changed while nobody listened."""
        unseen, self._unseen = self._unseen & self._roots.keys(), set()
        if not self._begun or unseen == self._roots.keys():
            self._whole_at = -math.inf
        elif unseen:
            self._roots_due |= unseen
        self._begun = True
        self._slow_at = now + self._slow_seconds() if self._slowly() else math.inf

    def _slowly(self) -> list[str]:
        """Roots that nothing is told of."""
        return list(self._roots) if self._why else list(self._remote)

    def _slow_seconds(self) -> float:
        return max(SLOW_SECONDS, _SHARE * self._took)

    def _slow_words(self) -> str:
        return f"{self._slow_seconds() / 60:.0f} minutes"

    def _slow(self, now: float) -> list[Look]:
        paths = self._slowly()
        self._slow_at = now + self._slow_seconds() if paths else math.inf
        if not paths:
            return []
        return [{"paths": [] if len(paths) == len(self._roots) else paths}]

    def _changed(self, pairs: Iterable[tuple[str, bool]], now: float) -> None:
        pairs = list(pairs)
        found = {path: new for one, new in pairs if (path := self._wanted(shown(one))) is not None}
        if len(pairs) >= limits.queued() // 8 or self._batches.too_many:
            self._batches.clear()
            self._batches.add({root for path in found if (root := owner(path, self._roots)) is not None}, now)
            return
        self._batches.add(found, now)
        came = {path for path, new in found.items() if new and os.path.isdir(real(path))}  # noqa: PTH112
        came |= {_above(one) for one, _ in pairs if one.endswith(f"{os.sep}.gitignore")} & found.keys()
        if came:
            self._came |= came
            self._extend_at = min(self._extend_at, now + EXTEND_SECONDS)

    def _wanted(self, path: str) -> str | None:
        """What to look at for something that happened at a path; None: nothing."""
        root = owner(path, self._roots)
        if root is None or within(path, self._own):
            return None
        names = PurePath(path[len(root) :]).parts
        if path.endswith(f"{os.sep}.gitignore"):
            return _above(path)
        hidden = self._roots[root].wanted.hidden
        if any(name.startswith(".") and (name == ".git" or not hidden) for name in names):
            return None
        return path


def _identity(path: str, root: Root) -> Identity:
    """Which file or folder a root is, and how it is wanted; None: it is not there."""
    try:
        found = Path(real(path)).stat()
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino, repr(sorted(root.wanted.stored().items())))


def _is_of(look: Look, root: str) -> bool:
    """Whether a look would have found that a root is there."""
    asked: list[str] = look["changed"] if "changed" in look else look["paths"]
    return not asked or any(within(one, root) or within(root, one) for one in asked)


def _is_read(path: str) -> bool:
    named = by_ending(PurePath(path).name)
    return named is not None and named.read and os.path.exists(real(path))  # noqa: PTH110 - Path.exists may raise


def _above(path: str) -> str:
    return os.path.dirname(path)  # noqa: PTH120
