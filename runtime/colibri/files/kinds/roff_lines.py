"""The lines of a manual page, its requests apart: conditions decided, strings and macros of the page put in."""

import re
from dataclasses import dataclass, field

from colibri.files.kinds.roff import STRINGS, arguments, printed

_REQUEST = re.compile(r"[.'][ \t]*((?:[^\s\\]|\\\*)[^\s\\]{0,30})?[ \t]*(.*)")
_ARGUMENT = re.compile(r"\\{1,2}\$([1-9]|\*|@)")
_TRUE = re.compile(r"[ \t]*(?:n|!t|\\n\(\.g|\\n\[\.g\]|1)(?=\s|\\\{|$)[ \t]*")
_SAME = re.compile(r"[ \t]*(!?)(['\"])((?:(?!\2)[^\n]){0,200})\2((?:(?!\2)[^\n]){0,200})\2[ \t]*")
_CONDITIONS = frozenset({"if", "ie", "el", "while"})
_OWN = frozenset({"TH", "SH", "SS", "Dt", "Sh", "Ss", "TP", "IP", "PP", "B", "I"})  # that no page may define otherwise
_LONGEST_STRING = 10_000
_MOST_LINES = 200_000  # that macros of a page may become


@dataclass(frozen=True)
class Line:
    """A line of text, or a request with its words. glued: what follows stands behind the text without a blank."""

    text: str = ""
    request: str | None = None
    words: list[str] = field(default_factory=list)
    glued: bool = False


class RoffLines:
    """Gives one line after another. remarks: what was not run."""

    def __init__(self, lines: list[str]) -> None:
        self.remarks: list[str] = []
        self._lines = lines[::-1]
        self._strings = dict(STRINGS)
        self._macros: dict[str, list[str]] = {}
        self._taken = True  # whether the last .ie was
        self._blocks: list[bool] = []
        self._run = 0

    def next(self) -> Line | None:
        """The next line or request that is not done here, None at the end."""
        while self._lines:
            line = self._lines.pop()
            # A backslash at the end of a line joins it with the next one.
            while line.endswith("\\") and not line.endswith("\\\\") and self._lines:
                line = line[:-1] + self._lines.pop()
            found = _REQUEST.fullmatch(line) if line[:1] in {".", "'"} else None
            if found and found[1] in _CONDITIONS:
                self._condition(found[1], found[2])
                continue
            self._close(line.count("\\}"))
            if found is None:
                return Line(text=printed(line, self._strings), glued=line.endswith("\\c"))
            if not self._done(found[1] or "", found[2]):
                return Line(request=found[1] or "", words=[printed(one, self._strings) for one in arguments(found[2])])
        return None

    def until(self, end: str) -> list[str]:
        """The lines before the request that ends a table, a formula or a picture, as they are."""
        last = re.compile(rf"[.'][ \t]*{end}\b.*")
        lines: list[str] = []
        while self._lines and not last.fullmatch(line := self._lines.pop()):
            lines.append(line)
        return lines

    def printed(self, text: str) -> str:
        """What a part of such a line prints."""
        return printed(text, self._strings)

    def _done(self, name: str, rest: str) -> bool:
        """Do a request that only changes what comes later. Returns whether it was one."""
        if name in self._macros:
            self._call(name, rest)
        elif name in {"de", "de1", "am", "am1", "ig"}:
            self._define(name, rest)
        elif name in {"ds", "as"}:
            key, _, value = rest.partition(" ")
            value = printed(value.lstrip().removeprefix('"'), self._strings)
            self._strings[key] = ((self._strings.get(key, "") if name == "as" else "") + value)[:_LONGEST_STRING]
        elif name == "als":
            new, old = [*rest.split(), "", ""][:2]
            self._macros[new] = self._macros.get(old, [f".{old} \\$@"])
        else:
            return False
        return True

    def _call(self, name: str, rest: str) -> None:
        given = arguments(rest)
        self._run += len(self._macros[name]) + 1
        if self._run > _MOST_LINES:
            self.remarks.append("macros of the page come to too much and are not run to their end")
            self._macros.clear()
            return

        def argument(found: re.Match[str]) -> str:
            if found[1] in "*@":
                return " ".join(given)
            return given[int(found[1]) - 1] if int(found[1]) <= len(given) else ""

        body = self._macros[name]
        self._lines += [_ARGUMENT.sub(argument, line).replace("\\\\", "\\") for line in reversed(body)]

    def _define(self, name: str, rest: str) -> None:
        words = arguments(rest)
        end = re.compile(rf"[.'][ \t]*{re.escape(words[1]) if len(words) > 1 and name != 'ig' else '[.]'}(?:[ \t].*)?")
        body: list[str] = []
        while self._lines and not end.fullmatch(line := self._lines.pop()):
            body.append(line)
        if words and name.startswith("de") and words[0] not in _OWN:
            itself = re.compile(rf"[.'][ \t]*{re.escape(words[0])}(?![\w-])")
            # One that calls itself would have to be stopped.
            self._macros[words[0]] = [line for line in body if not itself.match(line)]

    def _condition(self, name: str, rest: str) -> None:
        """Lines for a terminal are taken, those for a printer, and whatever else is asked for, are not."""
        if name == "el":
            taken, body = not self._taken, rest
        else:
            taken, body = _asked(rest)
            self._taken = taken if name == "ie" else self._taken
        body = body.lstrip()
        block = body.startswith("\\{")
        body = body[2:] if block else body
        if taken:
            if block:
                self._blocks.append(self._taken)
            if body.strip("\\ \t"):
                self._lines.append(body)
            return
        opened = block + _opened(body)
        while opened > 0 and self._lines:
            opened += _opened(self._lines.pop())
        self._close(-opened)

    def _close(self, blocks: int) -> None:
        """So many blocks of conditions end; what is asked with .el is the condition before them."""
        for _ in range(min(blocks, len(self._blocks))):
            self._taken = self._blocks.pop()


def _opened(line: str) -> int:
    return line.count("\\{") - line.count("\\}")


def _asked(condition: str) -> tuple[bool, str]:
    """Whether a condition holds on a terminal, and what stands behind it. None but those of every page is known."""
    if found := _TRUE.match(condition):
        return True, condition[found.end() :]
    if found := _SAME.match(condition):
        return (found[3] == found[4]) != bool(found[1]), condition[found.end() :]
    return False, condition
