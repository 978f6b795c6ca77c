"""Where in its file a hit stands: "report.pdf p. 14", "budget.xlsx Costs!B7", "notes.md:12", "faq.jsonl:12"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from colibri.files.text import Place

if TYPE_CHECKING:
    from colibri.index import Hit, PassageHit

LONGEST = 4 << 20
"""Characters that packed places may take in a payload."""


@dataclass(frozen=True, kw_only=True)
class HitPlace:
    """Where a hit stands.

    name   its file, and after a # the document in it
    line   from 1, where the text has the file's lines, or where its row begins
    label  what else a person would look up, "p. 14"; "" nothing
    """

    name: str
    line: int | None = None
    label: str = ""

    def __str__(self) -> str:
        """As it is shown."""
        line = "" if self.line is None else f":{self.line}"
        return f"{self.name}{line} {self.label}".rstrip()


def place(hit: "Hit") -> HitPlace:
    """Where what is shown of it stands: what best answers the query, as far as the hit was explained, in
    `shown_passage`; else where that begins."""
    file = (hit.payload or {}).get("file")
    if not isinstance(file, Mapping):
        return HitPlace(name=hit.id)
    if _is_row(hit, file):
        path, within = file.get("path", hit.id), file.get("within")
        return HitPlace(name=f"{path}#{within}" if within else path, line=file["line"])
    passage = shown_passage(hit)
    if passage is None or hit.text is None or passage.end <= passage.start:  # words about it alone
        return HitPlace(name=hit.id)
    places = unpacked(file.get("places"))
    at = best_character(hit.text, passage, places)
    label = label_at(places, at)
    if not file.get("verbatim"):
        return HitPlace(name=hit.id, label=label)
    return HitPlace(name=hit.id, line=hit.text.count("\n", 0, at) + 1, label=label)


def numbers_lines(hit: "Hit") -> bool:
    """Whether the lines of its text are its file's, so that each has its number; those of a row or a message are not,
    wherever in the file it begins."""
    file = (hit.payload or {}).get("file")
    return isinstance(file, Mapping) and bool(file.get("verbatim")) and not _is_row(hit, file)


def _is_row(hit: "Hit", file: Mapping[str, Any]) -> bool:
    """Whether it is a row or a message of its file; without a # it is the one message of a file."""
    return isinstance(file.get("line"), int) and "#" in hit.id


def shown_passage(hit: "Hit") -> "PassageHit | None":
    """The best passage that is part of the text, if there is one: words about a document have nothing to show."""
    return next((one for one in hit.passages if one.end > one.start), next(iter(hit.passages), None))


def best_character(text: str, passage: "PassageHit", places: Sequence[Place] = ()) -> int:
    """A character of the line that most of the passage's score comes from; its beginning without explanations.

    A line ends where a place does, too.
    """
    sums: dict[int, float] = {}
    borders = {one.start for one in places if passage.start < one.start < passage.end}
    for match in passage.matches:
        if match.query.end <= match.query.start or match.weight <= 0:
            continue
        lines = {
            max([text.rfind("\n", 0, start) + 1, *(border for border in borders if border <= start)])
            for start, _ in match.answers
        }
        for line in lines:
            sums[line] = sums.get(line, 0.0) + match.weight / len(lines)
    best = min(sums, key=lambda line: (-sums[line], line), default=passage.start)
    return max(best, passage.start)


def label_at(places: Sequence[Place], at: int) -> str:
    """What stands over a character of the text."""
    return next((one.label for one in reversed(places) if one.start <= at), "")


def packed(places: Sequence[Place]) -> str | None:
    """Places as they lie in a payload: a line each, how far after the one before, how much of its label is the same,
    and the rest of the label. A workbook has one a cell. None: too many to keep."""
    lines, length, before, label = [], 0, 0, ""
    for one in places:
        own = " ".join(one.label.split())
        same = _common(label, own)
        lines.append(f"{one.start - before} {same} {own[same:]}")
        length += len(lines[-1]) + 1
        if length > LONGEST:
            return None
        before, label = one.start, own
    return "\n".join(lines)


def unpacked(text: Any) -> list[Place]:
    """The places; none for what `packed` did not make."""
    found: list[Place] = []
    start, label = 0, ""
    for line in text.split("\n") if isinstance(text, str) and text else ():
        gap, _, rest = line.partition(" ")
        same, _, rest = rest.partition(" ")
        if not (gap.isdecimal() and same.isdecimal()):
            return []
        start += int(gap)
        label = label[: int(same)] + rest
        found.append(Place(start, label))
    return found


def _common(one: str, other: str) -> int:
    """How many characters they share at the beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
