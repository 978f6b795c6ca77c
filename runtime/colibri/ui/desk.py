"""What the page works with: one index, what encodes questions for it, and what keeps it fresh."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from colibri import __version__
from colibri.index import Index
from colibri.server import Problem
from colibri.ui.held import Holder
from colibri.ui.messages import (
    Mode,
    PassageAnswer,
    PassageRequest,
    State,
)
from colibri.ui.tending import Tending, indexing_of, passed_count, roots_of
from colibri.vectors import TokenVectors


@dataclass(frozen=True, kw_only=True)
class Desk:
    """index     what is searched
    encode    a question's rows, float32; called in threads
    tending   what keeps the index fresh; None: this page does not
    can_open  whether files are opened on this machine
    note      why this page does not keep the index fresh, where that is to be said
    """

    index: Index
    encode: Callable[[str], TokenVectors]
    tending: Tending | None
    can_open: bool
    holder: Holder
    note: str | None = None

    def state(self) -> State:
        """What there is. Blocks."""
        stats, held = self.index.stats(), self.holder.get()
        following = None if self.tending is None else self.tending.follower.state
        failed = None if self.tending is None else self.tending.failed
        roots = roots_of(self.index, held, () if following is None else following.asked)
        return State(
            name=_name(self.index.path),
            index=str(self.index.path),
            version=__version__,
            model=stats.model,
            documents=stats.documents,
            passages=stats.passages,
            tokens=stats.tokens,
            bytes=stats.disk_bytes,
            modes=self.modes,
            can_open=self.can_open,
            can_change=self.tending is not None,
            watching=following is not None and following.watching,
            note=self.note if following is None else following.note,
            roots=roots,
            indexing=indexing_of(following, failed, empty=not roots),
            passed_over=passed_count(self.index),
        )

    @property
    def modes(self) -> list[Mode]:
        """How it can be searched, the best first."""
        return ["both", "meaning", "words"] if self.index.why_no_words() is None else ["meaning"]


def passage(index: Index, asked: PassageRequest) -> PassageAnswer:
    """A passage with what stands around it. Raises Problem 404 for a document that is not there."""
    stored = index.get(asked.id)[0]
    if stored is None:
        raise Problem(404, "RESOURCE_NOT_FOUND", "the index has no document of that id any more; search again")
    text = stored.text or ""
    start = min(asked.start, len(text))
    end = min(max(asked.end, start), len(text))
    first, last = max(start - asked.around, 0), min(end + asked.around, len(text))
    return PassageAnswer(
        id=asked.id,
        start=start,
        end=end,
        text=text[first:last],
        text_start=first,
        text_end=last,
        whole_length=len(text),
    )


def _name(folder: Path) -> str:
    return folder.resolve().parent.name if folder.name == ".colibri-index" else folder.name
