"""Matched characters of a result shown: as HTML with <mark>, or as Markdown in bold. It needs no framework.

    from colibri.compat.highlighting import highlighted

    found = document.metadata["colibri"]["matches"]      # of a retriever or reranker of LangChain, LlamaIndex, Haystack
    highlighted(document.page_content, found)            # 'Berlin has <mark data-strength="1">3.7 million</mark> ...'
    highlighted(document.page_content, found, "markdown")

The text is data: whatever markup stands in it comes out as the characters that it is.
"""

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from colibri.errors import InputError, InputTypeError

__all__ = ["Form", "highlighted"]

Form = Literal["html", "markdown"]

# What HTML and XML have no character for, and UTF-8 no bytes: shown as the replacement character, one for one.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# Four blanks begin a block of code, in which no backslash escapes, and two or more before a line's end break it.
_EDGES_OF_LINES = re.compile(r"(?:\A|(?<=[\r\n]))[ \t]+(?=[^ \t\r\n])|(?<=[^ \t\r\n])[ \t]+(?=[\r\n]|\Z)")


class _Mark(NamedTuple):
    start: int
    end: int
    strength: float


def highlighted(text: str, matches: Sequence[Mapping[str, Any]], form: Form = "html", *, least: float = 0.0) -> str:
    """A result's text with its matched characters marked, everything else escaped.

    text     the result's: LangChain's `page_content`, a LlamaIndex node's `text`, Haystack's `content`
    matches  its `metadata["colibri"]["matches"]` (Haystack: `meta`): mappings with `start`, `end` (characters of
             `text`) and `strength` (0 to 1), in any order. Those that overlap become one, of the greater strength
    form     "html": <mark data-strength="0.83"> and entities, for an element's content; line breaks stay line breaks,
             which `white-space: pre-wrap` shows. "markdown": ** and backslashes, as CommonMark has them; white space
             and punctuation at a match's ends, beside which ** would stay two asterisks, is left out of the bold
    least    strength that a match needs to be marked

    Characters that neither form can hold (controls, lone surrogates) become U+FFFD. Raises InputTypeError for what is
    no text, no list of matches or no number, InputError for matches that lie beyond the text, another form, and a
    `least` or a strength that is not from 0 to 1.
    """
    if not isinstance(text, str):
        raise InputTypeError(f"text: found {type(text).__name__}, wanted the result's text")
    if form not in get_args(Form):
        raise InputError(f"form: found {form!r}, wanted {' or '.join(map(repr, get_args(Form)))}")
    floor = _share("least", least)
    if not isinstance(matches, Sequence) or isinstance(matches, str | bytes):
        raise InputTypeError(f"matches: found {type(matches).__name__}, wanted metadata['colibri']['matches']")
    marks = [_checked(one, f"matches[{i}]", len(text)) for i, one in enumerate(matches)]
    kept = _apart(sorted(mark for mark in marks if mark.strength >= floor and mark.end > mark.start))
    shown = _UNSHOWABLE.sub("\ufffd", text)
    return _html(shown, kept) if form == "html" else _markdown(shown, kept)


def _share(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputTypeError(f"{name}: found {type(value).__name__}, wanted a number from 0 to 1")
    if not 0 <= value <= 1:
        raise InputError(f"{name}: found {value!r}, wanted a number from 0 to 1")
    return value


def _checked(one: object, where: str, length: int) -> _Mark:
    if not isinstance(one, Mapping) or not {"start", "end", "strength"} <= one.keys():
        raise InputTypeError(f"{where}: found {one!r:.80}, wanted a mapping with start, end and strength")
    start, end = one["start"], one["end"]
    if any(isinstance(at, bool) or not isinstance(at, int) for at in (start, end)):
        raise InputTypeError(f"{where}: found characters {start!r} to {end!r}, wanted whole numbers")
    if not 0 <= start <= end <= length:
        raise InputError(
            f"{where}: characters {start} to {end} of a text of {length:,}; wanted the text of the very result that "
            "the matches came with"
        )
    return _Mark(start, end, _share(f"{where}.strength", one["strength"]))


def _apart(marks: Sequence[_Mark], *, touching: bool = False) -> list[_Mark]:
    """Marks in order, those that overlap as one; `touching`: also where one begins at the other's end."""
    kept: list[_Mark] = []
    for mark in marks:
        if kept and mark.start < kept[-1].end + touching:
            last = kept[-1]
            kept[-1] = _Mark(last.start, max(last.end, mark.end), max(last.strength, mark.strength))
        else:
            kept.append(mark)
    return kept


def _html(text: str, marks: Sequence[_Mark]) -> str:
    parts, at = [], 0
    for start, end, strength in marks:
        parts.append(html.escape(text[at:start]))
        parts.append(f'<mark data-strength="{strength:.2g}">{html.escape(text[start:end])}</mark>')
        at = end
    return "".join([*parts, html.escape(text[at:])])


def _markdown(text: str, marks: Sequence[_Mark]) -> str:
    blanks = [range(*found.span()) for found in _EDGES_OF_LINES.finditer(text)]
    entities = {at: f"&#{ord(text[at])};" for blank in blanks for at in blank}

    def plain(start: int, end: int) -> str:
        return "".join(entities.get(at) or _PUNCTUATION.sub(r"\\\1", text[at]) for at in range(start, end))

    parts, at = [], 0
    # Two pairs of asterisks that touch are four, which mean something else.
    for mark in _apart([inner for one in marks for inner in _bold(text, one)], touching=True):
        parts += [plain(at, mark.start), "**", plain(mark.start, mark.end), "**"]
        at = mark.end
    return "".join([*parts, plain(at, len(text))])


def _bold(text: str, mark: _Mark) -> list[_Mark]:
    """A mark's lines without what asterisks may not stand beside: CommonMark's flanking delimiter runs."""
    found = []
    for line in re.finditer(r"[^\r\n]+", text[mark.start : mark.end]):
        start, end = mark.start + line.start(), mark.start + line.end()
        while start < end and _repels(text[start]):
            start += 1
        while end > start and _repels(text[end - 1]):
            end -= 1
        if end > start:
            found.append(_Mark(start, end, mark.strength))
    return found


def _repels(character: str) -> bool:
    return unicodedata.category(character)[0] in "PSZC"
