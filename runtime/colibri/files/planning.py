"""What a run has to do: which files moved, which are gone, which have to be read."""

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from colibri.errors import InputError
from colibri.files import facts as facts_of
from colibri.files.facts import Known, known_files
from colibri.files.known import by_ending, label
from colibri.files.looking import Job, Looked, looked, owner
from colibri.files.magic import HEAD
from colibri.files.moves import Move, followed, moves
from colibri.files.presence import is_gone, real
from colibri.files.recognise import by_head
from colibri.files.summary import Summary
from colibri.files.walk import Found, shown, within
from colibri.index import Index

STAYS = "; what the index has of it stays"
_LONGEST_ID = 4_096


@dataclass
class Plan:
    """What was found, and what is left to do.

    due        files to read, with their jobs, in the order of the walk
    known      what the index has, by path, moves included
    summaries  of each job, by its root
    moved      old path -> new path
    left       roots that were there when the run began, and not any more when they had been walked -> why
    """

    due: list[tuple[Found, Job]] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)
    summaries: dict[str, Summary] = field(default_factory=dict)
    mounts: dict[str, set[str]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)


class Planner:
    """Of one run."""

    def __init__(self, index: Index, jobs: Sequence[Job], roots: Collection[str]) -> None:
        """jobs: what is looked at. roots: all that the index has, those of the jobs included."""
        self._index = index
        self._jobs = {job.path: job for job in jobs}
        self._roots = roots
        self.plan = Plan(known={}, summaries={job.path: Summary() for job in jobs})

    def run(
        self,
        others: Sequence[Job],
        gone: Mapping[str, bool],
        known: dict[str, Known] | None = None,
        why_gone: Callable[[str], str] = lambda root: "",
    ) -> Plan:
        """Moved documents get their new names and those that are gone leave; files to read are told.

        known     what the index has, where that was just asked
        others    roots that are not of this run, where files may have moved to
        gone      roots that are not there any more -> whether the last run missed them already
        why_gone  why a root is not there; "" it is. Nothing is done with one that left while it was walked
        """
        plan = self.plan
        seen = self._walk(why_gone)
        gone = {**dict.fromkeys(plan.left, False), **gone}
        own = shown(self._index.path.resolve())
        for one in seen:
            summary = plan.summaries[one.job.path]
            summary.skipped |= one.troubles.unreadable
            one.troubles.left_out.pop(own, None)  # which nobody would look for in itself
            summary.left_out = dict(Counter(one.troubles.left_out.values()))
            plan.mounts[one.job.path] = one.troubles.mounts
        found = {path: (file, one.job) for one in seen for path, file in one.found.items()}
        plan.known = known_files(self._index) if known is None else known
        self._move(found, gone)
        leaving = self._leaving(found, seen)
        if others and leaving:
            self._move_elsewhere(leaving, others)
            leaving = [path for path in leaving if path in plan.known]
        self._remove(leaving)
        self._root_facts(found)
        for one in seen:
            self._say_what_stays(one)
        plan.due = [entry for path, entry in found.items() if self._is_due(path, *entry)]
        return plan

    def _walk(self, why_gone: Callable[[str], str]) -> list[Looked]:
        seen = []
        for path, job in list(self._jobs.items()):
            failed: InputError | OSError | None = None
            try:
                seen.append(looked(job, self._roots))
            except (InputError, OSError) as error:
                failed = error
            # Asked for now: of a disk that left before it was walked, the empty folder in its place looks like one of
            # which all files were deleted.
            if why := why_gone(path):
                self.plan.left[path] = why
                del self._jobs[path]
            elif failed is not None:
                raise failed
        return [one for one in seen if one.job.path in self._jobs]

    def _is_due(self, path: str, one: Found, job: Job) -> bool:
        summary, before = self.plan.summaries[job.path], self.plan.known.get(path)
        if before is not None:
            if not before.is_of(one) or not before.as_read_now(job.wanted):
                return True
            summary.as_before(path, before.cut, before.not_read)
            return False
        named = by_ending(one.path.name)
        if one.given or (named is not None and named.read):
            return True
        try:
            with one.path.open("rb") as file:
                kind = by_head(one.path.name, file.read(HEAD), one.size_bytes)
        except OSError as error:
            summary.skipped[path] = error.strerror or str(error)
            return False
        if kind is None:
            return True
        summary.passed(label(one.path.name, kind))
        return False

    def _move(self, found: Mapping[str, tuple[Found, Job]], gone: Mapping[str, bool]) -> None:
        known = self.plan.known
        files = {path: one for path, (one, _) in found.items()}
        changed = {path for path, one in files.items() if path in known and not known[path].is_of(one)}
        some = moves(known, files, changed, lambda path: gone.get(owner(path, self._roots) or "", False))
        for root in gone:
            some += followed(some, known, files, root)
        self._rename(some, found)

    def _move_elsewhere(self, leaving: Sequence[str], others: Sequence[Job]) -> None:
        known = {path: self.plan.known[path] for path in leaving if is_gone(path)}
        found: dict[str, tuple[Found, Job]] = {}
        for job in others if known else ():
            files = looked(job, self._roots).found
            found |= {path: (file, job) for path, file in files.items() if path not in self.plan.known}
        self._rename(moves(known, {path: one for path, (one, _) in found.items()}, ()), found)

    def _rename(self, some: Sequence[Move], found: Mapping[str, tuple[Found, Job]]) -> None:
        """Documents take the names of where their file is now."""
        known, names = self.plan.known, dict[str, str]()
        targets: dict[str, tuple[Found, Path]] = {}
        done = []
        for one in some:
            own = {old: one.new + old.removeprefix(one.old) for old in known[one.old].ids}
            if all(new and len(new) <= _LONGEST_ID and old.startswith(one.old) for old, new in own.items()):
                names |= own
                file, job = found[one.new]
                targets |= dict.fromkeys(own, (file, job.root))
                done.append(one)
        if not names:
            return
        away = {one.old for one in done}
        replaced = [old for one in done if one.new in known and one.new not in away for old in known[one.new].ids]
        if replaced:
            self._index.delete(replaced)
        self._index.rename(names, lambda old, payload: facts_of.moved(payload, *targets[old]))
        entries = {one.new: known.pop(one.old) for one in done}
        for move in done:
            entry, (file, job) = entries[move.new], found[move.new]
            entry.ids = [names[old] for old in entry.ids]
            entry.facts = facts_of.of_file(file, job.root, str(entry.facts.get("sha256")))
            known[move.new] = entry
            self.plan.moved[move.old] = move.new
            if job.path in self.plan.summaries:
                self.plan.summaries[job.path].moved += 1
            entry.unfinished |= not move.alike  # read by other means now

    def _leaving(self, found: Collection[str], seen: Sequence[Looked]) -> list[str]:
        """Files that are not there any more; what is only out of sight (an unreadable folder) stays."""
        hidden = [place for one in seen for place in one.troubles.unreadable]
        leaving = []
        for path in self.plan.known:
            root = owner(path, self._roots)
            job = None if root is None else self._jobs.get(root)
            if job is None or path in found or not job.looks_at(path) or any(within(path, one) for one in hidden):
                continue
            if job.exact or not job.wanted.globs or not os.path.lexists(real(path)):
                leaving.append(path)
        return leaving

    def _remove(self, leaving: Sequence[str]) -> None:
        known = self.plan.known
        if gone := [found_id for path in leaving for found_id in known[path].ids]:
            self._index.delete(gone)
        for path in leaving:
            root = owner(path, self._roots)
            assert root is not None
            self.plan.summaries[root].removed += 1
            del known[path]

    def _root_facts(self, found: Mapping[str, tuple[Found, Job]]) -> None:
        """Files that belong to another root than they did."""
        roots: dict[str, str] = {}
        for path, (_, job) in found.items():
            before = self.plan.known.get(path)
            if before is not None and before.facts and before.facts.get("root") != job.path:
                before.facts["root"] = job.path
                roots |= dict.fromkeys(before.ids, job.path)
        if roots:
            own = {found_id: payload for found_id, payload in self._index.payloads() if found_id in roots}
            self._index.set_payloads(
                {one: {**payload, "file": {**payload["file"], "root": roots[one]}} for one, payload in own.items()}
            )

    def _say_what_stays(self, one: Looked) -> None:
        """Of files in a folder that cannot be looked at, which may be as they were."""
        skipped = self.plan.summaries[one.job.path].skipped
        for place in one.troubles.unreadable:
            if any(within(path, place) for path in self.plan.known):
                skipped[place] += STAYS
