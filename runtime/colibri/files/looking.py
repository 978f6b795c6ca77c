"""What lies in the folders of a run: each file once, as the deepest root that holds it wants it."""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from colibri.files.chosen_kinds import is_chosen
from colibri.files.walk import Found, Troubles, shown, walk, within
from colibri.files.wanted import Wanted

REMOVED = "by --remove"
OTHER_KINDS = "by kinds in config.toml"
_UNMOUNTED = "nothing is mounted there any more"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A root, and how it is looked at.

    root     a file or a folder, absolute
    exact    whether what the globs leave out leaves the index, as what .gitignore leaves out does
    below    only what is one of these, or lies there; empty: all of it
    named    whether somebody named these, so that a file among them is read by whatever can
    without  paths that were taken out by hand
    mounts   folders that had a file system of their own
    """

    root: Path
    wanted: Wanted
    exact: bool = False
    below: frozenset[str] = frozenset()
    named: bool = True
    without: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The root, as the index has it."""
        return shown(self.root)

    def looks_at(self, path: str) -> bool:
        """Whether a path of this root is one of this run."""
        return not self.below or owner(path, self.below) is not None


@dataclass
class Looked:
    """What a job came to. found: by path, as shown."""

    job: Job
    found: dict[str, Found] = field(default_factory=dict)
    troubles: Troubles = field(default_factory=Troubles)


def owner(path: str, roots: Iterable[str]) -> str | None:
    """The deepest of some roots (a set or a mapping, for speed) that is a path or lies above it."""
    here = path
    while here not in roots:
        at = max(here.rfind("/"), here.rfind("\\") if os.name == "nt" else -1)
        if at < 0 or here == "/":
            return None
        here = here[:at] or "/"
    return here


def walked(root: Path, wanted: Wanted, troubles: Troubles, below: Collection[str] = ()) -> Iterator[Found]:
    """The files of a root that are wanted: `walk`, and of those it finds the ones of the kinds that were chosen, or
    that were named themselves. below: as `walk` has it."""
    hidden, ignore, ignores = wanted.hidden, wanted.ignore, wanted.ignores
    files = walk([root], troubles, globs=wanted.globs, hidden=hidden, ignore=ignore, ignores=ignores, below=below)
    for found in files:
        if not wanted.kinds or found.given or is_chosen(found.path, wanted.kinds):
            yield found
        else:
            troubles.left_out[shown(found.path)] = OTHER_KINDS


def looked(job: Job, roots: Iterable[str]) -> Looked:
    """Walk one. roots: all that the index has; what is a deeper root's is left to it.

    Raises InputError for a root that is not there, and OSError where it leaves meanwhile.
    """
    one, path, wanted = Looked(job), job.path, job.wanted
    troubles = Troubles()
    for found in walked(job.root, wanted, troubles, job.below):
        place = shown(found.path)
        if owner(place, roots) != path or not job.looks_at(place):
            continue
        hand = next((away for away in job.without if within(place, away)), None)
        if hand is None:
            one.found[place] = replace(found, given=True) if job.named and place in job.below else found
        else:
            troubles.left_out[hand] = REMOVED
    for place in troubles.mounts.union(job.mounts):  # one that was mounted a moment ago may have been walked since
        if not os.path.ismount(place) and os.path.lexists(place):
            troubles.unreadable[place] = _UNMOUNTED
    one.troubles = Troubles(
        {place: why for place, why in troubles.unreadable.items() if owner(place, roots) == path},
        {place: why for place, why in troubles.left_out.items() if owner(place, roots) == path},
        troubles.mounts,
    )
    return one
