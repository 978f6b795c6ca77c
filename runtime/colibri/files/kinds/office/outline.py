"""The headings above a place, as one label: "1 Rent > Deposit"."""

_HEADING_CHARACTERS = 60  # a label stands beside a file's name on one line
_LABEL_CHARACTERS = 160
_DEEPEST = 10  # OpenDocument's last level; Word's is 9


class Outline:
    """Headings from the outermost to the one that was met last."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def path(self, level: int, heading: str) -> str:
        """The label of what follows this heading. level: from 1."""
        words = " ".join(heading.split())
        if len(words) > _HEADING_CHARACTERS:
            words = words[: _HEADING_CHARACTERS - 1].rstrip() + "…"
        level = max(1, min(level, _DEEPEST))
        self._open = [one for one in self._open if one[0] < level] + [(level, words)]
        label = " > ".join(text for _, text in self._open)
        return label if len(label) <= _LABEL_CHARACTERS else f"…{label[1 - _LABEL_CHARACTERS :]}"
