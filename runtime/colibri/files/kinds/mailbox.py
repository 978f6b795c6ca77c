"""The messages of a mailbox in one file (mbox), as its lines tell them apart."""

import re
from collections.abc import Iterator

_FROM = re.compile(rb"From [^\r\n]*", re.MULTILINE)
_DATE = re.compile(rb"From .*\b\d{1,2}:\d\d(?::\d\d)?\b.*\d{4}")
_HEADER = re.compile(rb"\r?\n(?:>?From |[!-9;-~]+[ \t]*:)")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mailbox(data: bytes) -> bool:
    """Whether a mailbox begins here: a line "From ", and a header in the next."""
    start = _start(data)
    line = _FROM.match(data, start)
    return line is not None and _HEADER.match(data, line.end()) is not None


def split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each message with the line that it begins in. ">From " in a text is "From " again.

    A line "From " begins a message after an empty line, where it ends in a date, or a header comes next: in texts that
    nobody quoted the words stand too.
    """
    starts = [_start(data)]
    for found in _FROM.finditer(data, starts[0]):
        at = found.start()
        if (
            at > starts[0]
            and _empty_before(data, at)
            and (_DATE.match(found[0][:200]) or _HEADER.match(data, found.end()))
        ):
            starts.append(at)
    line, counted = 1, 0
    for at, end in zip(starts, [*starts[1:], len(data)], strict=True):
        line, counted = line + data.count(b"\n", counted, at), at
        begin = data.find(b"\n", at, end) + 1
        yield line, _QUOTED.sub(rb"\1", data[begin:end] if begin else b"")


def _start(data: bytes) -> int:
    found = re.compile(rb"(?:\xef\xbb\xbf)?\s*").match(data)
    return found.end() if found else 0


def _empty_before(data: bytes, at: int) -> bool:
    before = data[max(at - 4, 0) : at].replace(b"\r", b"")
    return before.endswith(b"\n\n") or before == b"\n"
