"""Headings of texts that mark them by signs: Markdown, reStructuredText, org and AsciiDoc."""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Heading(NamedTuple):
    """line: where it begins, from 0."""

    line: int
    level: int
    title: str


_LONGEST = 1_000  # characters of a line that can be a heading: a paragraph in one line is none
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_FENCE = re.compile(r"(?:[ \t]|>|[-*+][ \t]|\d{1,9}[.)][ \t]){0,9}(`{3,}|~{3,})([^\n]*)")
_NO_PARAGRAPH = re.compile(r" {4}|\t| {0,3}(?:[-*+>|]|\d{1,9}[.)][ \t]|<)")
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?")
_LINK = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\[[^\]]*\])?")
_MARKS = re.compile(r"\*{1,3}|`+|~~|(?<!\w)__?|__?(?!\w)|<[^<>]{1,200}>|\\(?=[!-/:-@[-`{-~])|\s\{[#.][^{}]*\}$")
_RULED = re.compile(r"([!-/:-@\[-`{-~])\1*\s*")
_ORG_STATE = r"(?:TO[D]O|DONE|NEXT|WAITING|HOLD|CANCELL?ED|STARTED|SOMEDAY)[ \t]+"
_ORG = re.compile(rf"(\*+)[ \t]+(?:{_ORG_STATE})?(?:\[#[A-Z0-9]\][ \t]*)?(.*?)(?:[ \t]+:[\w@#%:]+:)?[ \t]*")
_ASCIIDOC = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*?)(?:[ \t]+\1)?[ \t]*")
_DELIMITER = re.compile(r"(-{4,}|\.{4,}|`{3,}|/{4,}|\+{4,}|_{4,})[\w,-]*[ \t]*")


def markdown(lines: list[str]) -> Iterator[Heading]:
    """`# ATX` and underlined headings outside of code, comments and front matter (CommonMark 0.31, 4.2 and 4.3)."""
    fence = ""
    paragraph: int | None = None  # where the paragraph began that the last line belongs to
    comment = False
    for number, line in enumerate(lines):
        if comment:
            comment = "-->" not in line
            continue
        found = _FENCE.match(line)
        if fence:
            fence = "" if found and found[1].startswith(fence) and not found[2].strip() else fence
            continue
        if found and not (found[1][0] == "`" and "`" in found[2]):
            fence, paragraph = found[1], None
        elif line.lstrip().startswith("<!--") and "-->" not in line:
            comment, paragraph = True, None
        elif len(line) <= _LONGEST and (heading := _ATX.fullmatch(line)):
            paragraph = None
            yield Heading(number, len(heading[1]), _spoken(heading[2] or ""))
        elif paragraph is not None and (under := _SETEXT.fullmatch(line)):
            yield Heading(
                paragraph, 1 if under[1][0] == "=" else 2, _spoken(" ".join(lines[paragraph:number])[:_LONGEST])
            )
            paragraph = None
        elif not line.strip() or _NO_PARAGRAPH.match(line):
            # A list's or a quote's lines may run on without a mark: what follows them is no heading's first line.
            paragraph = None
        elif paragraph is None and (number == 0 or not _NO_PARAGRAPH.match(lines[number - 1])):
            paragraph = number


def restructured(lines: list[str]) -> Iterator[Heading]:
    """Titles under (and over) a line of punctuation; levels in the order in which their signs first come."""
    levels: list[tuple[str, bool]] = []
    for number in range(1, len(lines)):
        title, under = lines[number - 1], _RULED.fullmatch(lines[number])
        width = len(lines[number].rstrip())
        if (
            not under
            or not title.strip()
            or len(title) > _LONGEST
            or width < 3
            or width < len(title.strip())
            or _RULED.fullmatch(title)
        ):
            continue
        over = number > 1 and lines[number - 2].rstrip() == lines[number].rstrip()
        if (title[0].isspace() and not over) or (number > 1 and not over and lines[number - 2].strip()):
            continue
        if (under[1], over) not in levels:
            levels.append((under[1], over))
        yield Heading(number - 1 - over, levels.index((under[1], over)) + 1, " ".join(title.split()).replace("`", ""))


def org(lines: list[str]) -> Iterator[Heading]:
    """Stars at the start of a line, outside of blocks."""
    block = False
    for number, line in enumerate(lines):
        word = line.strip().lower()
        block = (block or word.startswith(("#+begin_src", "#+begin_example"))) and not word.startswith("#+end_")
        if not block and line.startswith("*") and len(line) <= _LONGEST and (found := _ORG.fullmatch(line)):
            yield Heading(number, len(found[1]), _spoken(found[2]))


def asciidoc(lines: list[str]) -> Iterator[Heading]:
    """`= Title`, `== Section`, outside of delimited blocks."""
    block = ""
    for number, line in enumerate(lines):
        if found := _DELIMITER.fullmatch(line):
            block = "" if block == found[1] else block or found[1]
        elif not block and len(line) <= _LONGEST and (heading := _ASCIIDOC.fullmatch(line)):
            yield Heading(number, len(heading[1]), _spoken(heading[2]))


def _spoken(title: str) -> str:
    """A heading without the signs of its markup."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", _IMAGE.sub("", title))).split())
