"""An index kept up to date with files: what is new or changed is read, what moved is renamed, what is gone leaves.

A file is one document, its absolute path its id; rows, messages and members of archives are documents of their own,
"path#name". What is known of a file lies under "file" in the payload (`facts`).
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from colibri.files.facts import Known
from colibri.files.filling import Filling
from colibri.files.looking import Job
from colibri.files.pace import Pace
from colibri.files.planning import Plan, Planner
from colibri.files.summary import Summary
from colibri.files.walk import Found
from colibri.files.wanted import Wanted
from colibri.index import Index

__all__ = ["Sync", "Wanted"]


class Sync:
    """One run over some files. `plan`, then `run` what it says.

    planned  after `plan`
    pace     after `run`: how many tokens, how long it took
    """

    def __init__(
        self, index: Index, wanted: Wanted | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """wanted: of roots that `plan` is given; None: the defaults."""
        self._index = index
        self._wanted = wanted or Wanted()
        self._clock = clock
        self.planned = Plan()
        self.pace = Pace(lambda tokens: None, index.count_tokens, clock)

    @property
    def summary(self) -> Summary:
        """What was done so far."""
        found = Summary()
        for one in self.planned.summaries.values():
            found.add(one)
        return found

    def plan(self, roots: Sequence[Path]) -> list[tuple[Found, Job]]:
        """Files that may have to be read. Unchanged ones are counted, moved ones renamed, those that are gone removed,
        those of kinds that nothing reads counted by kind.

        Raises InputError for a root that is not there.
        """
        jobs = [Job(root=root.resolve(), wanted=self._wanted) for root in roots]
        return self.plan_jobs(jobs, {job.path for job in jobs})

    def plan_jobs(
        self,
        jobs: Sequence[Job],
        roots: Collection[str],
        others: Sequence[Job] = (),
        gone: Mapping[str, bool] | None = None,
        known: dict[str, Known] | None = None,
        why_gone: Callable[[str], str] = lambda root: "",
    ) -> list[tuple[Found, Job]]:
        """The same of roots that are each wanted in their way; see `Planner`."""
        self.planned = Planner(self._index, jobs, roots).run(others, gone or {}, known, why_gone)
        return self.planned.due

    def run(self, due: Iterable[tuple[Found, Job]], done: Callable[[int], object]) -> Summary:
        """Read and index them. done: called with tokens as they are encoded; a `colibri.machine` Progress in bytes of
        files also learns which files are finished."""
        self.pace = Pace(done, self._index.count_tokens, self._clock)
        Filling(self._index, self.planned, self.pace).run(due)
        return self.summary
