"""What reaches a terminal: no control sequence out of a name or a text, and nothing that its encoding cannot show.

A command makes names and texts visible, then styles them, then echoes; JSON goes through `echo_json`.
"""

import codecs
import io
import logging
import os
import sys
from typing import Any

import click

_CONTROL = [*range(0x20), *range(0x7F, 0xA0)]
_MARKS = [0x061C, 0x200E, 0x200F]  # only say which way their neighbours read
_EMBEDDED = [0x202A, 0x202B, 0x202C, *range(0x2066, 0x206A)]
_OVERRIDES = [0x202D, 0x202E]  # show "cod.exe" as "exe.doc"

LINES = "\n\t"
"""Kept in messages of several lines."""

TEXT = LINES + "".join(map(chr, _MARKS + _EMBEDDED))
"""Kept in documents: Hebrew and Arabic ones are written with them, and their effect ends with the line."""

_ESCAPES = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (*_CONTROL, *_MARKS, *_EMBEDDED, *_OVERRIDES)
}
_JSON_ESCAPES = {code: f"\\u{code:04x}" for code in _ESCAPES if code >= 0x20}


def visible(text: str, keep: str = "") -> str:
    """With what steers a terminal or turns the order of letters written out: `\\x1b`, `\\u202e`; all but `keep`."""
    return text.translate({code: escape for code, escape in _ESCAPES.items() if chr(code) not in keep})


def echo(text: str, *, err: bool = False, styled: bool = False) -> None:
    """Print a line, or several, on stdout or stderr, as far as the encoding there can show it.

    styled: the text holds click.style's colours, put on when all names and texts in it had been made visible; else
    nothing in it steers a terminal. Colours stay off what is no terminal.
    """
    if not styled:
        text = visible(text, TEXT)
    encoding = _encoding(err)
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding), err=err)


def echo_json(value: Any) -> None:
    """Print as JSON on stdout, in one line. Escapes are JSON's own, so that nothing of the value changes."""
    import json  # not for help and errors, which are to be there at once

    wide = codecs.lookup(_encoding(False)).name.startswith("utf")
    line = json.dumps(value, ensure_ascii=not wide).translate(_JSON_ESCAPES)
    echo(line, styled=True)  # a lone surrogate, from a name that is no UTF-8, is escaped by echo as JSON would


def echo_error(error: click.ClickException) -> None:
    """As click shows it, on stderr, but visibly."""
    shown = io.StringIO()
    error.show(shown)
    echo(visible(shown.getvalue().rstrip("\n"), LINES), err=True)


class VisibleLines(logging.Formatter):
    """Messages of loggers, which may name files."""

    def format(self, record: logging.LogRecord) -> str:
        """One record, its traceback included."""
        return visible(super().format(record), LINES)


def never_fail() -> None:
    """Have what others print, click's help among it, replaced where the encoding cannot show it, and go nowhere where
    there is no stream (pythonw, a service, `>&-`)."""
    _open_all()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # it is something else in an IDE
            stream.reconfigure(errors="backslashreplace")


def _open_all() -> None:
    """Leave none of the three streams closed: the next file that is opened would have its number, and in it what a
    library prints."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest that is free, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def _encoding(err: bool) -> str:
    """Of a stream as Python has it: click takes ASCII, which somebody asked for, to be a mistake and writes UTF-8."""
    return getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
