"""Paragraphs and rows of RTF as they come, and the text they make."""

import re
from collections.abc import Sequence

from colibri.files.text import Builder, FileText

_BULLETS = re.compile("[\uf000-\uf0ff]")  # letters of Symbol and Wingdings: in texts they are bullets and arrows
_BLANKS = re.compile(r"(?<! ) *+\n *")  # from the first blank of a run on: each of a million is not tried


class Flow:
    """What one story of a document says: its body, a note, a header."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._done: list[tuple[str, int | None, bool]] = []

    def add(self, text: str) -> None:
        self._parts.append(text)

    def end(self, level: int | None, *, row: bool = False) -> None:
        """A paragraph ends here. level: of a heading, from 0; row: it is one of a table."""
        text = "".join(self._parts)
        self._parts.clear()
        # Halves of a pair are two words of RTF; a half that stayed alone is no character.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore").replace("\0", "")
        text = _BULLETS.sub("•", _BLANKS.sub("\n", text))
        self._done.append((text.strip(" \n").rstrip("\t") if row else text.strip().replace("•\t", "• "), level, row))

    def paragraphs(self) -> Sequence[tuple[str, int | None, bool]]:
        """Text, level of the heading if it is one, whether it is a row of a table."""
        if self._parts:
            self.end(None)
        return [one for one in self._done if one[0].strip()]

    def text(self) -> str:
        return " ".join(text for text, _, _ in self.paragraphs())


def composed(
    body: Flow, asides: Sequence[Flow], facts: dict[str, Flow], times: dict[str, list[int]], remarks: Sequence[str]
) -> FileText:
    """The body with a place for each heading; then headers, notes and boxes, each once."""
    builder = Builder()
    path: list[tuple[int, str]] = []
    before = ""
    for text, level, row in body.paragraphs():
        if level is not None and level < 9 and not row:
            path = [one for one in path if one[0] < level] + [(level, " ".join(text.split()))]
            builder.place(" > ".join(title for _, title in path))
        kind = "row" if row else "item" if text.startswith("• ") else ""
        (builder.line if kind and kind == before else builder.block)(text)
        before = kind
    said = set()
    for aside in asides:
        for text, _, row in aside.paragraphs():
            if text not in said:
                said.add(text)
                (builder.line if row else builder.block)(text)
    for remark in remarks:
        builder.remark(remark)
    named = {name: flow.text().strip() or None for name, flow in facts.items()}
    return builder.done(**named, **{name: _iso(parts) for name, parts in times.items()})


def _iso(parts: Sequence[int]) -> str | None:
    year, month, day, hour, minute, second = parts
    if not (0 < year < 10_000 and 0 < month < 13 and 0 < day < 32):
        return None
    clock = f"T{hour:02}:{minute:02}:{second:02}" if hour < 24 and minute < 60 and second < 60 else ""
    return f"{year:04}-{month:02}-{day:02}{clock}"
