"""A text of LaTeX and a place in it: groups, options and single letters are taken from there."""

import re

# In an address a percent sign begins no comment.
_BRACE = re.compile(r"\\(?:url|path|nolinkurl|href)[ \t]*(\{[^{}\n]*\})|\\.|[{}]|%[^\n]*", re.DOTALL)
_GROUP = re.compile(r"[ \t]*\n?[ \t]*\{")
_OPTION = re.compile(r"[ \t]*\[((?:[^\[\]{}\n]|\{[^{}]*\}|\n(?!\s*\n))*+)\]")
_COMMAND = re.compile(r"\s{0,9}\\[A-Za-z@]+")
_LETTER = re.compile(r"[ \t]*(?:\\([ij])\b[ \t]*|([^\s\\{}]))")

Span = tuple[int, int]
"""Where a text begins and ends."""


class TexSource:
    """Moves on from `at` with each thing that is taken."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._closing = _closing(text)
        self._absent: dict[str, int] = {}

    def group(self) -> Span | None:
        """The text of the group in braces that begins here, perhaps on the next line."""
        begin = _GROUP.match(self.text, self.at)
        end = self._closing.get(begin.end() - 1) if begin else None
        if begin is None or end is None:
            return None
        self.at = end + 1
        return begin.end(), end

    def option(self) -> Span | None:
        """The text of the option in brackets that begins here."""
        found = _OPTION.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found.span(1)

    def letter(self) -> str:
        """A letter outside of braces, or one without its dot."""
        return self.match(_LETTER, 1) or self.match(_LETTER, 2)

    def match(self, pattern: re.Pattern[str], number: int = 0) -> str:
        """What a pattern matches here, "" for nothing."""
        found = pattern.match(self.text, self.at)
        if found is None or found[number] is None:
            return ""
        self.at = found.end()
        return found[number]

    def drop(self, arguments: int) -> None:
        """Pass over so many arguments, and the options before and between them."""
        for _ in range(arguments):
            while self.option():
                continue
            if not self.group():
                self.match(_COMMAND)

    def until(self, mark: str, most: int) -> str | None:
        """The text up to a mark that comes within so many characters, which is passed over too."""
        # What was looked at in vain is not looked at again: marks may be opened by the thousand and never closed.
        end = self.text.find(mark, max(self.at, self._absent.get(mark, 0)), self.at + most)
        if end < 0:
            self._absent[mark] = self.at + most - len(mark)
            return None
        start, self.at = self.at, end + len(mark)
        return self.text[start:end]


def _closing(text: str) -> dict[int, int]:
    """Where the brace stands that closes each one; none for those that are never closed."""
    closing, opened = {}, []
    for found in _BRACE.finditer(text):
        if found[1]:
            closing[found.start(1)] = found.end(1) - 1
        elif found[0] == "{":
            opened.append(found.start())
        elif found[0] == "}" and opened:
            closing[opened.pop()] = found.start()
    return closing
