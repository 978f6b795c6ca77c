"""What lies in archives and packed files, one member after another; nothing is ever written to disk.

A broken member costs itself alone, and of a stream that breaks off what came before is kept. A member's name is only a
label here, with ".." and the like taken out. Archives within are members as others.
"""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import IO, cast

from colibri.files.kinds.names import distinct
from colibri.files.kinds.packed import Packed, opened
from colibri.files.kinds.tape import is_tar, tape_members
from colibri.files.kinds.zipped import is_zip, zip_members
from colibri.files.source import Source
from colibri.files.text import Member, Passed, Unreadable

_OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x1f\x9d": "packed by compress (.Z)",
    b"LZIP": "packed by lzip",
    b"\x04\x22\x4d\x18": "packed by lz4",
    b"MSCF": "a cabinet archive",
}
_ENDING = re.compile(r"\.(?:gz|bz2|xz|lzma|zst|zstd)$", re.IGNORECASE)
_MOST_MEMBERS = 100_000


def members(source: Source, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[Member | Passed]:
    """Files in a .zip, in a .tar packed or not, or the one in a packed file.

    wanted: whether a member of this name is to be unpacked at all; others take nothing from the budget. Raises
    Unreadable where there is no archive or a kind of archive that is not read, MissingExtra for .zst
    """
    yield from _numbered(_members(source, wanted))


def _members(source: Source, wanted: Callable[[str], bool]) -> Iterator[Member | Passed]:
    data = source.data
    for mark, what in _OTHERS.items():
        if data.startswith(mark):
            raise Unreadable(f"is {what}, which is not read")
    if is_tar(data):
        return tape_members(Packed(io.BytesIO(data), source.budget.total_bytes), source.budget, wanted)
    if is_zip(data):
        return zip_members(source, wanted)
    return _packed_members(source, wanted)


def _numbered(found: Iterator[Member | Passed]) -> Iterator[Member | Passed]:
    """Members of which each has another name, and not more than an index should hold of one file."""
    taken: Counter[str] = Counter()
    for number, one in enumerate(found):
        if number == _MOST_MEMBERS:
            yield Passed(name="what follows", why=f"comes after {_MOST_MEMBERS:,} members")
            return
        yield Member(name=distinct(one.name, taken), data=one.data) if isinstance(one, Member) else one


def _packed_members(source: Source, wanted: Callable[[str], bool]) -> Iterator[Member | Passed]:
    """The one file that is packed here, or the members of a tar."""
    stream = opened(source.data, source.budget.total_bytes)
    begin = stream.look(512)
    if begin.strip(b"\0") and is_tar(begin):
        yield from tape_members(stream, source.budget, wanted)
        return
    path = PurePosixPath(source.name.replace("\\", "/")).name
    name = _ENDING.sub("", path) or path
    data = source.budget.unpack(cast("IO[bytes]", stream), name)
    if stream.broken and not data:
        raise Unreadable(f"is damaged ({stream.broken})")
    yield Member(name=name, data=data)
    if stream.broken:
        yield Passed(name=name, why=f"is damaged after its first {len(data):,} bytes ({stream.broken}), which are read")
