"""Numbers of headings and lists, which Word counts and does not store: "4.2", "(a)", "第一条". Bullets are left."""

import re
from typing import Protocol

from colibri.files.kinds.office.docx_lists import Level, Numbers
from colibri.files.kinds.office.docx_numerals import numeral

_COUNT = re.compile(r"%([1-9])")


class Known(Protocol):
    """The lists of a document."""

    def numbers(self, number_id: str, /) -> Numbers | None: ...


class Counter:
    """Counts the paragraphs of one part, in their order."""

    def __init__(self, numbering: Known) -> None:
        self._numbering = numbering
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[str] = set()

    def restart(self, list_id: str) -> None:
        """The next paragraph of a list is its first again."""
        self._counts.pop(list_id, None)

    def set(self, list_id: str, at: int, number: int) -> None:
        """The next paragraph on a level has this number."""
        self._counts.setdefault(list_id, {})[at] = number - 1

    def next(self, number_id: str, at: int | None, style: str) -> str:
        """The number of a paragraph; "" for a bullet. at: its level, where it says one; else its style tells."""
        numbers = self._numbering.numbers(number_id)
        if numbers is None:
            return ""
        if at is None:
            at = next((one for one, level in numbers.levels.items() if style and level.style == style), 0)
        level = numbers.levels.get(at)
        if level is None:
            return ""
        counts = self._counts.setdefault(numbers.list_id, {})
        if number_id not in self._begun:
            self._begun.add(number_id)
            counts |= {one: start - 1 for one, start in numbers.starts.items()}
        counts |= {one: other.start for one, other in numbers.levels.items() if one < at and one not in counts}
        counts[at] = counts.get(at, level.start - 1) + 1
        for deeper in [one for one in counts if one > at]:
            if deeper not in numbers.levels or at < numbers.levels[deeper].restarts:
                del counts[deeper]
        return "" if level.form == "bullet" else _shown(level, numbers.levels, counts)


def _shown(level: Level, levels: dict[int, Level], counts: dict[int, int]) -> str:
    def count(found: re.Match[str]) -> str:
        at = int(found[1]) - 1
        other = levels.get(at, level)
        form = "decimal" if level.legal else other.form
        return "" if other.form in {"none", "bullet"} else numeral(counts.get(at, other.start), form)

    return _COUNT.sub(count, level.text).strip()
