"""Members of tar archives, read from front to back, so that what is packed is unpacked once and nothing is kept."""

import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from typing import IO, cast

from colibri.files.kinds.names import label, left_out, no_document, texts_of
from colibri.files.kinds.packed import Packed
from colibri.files.source import Budget
from colibri.files.text import Member, Passed, Unreadable

_BLOCK = 512
_BROKEN = (tarfile.TarError, ValueError, OSError, EOFError)


def is_tar(data: bytes) -> bool:
    """Whether a tar begins here: by its mark, by the checksum of the first header, or as an empty one."""
    block = data[:_BLOCK]
    if len(block) < _BLOCK:
        return False
    if block[257:262] == b"ustar" or not block.strip(b"\0"):
        return True
    try:
        return bool(tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape").name)
    except _BROKEN:
        return False


def tape_members(stream: Packed, budget: Budget, wanted: Callable[[str], bool]) -> Iterator[Member | Passed]:
    """Files in a tar. What is no entry between two is named by the entry before it."""
    counted: Counter[str] = Counter()
    before, expected = "the beginning", 0
    try:
        # Damaged headers are passed over like the zeros between archives put together; found again below by the gap.
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", ignore_zeros=True, bufsize=64 << 10) as tape:
            while (entry := tape.next()) is not None:
                tape.members.clear()  # type: ignore[attr-defined]
                if entry.offset > expected and not stream.empty_between(expected, entry.offset):
                    yield Passed(name=f"after {before}", why=f"{entry.offset - expected:,} bytes are damaged")
                before, expected = _name(entry), tape.offset
                if what := no_document(before, entry.issym() or entry.islnk(), entry.isdev()):
                    counted[what] += 1
                elif entry.isreg() and wanted(before):
                    yield _member(tape, entry, before, budget)
                    if budget.used_bytes > budget.total_bytes:
                        return
    except Unreadable as error:
        yield Passed(name=f"after {before}", why=str(error))
        return
    except _BROKEN as error:
        yield Passed(name=f"after {before}", why=f"the archive is damaged ({stream.broken or error})")
        return
    if stream.broken or stream.data_end > expected:
        yield Passed(name=f"after {before}", why=f"the archive is damaged ({stream.broken or 'no entry'})")
    yield from left_out(counted)


def _member(tape: tarfile.TarFile, entry: tarfile.TarInfo, name: str, budget: Budget) -> Member | Passed:
    if entry.size > budget.part_bytes:
        return Passed(name=name, why=f"unpacks to more than {budget.part_bytes >> 20} MB")
    file = tape.extractfile(entry)
    if file is None:
        return Passed(name=name, why="is no file")
    try:
        data = budget.unpack(file, name)
    except Unreadable as error:
        return Passed(name=name, why=str(error).removeprefix(f"{name} "))
    if len(data) < entry.size:
        return Passed(name=name, why="is cut off")
    return Member(name=name, data=data)


def _name(entry: tarfile.TarInfo) -> str:
    """An entry's name: tarfile keeps what is not UTF-8 as halves of surrogate pairs."""
    try:
        return label(entry.name.encode().decode())
    except UnicodeEncodeError:
        return label(texts_of([entry.name.encode("utf-8", "surrogateescape")])[0])
