"""What a follower is doing, as a page or a line shows it."""

from dataclasses import dataclass
from typing import Literal

Phase = Literal["idle", "looking", "indexing", "paused", "failed"]


@dataclass(frozen=True, kw_only=True)
class State:
    """Of one moment.

    phase     idle: all that is known to have changed is in the index. failed: see `error`; it is tried again
    root      the folder or file that is looked at, where it is one; None: several, or none
    file      the file that is being read
    done      files of this look that were read, of `total`
    per_s     of these a second; None: nobody knows yet
    left_s    seconds that the rest will take, by the bytes of files and how many tokens they turned out to be
    error     why the last look failed; None: it did not
    watching  whether the system tells of changes; else all is looked at now and then
    asked     files and folders that somebody asked for, and that are not done: under way, or waiting for their turn
    note      what a user should know of that: a limit that was reached, a network drive, a folder that is gone
    """

    phase: Phase = "idle"
    root: str | None = None
    file: str | None = None
    done: int = 0
    total: int = 0
    per_s: float | None = None
    left_s: float | None = None
    error: str | None = None
    watching: bool = False
    asked: tuple[str, ...] = ()
    note: str | None = None
