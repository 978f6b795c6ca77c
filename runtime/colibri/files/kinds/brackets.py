"""Where units of code begin and end by their brackets."""

import re
from bisect import bisect_right
from dataclasses import dataclass

from colibri.files.kinds.indents import DEEPEST, Head, Unit, may_stand
from colibri.files.kinds.languages import Language

_SIGN = re.compile(r"[{}()\[\];]")
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")
_FIRST = re.compile(r"\S")
_BACKWARDS = re.compile(r"\s*(?:>[^<>(){};]{0,80}<)?\s*([\w$.:~@]+)")  # a name before "(", read from there
_OPERATOR = re.compile(r"operator\s*[^\w\s(]{1,3}\s*$")
_BETWEEN = re.compile(r"\s*\n(?:[\w\s*&<>,]|::|~)*+$")
_ARROW = re.compile(r"\s*(?:async\s*\*?)?\s*=>")
_DEEPEST_BRACKET = 1_000  # what is deeper is no code, and slow: a megabyte of "{" took seconds
_WINDOW = 160  # characters before a bracket that are looked at
_CONTROL = frozenset(
    "if for while switch catch return sizeof else do synchronized using lock fixed foreach elif elseif unless until "  # noqa: SIM905
    "match when with guard new typeof await assert super this defined function func where and or not case".split()
)
_BESIDE = frozenset(
    "throw throws noexcept requires alignas decltype __attribute__ __declspec alignof static_assert explicit".split()  # noqa: SIM905
)


@dataclass(slots=True, eq=False)
class _Call:
    """name(...) of a statement: where the name and the closing bracket end (0: it is open yet)."""

    name: str
    at: int
    end: int = 0


@dataclass(slots=True, eq=False)
class _Open:
    """An open bracket.

    margin     how far its statement is indented; -1 for the file itself
    unit       whose block it is; above: the unit that it stands in, or is
    holds      whether name(...) { is a function there
    statement  where the statement that is being read in it begins; call: name(...) of that statement
    value      {2} of b{2}: no block
    """

    block: bool
    margin: int
    statement: int
    unit: Unit | None = None
    above: Unit | None = None
    holds: bool = False
    call: _Call | None = None
    value: bool = False


class Brackets:
    """One walk through a file's brackets."""

    def __init__(self, code: str, language: Language) -> None:
        self._code = code
        self._language = language
        self._lines = [0, *(match.end() for match in re.finditer("\n", code))]
        self._found: list[Unit] = []
        self._stack = [_Open(True, -1, 0, holds=language.calls == "any" or language.blocks)]
        self._margin_line, self._margin_end = -1, 0
        self._waiting: tuple[Unit, int, int] | None = None  # named, no block yet: at which depth, until where at least

    def units(self, heads: list[Head]) -> list[Unit]:
        """Those that `heads` name and, where the language has them, blocks after name(...)."""
        due = list(reversed(heads))
        within = 0  # brackets that are part of a head, as a receiver's are in Go
        for sign in _SIGN.finditer(self._code):
            at = sign.start()
            while due and due[-1].start <= at:
                within = due[-1].end
                self._head(due.pop())
            if at < within:
                continue
            if len(self._stack) > _DEEPEST_BRACKET:
                break
            {"{": self._open_block, "(": self._open, "[": self._open, "}": self._close_block, ";": self._end}.get(
                sign[0], self._close
            )(at)
        while due:
            self._head(due.pop())
        self._give_up(len(self._code))
        for unit in self._found:
            unit.end = len(self._code) if unit.end < 0 else unit.end
        return self._found

    def _add(self, start: int, name: str, holds: bool) -> Unit:
        self._found.append(Unit(start, name, holds, self._stack[-1].above))
        return self._found[-1]

    def _head(self, head: Head) -> None:
        self._give_up(head.start)
        self._stack[-1].call = None
        if may_stand(self._stack[-1].above, head, self._language):
            self._waiting = (self._add(head.start, head.name, head.holds), len(self._stack), head.end)

    def _give_up(self, before: int) -> None:
        """A unit that has no block ends with the first empty line after its last bracket."""
        if self._waiting is not None:
            unit, _, least = self._waiting
            gap = _EMPTY_LINE.search(self._code, least, before)
            unit.end = max(least, gap.start() if gap else before)
            self._waiting = None

    def _waits_here(self) -> bool:
        return self._waiting is not None and self._waiting[1] == len(self._stack)

    def _open_block(self, at: int) -> None:
        top = self._stack[-1]
        if top.call is not None and top.call.end and self._is_value(top.call, at):
            self._stack.append(_Open(False, 0, at + 1, above=top.above, value=True))
            return
        unit = None
        if self._waiting is not None and self._waits_here():
            if _EMPTY_LINE.search(self._code, self._waiting[2], at):
                self._give_up(at)
            else:
                unit, self._waiting = self._waiting[0], None
        first = self._first(top.statement, at)
        if unit is None and top.holds and self._waiting is None:
            unit = self._named(top, first, at)
        holds = unit.holds if unit else top.holds and self._goes_through(top, at)
        margin = min(self._margin(at), self._margin(first))
        self._stack.append(_Open(True, margin, at + 1, unit, unit or top.above, holds))

    def _is_value(self, call: _Call, at: int) -> bool:
        """b{2} in a constructor's list of members is no block."""
        before = self._code[at - 1]
        return (before.isalnum() or before in "_>") and ":" in self._code[call.end : min(at, call.end + 2 * _WINDOW)]

    def _goes_through(self, top: _Open, at: int) -> bool:
        return self._language.through.search(self._code, max(top.statement, at - _WINDOW), at) is not None

    def _named(self, top: _Open, first: int, at: int) -> Unit | None:
        """The unit of a block after name(...), or in a style sheet after anything."""
        if top.above is not None and top.above.depth >= DEEPEST:
            return None
        if self._language.blocks:
            name = " ".join(self._code[first:at][:_WINDOW].split())
            return self._add(self._line(first), name[:80], True) if name else None
        if top.call is None or not top.call.end:
            return None
        name = top.call.name
        if name.isupper() and len(name) > 2:  # a macro, as TEST(Suite, Name)
            name += " ".join(self._code[top.call.at + 1 : top.call.end][:80].split())
        return self._add(self._line(first if self._language.semicolons else top.call.at), name, False)

    def _open(self, at: int) -> None:
        top = self._stack[-1]
        if self._code[at] == "(" and top.block and top.holds and self._language.calls and not self._waits_here():
            self._name_before(top, at)
        self._stack.append(_Open(False, 0, at + 1, above=top.above))

    def _name_before(self, top: _Open, at: int) -> None:
        """Whether name( begins a function's parameters: the first of its statement, unless that was a macro."""
        begin = top.statement if self._language.semicolons else max(top.statement, self._line(at))
        window = self._code[max(begin, at - _WINDOW) : at]
        match = _OPERATOR.search(window) if "operator" in window else None
        back = None if match else _BACKWARDS.match(window[::-1])
        name = match[0] if match else back[1][::-1] if back else ""
        word = name.rsplit(".", 1)[-1].rstrip()
        if word in _CONTROL:
            top.call = None
        elif not word or word in _BESIDE or name[0] in "@." or not (name[0].isalpha() or name[0] in "_$~:"):
            return
        elif top.call is None:
            before = window[: len(window) - (back.end() if back else 8)]
            if match or ("=" not in before and not before.rstrip().endswith(("new", "return", "->", "."))):
                top.call = _Call(word if match else name, at - 1)
        elif 0 < top.call.end > at - 2 * _WINDOW and _BETWEEN.match(self._code, top.call.end, at - len(name)):
            top.call = _Call(name, at - 1)

    def _close(self, at: int) -> None:
        if self._stack[-1].block:
            return
        self._stack.pop()
        call = self._stack[-1].call
        if call is not None and not call.end:
            call.end = at + 1
        self._reach(at + 1)

    def _reach(self, end: int) -> None:
        if self._waiting is not None and self._waits_here():
            self._waiting = (self._waiting[0], self._waiting[1], end)

    def _close_block(self, at: int) -> None:
        """Also whatever is further in: where a macro opened twice, the margin tells which is meant."""
        stack = self._stack
        if stack[-1].value:
            stack.pop()
            return
        while not stack[-1].block:
            stack.pop()
        if self._waiting is not None and self._waiting[1] >= len(stack):
            self._give_up(at)
        for entry in self._meant(self._margin(at), self._line(at) + self._margin(at) == at):
            if entry.unit is not None:
                entry.unit.end = self._line_end(at)
        stack[-1].statement, stack[-1].call = at + 1, None
        self._reach(at + 1)

    def _meant(self, margin: int, begins_a_line: bool) -> list[_Open]:
        """Takes off what a closing bracket closes."""
        stack = self._stack
        keep = max(len(stack) - 1, 1)
        if begins_a_line and stack[-1].margin > margin:
            while keep > 1 and not (stack[keep - 1].block and stack[keep - 1].margin <= margin):
                keep -= 1
            keep -= keep > 1 and stack[keep - 1].margin == margin
        closed = stack[keep:]
        del stack[keep:]
        return closed

    def _end(self, at: int) -> None:
        top = self._stack[-1]
        if not top.block:
            return
        if self._waiting is not None and self._waits_here():
            self._waiting[0].end, self._waiting = at + 1, None
        elif top.call is not None and top.call.end and _ARROW.match(self._code, top.call.end):
            self._add(self._line(self._first(top.statement, at)), top.call.name, False).end = at + 1
        top.statement, top.call = at + 1, None

    def _first(self, begin: int, at: int) -> int:
        """The first sign of a statement, from `begin` on."""
        found = _FIRST.search(self._code, begin, at)
        return found.start() if found else at

    def _line(self, at: int) -> int:
        return self._lines[bisect_right(self._lines, at) - 1]

    def _line_end(self, at: int) -> int:
        place = bisect_right(self._lines, at)
        return self._lines[place] - 1 if place < len(self._lines) else len(self._code)

    def _margin(self, at: int) -> int:
        line = self._line(at)
        if line != self._margin_line:
            found = _FIRST.search(self._code, line)
            self._margin_line, self._margin_end = line, found.start() if found else len(self._code)
        return min(self._margin_end, at) - line
