"""Numbers of headings and lists of OpenDocument, which are counted and not stored: "4.2", "(a)".

Taken: text:list-style and text:outline-style with the style:num-format, style:num-prefix, style:num-suffix,
text:display-levels and text:start-value of their levels; text:list, text:list-item with its text:start-value,
text:continue-numbering; style:list-style-name where a heading's style turns numbers off. Left: bullets,
text:list-header. A text:number that a file stores is shown instead of a count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from colibri.files.kinds.office.docx_lists import Level, Numbers
from colibri.files.kinds.office.docx_numbers import Counter
from colibri.files.kinds.office.odf_text import count

_OUTLINE = "\0outline"  # no style:name
_FORMS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman", "": "none"}
_STYLES = frozenset({"text:list-style", "text:outline-style"})
_LEVELS = frozenset({"text:list-level-style-number", "text:outline-level-style"})
_DEEPEST = 10  # levels of a list
_LONGEST = 20  # characters before and after a number


@dataclass
class _Styles:
    lists: dict[str, dict[int, Level]] = field(default_factory=dict)

    def numbers(self, style: str) -> Numbers | None:
        levels = self.lists.get(style)
        return None if levels is None else Numbers(style, levels, {})


class Lists:
    """Told of styles and lists as they come; asked for the number of each paragraph."""

    NAMES = _STYLES | _LEVELS | {"text:list", "text:list-item", "text:list-header", "style:style"}

    def __init__(self) -> None:
        self._styles = _Styles()
        self._counter = Counter(self._styles)
        self._reading = ""
        self._unnumbered: set[str] = set()
        self._open: list[str] = []
        self._due = False

    def start(self, tag: str, about: Mapping[str, str]) -> None:
        if tag in _STYLES:
            self._reading = about.get("style:name", "") if tag == "text:list-style" else _OUTLINE
            self._styles.lists[self._reading] = {}
        elif tag in _LEVELS:
            levels = self._styles.lists.setdefault(self._reading, {})
            levels[min(count(about.get("text:level")), _DEEPEST) - 1] = _level(about)
        elif tag == "style:style":
            parent_off = about.get("style:parent-style-name") in self._unnumbered
            if about.get("style:list-style-name", "" if parent_off else "on") == "":
                self._unnumbered.add(about.get("style:name", ""))
        elif tag == "text:list":
            style = about.get("text:style-name", self._open[-1] if self._open else "")
            if not self._open and about.get("text:continue-numbering") != "true":
                self._counter.restart(style)
            self._open.append(style)
        else:
            self._due = tag == "text:list-item"
            if self._open and "text:start-value" in about:
                self._counter.set(self._open[-1], len(self._open) - 1, count(about["text:start-value"]))

    def end(self, tag: str) -> None:
        if tag == "text:list":
            self._open.pop()

    def number(self, heading: bool, about: Mapping[str, str]) -> str:
        """Of the paragraph that ends now: the first of its item, or a heading."""
        due, self._due = self._due, False
        if self._open and self._open[-1] in self._styles.lists:
            return self._counter.next(self._open[-1], len(self._open) - 1, "") if due else ""
        off = about.get("text:is-list-header") == "true" or about.get("text:style-name") in self._unnumbered
        return (
            "" if off or not heading else self._counter.next(_OUTLINE, count(about.get("text:outline-level")) - 1, "")
        )


def _level(about: Mapping[str, str]) -> Level:
    at = min(count(about.get("text:level")), _DEEPEST) - 1
    shown = range(max(at + 1 - count(about.get("text:display-levels")), 0), at + 1)
    form = about.get("style:num-format", "")
    before, after = about.get("style:num-prefix", ""), about.get("style:num-suffix", "")
    text = ".".join(f"%{one + 1}" for one in shown if one < 9)
    return Level(
        start=count(about.get("text:start-value")),
        form=_FORMS.get(form, "decimal"),
        text=f"{before[:_LONGEST]}{text}{after[:_LONGEST]}" if form else "",
        legal=False,
        restarts=at,
        style="",
    )
