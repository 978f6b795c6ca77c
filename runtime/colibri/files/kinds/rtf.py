"""RTF to the text that it shows: letters by the character sets of its fonts, results of fields, notes at the end."""

import re
from dataclasses import dataclass, replace

from colibri.files.kinds.rtf_flow import Flow, composed
from colibri.files.kinds.rtf_fonts import FILE_ENCODINGS, SYMBOL, Fonts, file_encoding
from colibri.files.kinds.rtf_words import (
    ASIDE,
    CHARACTERS,
    PARAGRAPHS,
    PASSED,
    SHOWN,
    SYMBOLS,
)
from colibri.files.source import Source
from colibri.files.text import FileText, Unreadable

_TOKEN = re.compile(
    rb"\\(?:(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})?[ ]?|'(?P<hex>[0-9a-fA-F]{2})|(?P<symbol>[^a-zA-Z]))"
    rb"|(?P<brace>[{}])|(?P<text>[^\\{}\r\n\0]+)",
    re.DOTALL,
)
_SKIPPED = re.compile(rb"\\bin(\d{1,10}) ?|\\.|([{}])", re.DOTALL)
_DEPTH = 1_000  # groups within groups: Word writes some ten
_TIMES = {"creatim": "created", "revtim": "modified"}
_PARTS = {"yr": 0, "mo": 1, "dy": 2, "hr": 3, "min": 4, "sec": 5}


@dataclass(slots=True)
class _State:
    """What a group inherits and its end takes back.

    into    where text goes, None for nowhere; beneath: where it went before a group that is not shown
    skip    characters to pass after a \\u, for readers that know no Unicode
    hidden  by \\v; deleted: as a tracked change
    table   "fonts", "info", "created" or "modified" while such is read
    """

    into: Flow | None
    beneath: Flow | None = None
    font: int | None = None
    skip: int = 1
    hidden: bool = False
    deleted: bool = False
    in_table: bool = False
    level: int | None = None
    table: str = ""


def read(source: Source) -> FileText:
    """The text of an RTF file. Raises Unreadable."""
    start = source.data.find(b"{\\rtf", 0, 1_024)
    if start < 0:
        raise Unreadable("is damaged (not RTF: it does not begin with {\\rtf)")
    return _Reader(source.data).run(start)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._body = Flow()
        self._asides: list[Flow] = []
        self._facts: dict[str, Flow] = {}
        self._times: dict[str, list[int]] = {}
        self._fonts = Fonts()
        self._state = _State(None)
        self._stack: list[_State] = []
        self._bytes = bytearray()
        self._to_skip = 0
        self._starred = False
        self._remarks: dict[str, None] = {}

    def run(self, start: int) -> FileText:
        self._at = start
        while (found := _TOKEN.search(self._data, self._at)) is not None:
            self._at = found.end()
            if found["brace"] is not None:
                self._brace(found["brace"] == b"{")
                if not self._stack:
                    break
            elif self._to_skip and found["word"] != b"bin":
                self._pass(found)
            elif found["text"] is not None:
                self._add_bytes(found["text"])
            elif found["hex"] is not None:
                self._add_bytes(bytes([int(found["hex"], 16)]))
            elif found["symbol"] is not None:
                self._symbol(found["symbol"].decode("latin-1"))
            else:
                self._word(found["word"].decode(), None if found["number"] is None else int(found["number"]))
        self._flush()
        if self._stack:
            self._remarks["its end is missing"] = None
        return composed(self._body, self._asides, self._facts, self._times, list(self._remarks))

    def _brace(self, opens: bool) -> None:
        self._flush()
        self._to_skip, self._starred = 0, False
        if not opens:
            self._state = self._stack.pop()
        elif len(self._stack) < _DEPTH:
            self._stack.append(self._state)
            self._state = replace(self._state)
        else:
            self._remarks[f"groups within more than {_DEPTH:,} others are left out"] = None
            self._leave()
            self._at += 1

    def _leave(self) -> None:
        """Go to the end of the group."""
        depth = 1
        while (found := _SKIPPED.search(self._data, self._at)) is not None:
            self._at = found.end() + int(found[1] or 0)
            depth += {b"{": 1, b"}": -1}.get(found[2], 0)
            if not depth:
                self._at -= 1
                return
        self._at = len(self._data)

    def _pass(self, found: re.Match[bytes]) -> None:
        """Over the letters that stand for one of Unicode."""
        if found["text"] is None:
            self._to_skip -= 1
            return
        passed = min(self._to_skip, len(found["text"]))
        self._to_skip -= passed
        self._add_bytes(found["text"][passed:])

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._starred = True
        elif symbol in "\\{}":
            self._add_bytes(symbol.encode())  # as the second byte of a letter, too
        elif symbol in "\r\n":
            self._end_paragraph("par")
        else:
            self._add(SYMBOLS.get(symbol, ""))

    def _word(self, word: str, number: int | None) -> None:
        starred, self._starred = self._starred, False
        if word == "bin":
            self._at += max(0, number or 0)
            self._to_skip = max(0, self._to_skip - 1)
        elif word == "u" and number is not None:
            self._add(chr(number & 0xFFFF if number <= 0xFFFF else min(number, 0x10FFFF)))
            self._to_skip = self._state.skip
        elif word in PARAGRAPHS:
            self._end_paragraph(word)
        elif word in CHARACTERS:
            self._add(CHARACTERS[word])
        elif not self._destination(word, starred) and not self._property(word, number):
            self._table(word, number)

    def _destination(self, word: str, starred: bool) -> bool:
        """Whether the word says what its group is for."""
        state = self._state
        if word in ASIDE and state.into is not None:
            state.into = Flow()
            self._asides.append(state.into)
            state.in_table, state.level = False, None
        elif word == "rtf":
            state.into = self._body
        elif word == "upr":
            state.into, state.beneath = None, state.into
        elif word == "ud":
            state.into = state.beneath
        elif word in {"fonttbl", "info"}:
            state.into, state.table = None, {"fonttbl": "fonts", "info": "info"}[word]
        elif word in {"title", "author"} and state.table == "info":
            state.into = self._facts.setdefault(word, Flow())
        elif word in _TIMES and state.table == "info":
            state.table = _TIMES[word]
        elif word in SHOWN:
            return True
        elif (starred or word in PASSED) and len(self._stack) > 1:
            self._flush()
            self._leave()
        else:
            return False
        return True

    def _property(self, word: str, number: int | None) -> bool:
        state, on = self._state, number != 0
        if word == "f" and state.table != "fonts":
            self._flush()
            state.font = number
        elif word == "uc":
            state.skip = max(0, number or 0)
        elif word == "v":
            self._flush()
            state.hidden = on
        elif word == "deleted":
            self._flush()
            state.deleted = on
        elif word == "plain":
            self._flush()
            state.font, state.hidden, state.deleted = None, False, False
        elif word == "pard":
            state.in_table, state.level = False, None
        elif word == "intbl":
            state.in_table = on
        elif word == "outlinelevel":
            state.level = number
        else:
            return False
        return True

    def _table(self, word: str, number: int | None) -> None:
        """Words of the fonts' table, of dates, and of the file's encoding."""
        fonts, table = self._fonts, self._state.table
        if word in FILE_ENCODINGS:
            fonts.whole = FILE_ENCODINGS[word]
        elif number is None:
            return
        elif word == "ansicpg":
            fonts.whole = file_encoding(number) or fonts.whole
        elif word == "deff":
            fonts.default = number
        elif table == "fonts" and word == "f":
            self._state.font = number
        elif table == "fonts" and word == "fcharset":
            fonts.charsets[self._state.font or 0] = number
        elif table == "fonts" and word == "cpg" and (name := file_encoding(number)):
            fonts.pages[self._state.font or 0] = name
        elif table in _TIMES.values() and word in _PARTS:
            self._times.setdefault(table, [0] * len(_PARTS))[_PARTS[word]] = number

    def _add_bytes(self, data: bytes) -> None:
        if self._state.into is not None:
            self._bytes += data

    def _flush(self) -> None:
        """Bytes so far as letters: one of two bytes may be written half as \\'xx, half as itself."""
        data, self._bytes = bytes(self._bytes), bytearray()
        if not data:
            return
        font = self._fonts.default if self._state.font is None else self._state.font
        if self._fonts.charsets.get(font) == SYMBOL:
            self._append("".join(chr(byte) if byte < 0x80 else "•" for byte in data))
        else:
            self._append(data.decode(self._fonts.encoding(font), "replace"))

    def _add(self, text: str) -> None:
        self._flush()
        self._append(text)

    def _append(self, text: str) -> None:
        state = self._state
        if state.into is not None and not state.hidden and not state.deleted:
            state.into.add(text)

    def _end_paragraph(self, word: str) -> None:
        self._flush()
        state = self._state
        if state.into is not None and not (state.hidden and word == "par"):
            if word == "par" and state.in_table:
                state.into.add("\n")
            else:
                state.into.end(state.level, row=word in {"row", "nestrow"})
