"""The headings that stand over a part of a text, as a path: "Kettle > Care > Descaling"."""

_LONGEST = 80  # characters of one heading in a label


class Headings:
    """The open headings by their level. Levels may be skipped, and need not begin with 1."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> str:
        """A heading begins; returns the label of what follows it."""
        self.leave(level)
        title = " ".join(title.split())
        if title:
            self._open.append((level, title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1].rstrip()}…"))
        return self.label

    def leave(self, level: int) -> str:
        """What is under headings of this level and deeper ends; returns the label of what follows."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        return self.label

    @property
    def label(self) -> str:
        """What stands over the text here, "" for nothing."""
        return " > ".join(title for _, title in self._open)
