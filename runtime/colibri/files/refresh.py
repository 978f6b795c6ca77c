"""One run of `colibri index`: the roots that an index remembers, those that come new, and those that are gone."""

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from colibri.errors import InputError
from colibri.files.configuration import Configured, configured
from colibri.files.facts import Known, known_files
from colibri.files.looking import Job, owner, walked
from colibri.files.lost import CLOSED, GONE, NO_FILE, Gone, is_mount, samples, was, why_gone
from colibri.files.presence import real
from colibri.files.roots import Root, change_roots, current_roots, roots_of
from colibri.files.summary import Summary
from colibri.files.sync import Sync
from colibri.files.tongues import note_languages
from colibri.files.walk import Found, Troubles, outermost, refuse_own_folder, resolved, walk, within
from colibri.files.wanted import Wanted, shown_change
from colibri.index import Index


class Refresh:
    """`plan`, then `run`, then `prune` what is gone, if that is wished.

    said   sentences on changed options and moved roots
    gone   roots of this run that are not there, by path
    """

    def __init__(self, index: Index, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._index = index
        self._configured = Configured()
        self.sync = Sync(index, clock=clock)
        self.said: list[str] = []
        self.gone: dict[str, Gone] = {}
        self._roots: dict[str, Root] = {}
        self._jobs: dict[str, Job] = {}
        self._forgotten: set[str] = set()
        self._away: dict[str, bool] = {}
        self._left_out: dict[tuple[str, Wanted], set[str]] = {}

    def plan(self, paths: Sequence[Path], given: Mapping[str, Any], *, reset: bool = False) -> list[tuple[Found, Job]]:
        """Files to read.

        paths   files and folders; none: all roots, and those that the user configured for this index
        given   options (fields of `Wanted`) that differ from those the roots have
        reset   whether the others go back to their defaults

        Raises InputError for a path that is not there and of which the index holds nothing, for one in the folder of
        the index itself, where there is no root, and for a configuration that cannot be.
        """
        known = self._begin(given)
        before = {path: root.wanted for path, root in self._roots.items()}
        for root in self._roots.values():
            root.wanted = replace(root.wanted, **self._configured.options)
        asked = self._asked(paths, known, given, reset) if paths else self._all()
        if not paths and not asked:
            raise InputError(f"{self._index.path}: was not filled from files; give files or folders to index")
        lost = samples(known, sorted(before, key=lambda path: self._roots[path].missed))
        for path in asked:
            self._take(path, was(path, lost) if path not in before else None, given, reset)
        self._absorb(asked)
        self._say_changes({path: wanted for path, wanted in before.items() if path in asked})
        for path in asked:
            if path in self._roots:
                self._look(path, known, asked[path])
        self._keep_roots(asked)
        states = {path: why_gone(path, known, ()) for path in self._roots if path not in asked}
        others = [self._job(path, ()) for path, why in states.items() if not why]
        away = [path for path, one in self.gone.items() if one.lost]
        away += [path for path, why in states.items() if why and not why.startswith(CLOSED)]
        self._away = {path: self._roots[path].missed for path in away}
        due = self.sync.plan_jobs(
            list(self._jobs.values()), self._roots, others, self._away, known, lambda path: self._why_gone(path, known)
        )
        self._give_up_those_that_left(known)
        self._after_moves([*away, *self.sync.planned.left])
        return due

    def check(self, paths: Sequence[Path], given: Mapping[str, Any], *, reset: bool = False) -> None:
        """Raise what `plan` would raise for these paths, and change nothing: ahead of other work. Not to be called on
        one that is to plan."""
        known = self._begin(given)
        self._asked(paths, known, given, reset)

    def _begin(self, given: Mapping[str, Any]) -> dict[str, Known]:
        """What the index holds, with its roots and the configuration read."""
        for _ in walk((), Troubles(), globs=given.get("globs", ())):  # refuses a bad one before it is remembered
            pass
        self._configured = configured(self._index.path)
        known = known_files(self._index)
        self._roots = roots_of(self._index, known)
        return known

    def plan_changed(self, paths: Iterable[str], given: Mapping[str, Any] | None = None) -> list[tuple[Found, Job]]:
        """Files to read among paths (as `shown`) at which something may have happened: they are there, or not any more.

        given: the limits of reading that are this run's (fields of `Wanted`)

        Only what lies there is looked at. No root is new by it, changed or given up; what is in none is passed over.
        Raises InputError for a configuration that cannot be.
        """
        self._configured = configured(self._index.path)
        self._roots = current_roots(self._index)
        for one in self._roots.values():
            one.wanted = replace(one.wanted, **self._configured.options, **(given or {}))
        self._away = {path: True for path, root in self._roots.items() if root.missed}
        asked: dict[str, set[str]] = {}
        for path in outermost(paths):
            if (root := owner(path, self._roots)) is not None:
                asked.setdefault(root, set()).add(path)
        known = known_files(self._index, [path for below in asked.values() for path in below])
        for root, below in asked.items():
            if why := self._why_gone(root, known):
                self._note_gone(root, why, self._own(root, known_files(self._index, [root])))
            else:
                self._jobs[root] = replace(self._job(root, below - {root}), named=False)
        due = self.sync.plan_jobs(
            list(self._jobs.values()), self._roots, known=known, why_gone=lambda path: self._why_gone(path, known)
        )
        self._give_up_those_that_left(known)
        return due

    def run(self, due: Iterable[tuple[Found, Job]], done: Callable[[int], object]) -> Summary:
        """Read and index them, and remember what was passed by."""
        summary = self.sync.run(due, done)
        if any(not job.below for job in self._jobs.values()):
            note_languages(self._index)
        if self._nothing_to_note():
            return summary
        when = datetime.now(UTC).isoformat(timespec="seconds")

        def ended(roots: dict[str, Root]) -> None:
            for path, root in roots.items():
                root.missed = path in self._away
            for path, job in self._jobs.items():
                root, own = roots.setdefault(path, self._roots[path]), self.sync.planned.summaries[path]
                if job.below:
                    rest = {one: why for one, why in root.skipped.items() if not job.looks_at(one)}
                    root.remember_skipped(rest | own.skipped)
                    continue
                root.remember_skipped(own.skipped)
                root.when, root.not_read, root.left_out = when, own.not_read, own.left_out
                had = {*root.mounts, *self.sync.planned.mounts.get(path, ())}
                root.mounts = sorted(
                    one for one in {path, *had} if Path(real(one)).is_mount() or (one in had and one in own.skipped)
                )

        change_roots(self._index, ended)
        return summary

    def _nothing_to_note(self) -> bool:
        """Whether all that was looked at are parts of roots, none of which has trouble, or had."""
        return all(
            job.below
            and not self.sync.planned.summaries[path].skipped
            and not any(job.looks_at(one) for one in self._roots[path].skipped)
            for path, job in self._jobs.items()
        )

    def prune(self, paths: Sequence[str]) -> int:
        """Take out what the index has of roots that are gone, and forget them; how many documents there were."""
        known = known_files(self._index)
        ids = [one for path, entry in known.items() if owner(path, self._roots) in paths for one in entry.ids]
        count = self._index.delete(ids) if ids else 0
        change_roots(self._index, lambda roots: [roots.pop(path, None) for path in paths])
        for path in paths:
            self.gone.pop(path, None)
        return count

    def _asked(
        self, paths: Sequence[Path], known: Mapping[str, Known], given: Mapping[str, Any], reset: bool
    ) -> dict[str, set[str]]:
        """Roots of this run, each with what of it is looked at (empty: all), those below them included."""
        whole: set[str] = set()
        parts: dict[str, set[str]] = {}
        for given_path in paths:
            refuse_own_folder(given_path, self._index.path)
            path = resolved(given_path)
            root = owner(path, self._roots)
            there = os.path.lexists(real(path))
            if not there and not any(within(one, path) for one in (*known, *self._roots)):
                raise InputError(f"{given_path}: no such file or folder")
            part = root is not None and root != path
            why = why_gone(path, {}, ()) if there and path not in self._roots else ""
            if why == NO_FILE or (why and not part):  # before it is remembered
                raise InputError(f"{given_path}: {why.removeprefix('is ')}")
            if part and (given or reset or (there and self._excluded(str(root), path))):
                part = False
                if not there:
                    raise InputError(f"{given_path}: no such file or folder")
            if part:
                parts.setdefault(str(root), set()).add(path)
            elif there or path in self._roots:
                whole.add(path)
            if not os.path.isfile(real(path)):  # noqa: PTH113 - Path.is_file raises for some names
                whole |= {one for one in self._roots if one != path and within(one, path)}
        return parts | {path: set() for path in whole}

    def _all(self) -> dict[str, set[str]]:
        """Roots of a run that names none: all, and configured ones that are no part of them."""
        found: dict[str, set[str]] = {path: set() for path in self._roots}
        for given in self._configured.roots:
            path = resolved(given)
            if path in self._roots:
                continue
            if not os.path.lexists(given):
                self.said.append(f"{path}: is a root in {self._configured.file}, and not there")
                continue
            above = owner(path, self._roots)
            by_hand = above is not None and any(within(path, one) for one in self._roots[above].without)
            if above is None or (not by_hand and self._excluded(above, path)):
                found[path] = set()
        return found

    def _excluded(self, root: str, path: str) -> bool:
        """Whether a root's own rules leave out a path that was named."""
        found = self._roots[root]
        if any(within(path, one) for one in found.without):
            found.without = [one for one in found.without if not within(path, one)]
        if not os.path.lexists(real(root)):
            return False
        left_out = self._left_out.get((root, found.wanted))
        if left_out is None:
            troubles, wanted = Troubles(), found.wanted
            for _ in walked(Path(real(root)), wanted, troubles):
                pass
            left_out = self._left_out[root, wanted] = set(troubles.left_out)
        return owner(path, left_out) is not None

    def _take(self, path: str, moved_from: str | None, given: Mapping[str, Any], reset: bool) -> None:
        """A root gets its options: those given, else those it has, else those of the root that it was."""
        root = self._roots.get(path)
        if root is None:
            root = Root(wanted=Wanted() if moved_from is None else self._roots[moved_from].wanted)
            self._roots[path] = root
        root.wanted = replace(Wanted() if reset else root.wanted, **{**given, **self._configured.options})

    def _absorb(self, asked: Mapping[str, Collection[str]]) -> None:
        """Roots below another one that would read them alike are no roots of their own."""
        for path in sorted(self._roots, key=len, reverse=True):
            above = owner(str(Path(path).parent), self._roots)
            if above is None or above == path or asked.get(above) != set() or not os.path.lexists(real(above)):
                continue
            alike = self._roots[above].wanted.stored() == self._roots[path].wanted.stored()
            if alike and not is_mount(path, self._roots[path]) and not self._excluded(above, path):
                self._roots[above].without += self._roots.pop(path).without
                self._forgotten.add(path)

    def _say_changes(self, before: Mapping[str, Wanted]) -> None:
        for path, root in self._roots.items():
            was = before.get(path)
            if was is not None and (change := shown_change(was, root.wanted)):
                self.said.append(f"{path}: {change}; what that touches is read again")

    def _keep_roots(self, asked: Mapping[str, Collection[str]]) -> None:
        """Before any work, so that an interruption keeps them, too."""
        mine = self._roots

        def changed(roots: dict[str, Root]) -> None:
            for path in self._forgotten:
                roots.pop(path, None)
            for path, root in mine.items():
                here = roots.setdefault(path, root)
                if path in asked:
                    here.wanted, here.without = root.wanted, root.without

        change_roots(self._index, changed)

    def _look(self, path: str, known: Mapping[str, Known], below: Collection[str]) -> None:
        if why := self._why_gone(path, known):
            own = self._own(path, known)
            if not own and why == GONE:  # there is nothing to keep
                self._roots.pop(path)
                self._forgotten.add(path)
                return
            self._note_gone(path, why, own)
        else:
            self._jobs[path] = self._job(path, below)

    def _why_gone(self, path: str, known: Mapping[str, Known]) -> str:
        return why_gone(path, known, self._roots[path].mounts)

    def _own(self, root: str, known: Mapping[str, Known]) -> list[Known]:
        return [entry for one, entry in known.items() if owner(one, self._roots) == root]

    def _note_gone(self, path: str, why: str, own: Collection[Known]) -> None:
        documents = sum(len(entry.ids) for entry in own)
        self.gone[path] = Gone(why, len(own), documents, lost=not why.startswith(CLOSED))

    def _give_up_those_that_left(self, known: Mapping[str, Known]) -> None:
        """While they were walked: as if they had been gone before."""
        for path, why in self.sync.planned.left.items():
            self._note_gone(path, why, self._own(path, known))
            if self.gone[path].lost:
                self._away[path] = False
            del self._jobs[path]

    def _job(self, path: str, below: Collection[str]) -> Job:
        root = self._roots[path]
        return Job(
            root=Path(real(path)),
            wanted=root.wanted,
            exact=True,
            below=frozenset(below),
            without=tuple(root.without),
            mounts=tuple(one for one in root.mounts if one != path),
        )

    def _after_moves(self, lost: Sequence[str]) -> None:
        """Roots all of whose files were found elsewhere are forgotten; of the others it is told what is left."""
        if not self.sync.planned.moved:
            return
        known, away = self.sync.planned.known, []
        for path in lost:
            own = self._own(path, known)
            moved = [new for old, new in self.sync.planned.moved.items() if owner(old, self._roots) == path]
            if not own and os.path.lexists(real(path)):
                self.gone.pop(path, None)  # an empty folder, all of whose files are elsewhere
            elif moved and not own:
                away.append(path)
                to = owner(moved[0], {one for one in self._roots if one != path})
                self.said.append(f"{path}: is {to} now" if within(moved[0], str(to)) else f"{path}: moved")
            elif path in self.gone:
                self.gone[path] = replace(
                    self.gone[path], files=len(own), documents=sum(len(entry.ids) for entry in own)
                )
        for path in away:
            self.gone.pop(path, None)
            self._roots.pop(path, None)
        if away:
            change_roots(self._index, lambda roots: [roots.pop(path, None) for path in away])
