"""What `Index.sync` did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from colibri.index.plain import as_json, plain


@dataclass(frozen=True)
class Gone:
    """A file or folder that an index is made of, and that is not there, or cannot be looked at. lost: whether it may be
    pruned."""

    why: str
    files: int
    documents: int
    lost: bool


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What was done, in files, and all that was passed over. Paths are absolute.

    indexed    that were read; unchanged: that the index has as they are; removed: that were gone from their folder
    moved      that were found under another path, and keep their rows; they also count as unchanged, or as indexed
               where they were changed. moves: old path -> new one
    skipped    path -> why nothing of it is found
    remarks    path -> what of it was left out, a sentence each, of files that were read now
    not_read   ending, or kind where there is none -> how many files of kinds that nothing reads
    left_out   "hidden", "by .gitignore", "links", … -> how many were not looked at for that; a folder counts as one
    gone       folders that are not there and stay in the index until they are pruned
    pruned     documents of such that were taken out
    said       sentences on changed options and on folders that moved
    documents  how many the index holds now
    tokens     that were encoded, in so many seconds
    """

    indexed: int
    unchanged: int
    removed: int
    moved: int
    moves: Mapping[str, str]
    skipped: Mapping[str, str]
    remarks: Mapping[str, Sequence[str]]
    not_read: Mapping[str, int]
    left_out: Mapping[str, int]
    gone: Mapping[str, Gone]
    pruned: int
    said: Sequence[str]
    documents: int
    tokens: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Its fields by their names, as `json.dumps` takes them."""
        found: dict[str, Any] = plain(self)
        return found

    def to_json(self) -> str:
        """`as_dict` as one line of JSON, which can be written as UTF-8."""
        return as_json(self.as_dict())
