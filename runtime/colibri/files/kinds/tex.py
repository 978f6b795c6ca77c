"""LaTeX to the text that it sets: commands go and what they hold stays, headings are places.

Kept as it is: mathematics, verbatim texts, listings.
Left: comments, the preamble but for title, author and date, references, definitions, drawings, files that are included.
"""

import re
from collections.abc import Callable

from colibri.files.kinds import tex_words as words
from colibri.files.kinds.accents import accented, is_accent
from colibri.files.kinds.decoded import decoded
from colibri.files.kinds.tex_source import Span, TexSource
from colibri.files.source import Source
from colibri.files.text import Builder, FileText

_TOKEN = re.compile(
    r"\\begin[ \t]*\{(?P<begin>[^{}\n]*)\}|\\end[ \t]*\{(?P<end>[^{}\n]*)\}"
    r"|\\(?P<command>[A-Za-z@]+)(?P<after>\*?[ \t]*(?:\n(?![ \t]*\n)[ \t]*)?)|\\(?P<symbol>[^A-Za-z@])"
    r"|(?P<comment>%[^\n]*(?:\n[ \t]*|\Z))|(?P<maths>\$\$?)|(?P<blank>\n[ \t]*\n\s*)|(?P<mark>---?|``|''|[~&{}])",
    re.DOTALL,
)
_BODY = re.compile(r"^[^%\n]*?\\begin[ \t]*\{document\}", re.MULTILINE)
_DEFINITION = re.compile(r"\\(?:re)?newcommand\*?[ \t]*\{?\\([A-Za-z]+)\}?[ \t]*(?=\{)")
_ENCODING = re.compile(rb"\\usepackage\[([\w-]+)\]\{inputenc\}|^%[^\n]{0,200}?coding[:=][ \t]*([\w.-]+)", re.MULTILINE)
_LABEL = re.compile(r"\\label\{[^{}]*\}|\\nonumber\b")
_TO_A_BRACE = re.compile(r"[^{}\n]{0,200}")
_LET = re.compile(r"\\[A-Za-z@]+[ \t]*=?[ \t]*\\?[A-Za-z@]*")
_LONGEST_FORMULA = 20_000
_LONGEST_MACRO = 200
_DEEPEST = 20
_LINE, _PARAGRAPH = "\v", "\f"  # ends of those in the text that is set; those in the source mean blanks


def read(source: Source) -> FileText:
    """What a document sets, or a part of one that has no \\begin{document}."""
    named = _ENCODING.search(source.data)
    label = (named[1] or named[2]).decode() if named else ""
    text = decoded(source.data, words.ENCODINGS.get(label, label)).replace("\r\n", "\n").replace("\r", "\n")
    return _Setting(re.sub("[\v\f]", " ", text), {}, 0).read()


class _Setting:
    """Walks through a text of LaTeX from its beginning to its end."""

    def __init__(self, text: str, defined: dict[str, str], depth: int) -> None:
        self._source = TexSource(text)
        self._defined = defined
        self._depth = depth
        self._builder = Builder()
        self._words: list[str] = []
        self._notes: list[str] = []
        self._path: list[tuple[int, str]] = []
        self._facts: dict[str, str] = {}

    def read(self) -> FileText:
        source = self._source
        for defined in _DEFINITION.finditer(source.text):
            # Short names that an author gave to words; those with arguments would have to be run.
            source.at = defined.end()
            span = source.group()
            if span and span[1] - span[0] <= _LONGEST_MACRO:
                self._defined[defined[1]] = self._set(span)
        source.at = 0
        if body := _BODY.search(source.text):
            for name in ("title", "author", "date"):
                self._fact(name)
            source.at = body.end()
        self.walk()
        title, author = (self._facts.get(name, "").split("\n") for name in ("title", "author"))
        return self._builder.done(title=" ".join(title) or None, author=", ".join(author) or None)

    def walk(self) -> str:
        """Set all that follows. Returns the text since the last heading or verbatim text."""
        source = self._source
        while source.at < len(source.text):
            found = _TOKEN.search(source.text, source.at)
            end = found.start() if found else len(source.text)
            self._words.append(source.text[source.at : end].replace("\n", " "))
            source.at = found.end() if found else end
            if found:
                self._token(found)
        return self._flush()

    def _fact(self, name: str) -> None:
        found = re.search(rf"^[^%\n]*?\\{name}(?:\[[^\]]*\])?[ \t\n]*(?={{)", self._source.text, re.MULTILINE)
        if found:
            self._source.at = found.end()
            self._facts[name] = self._argument()
            self._builder.block(self._facts[name])

    def _token(self, found: re.Match[str]) -> None:
        if found["begin"] is not None:
            self._begin(found["begin"].strip().rstrip("*"))
        elif found["end"] is not None:
            self._paragraph()
            if found["end"].strip() == "document":
                self._source.at = len(self._source.text)
        elif found["command"]:
            self._command(found["command"], bool(found["after"].lstrip("*")))
        elif found["symbol"]:
            self._symbol(found["symbol"])
        elif found["maths"]:
            self._maths(found["maths"], found["maths"])
        elif found["blank"]:
            self._paragraph()
        elif found["mark"]:
            self._words.append(words.MARKS[found["mark"]])

    def _begin(self, name: str) -> None:
        self._paragraph()
        source = self._source
        if name not in words.UNSEEN | words.RAW | words.MATHS:
            option = source.option()
            if option and name in words.NAMED:
                self._words += [self._set(option), " "]
            source.drop((name in words.WITH_ARGUMENT) + (name in words.WITH_WIDTH))
            return
        end = re.compile(rf"\\end[ \t]*\{{{re.escape(name)}\*?\}}").search(source.text, source.at)
        body = source.text[source.at : end.start() if end else len(source.text)]
        source.at = end.end() if end else len(source.text)
        if name in words.MATHS:
            body = _LABEL.sub("", body)
        elif name in words.RAW:
            body = re.sub(r"\A(?:\[[^\]\n]*\])?(?:\{\w+\})?", "", body)
        if name not in words.UNSEEN:
            self._flush()
            self._builder.block(body.rstrip())

    def _command(self, name: str, blank_after: bool) -> None:
        if name in self._defined:
            self._words.append(self._defined[name])
        elif name in words.LETTERS:
            self._words.append(words.LETTERS[name])
        elif len(name) == 1 and is_accent(name):
            self._words.append(accented(name, self._letter()))
        elif name in _ACTIONS:
            _ACTIONS[name](self, name)
        elif name in words.WITHOUT_TEXT:
            self._source.drop(words.WITHOUT_TEXT[name])
        else:
            if not blank_after:
                self._source.option()
            self._several()

    def _several(self) -> None:
        """Arguments of a command that nothing is known of: what stands in two of them is not one word."""
        before = self._source.at
        while (span := self._source.group()) and self._source.text.startswith("{", self._source.at):
            self._words += [self._set(span), " "]
            before = self._source.at
        self._source.at = before

    def _symbol(self, symbol: str) -> None:
        if symbol in "([":
            self._maths(f"\\{symbol}", "\\)" if symbol == "(" else "\\]")
        elif is_accent(symbol):
            self._words.append(accented(symbol, self._letter()))
        else:
            self._words.append(words.SYMBOLS.get(symbol, ""))
            if symbol == "\\":
                self._source.at += self._source.text.startswith("*", self._source.at)
                self._source.option()

    def _heading(self, name: str) -> None:
        level = words.HEADINGS.index(name)
        self._source.option()
        title = " ".join(self._argument().split())
        self._flush()
        self._path = [entry for entry in self._path if entry[0] < level]
        if title:
            self._path.append((level, title))
            self._builder.place(" > ".join(entry for _, entry in self._path))
            self._builder.block(title)

    def _maths(self, opening: str, closing: str) -> None:
        """Mathematics as it is; a sign that is never closed is one like others."""
        before = self._source.at
        body = self._source.until(closing, _LONGEST_FORMULA)
        if body is None or "\n\n" in body:
            self._source.at = before
            self._words.append(opening.strip("\\"))
        else:
            self._words.append(opening + body.replace("\n", " ") + closing)

    def _code(self, name: str) -> None:
        """Code between two signs of any kind, on one line."""
        source = self._source
        source.at += source.text.startswith("*", source.at)
        source.option()
        if name == "mintinline":
            source.drop(1)
        sign = source.text[source.at : source.at + 1]
        if sign.strip():
            source.at += 1
            self._words.append(source.until({"{": "}"}.get(sign, sign), 1_000) or "")

    def _address(self, _name: str) -> None:
        """What may have % and ~ of its own."""
        span = self._source.group()
        self._words.append(self._source.text[slice(*span)] if span else "")

    def _line(self, name: str) -> None:
        self._words.append(_LINE)
        if name == "item" and (option := self._source.option()):
            self._words += [self._set(option), " "]
        self._source.drop(name == "bibitem")

    def _break(self, _name: str) -> None:
        self._paragraph()
        self._source.option()

    def _note(self, _name: str) -> None:
        self._source.option()
        self._notes.append(self._argument())

    def _pointer(self, _name: str) -> None:
        while self._words and not self._words[-1].strip(" "):
            self._words.pop()
        if self._words:
            self._words[-1] = self._words[-1].rstrip(" ")
        self._source.drop(1)

    def _included(self, _name: str) -> None:
        self._source.option()
        if span := self._source.group():
            self._builder.remark(f"{self._source.text[slice(*span)].strip()} is included, and not read here")

    def _definition(self, name: str) -> None:
        if name == "let":
            self._source.match(_LET)
        elif name.endswith("def"):
            self._source.match(_TO_A_BRACE)
            self._source.drop(1)
        else:
            self._source.drop(2)

    def _unused(self, _name: str) -> None:
        self._source.until("\\fi", len(self._source.text))

    def _told(self, name: str) -> None:
        """Title, author and date stand at the beginning already."""
        if name in self._facts:
            self._source.drop(1)

    def _paragraph(self) -> None:
        self._words.append(_PARAGRAPH)
        # Notes stand below the paragraph that they belong to, and not within it.
        if self._depth == 0:
            for note in self._notes:
                self._words += [note, _PARAGRAPH]
            self._notes = []

    def _flush(self) -> str:
        self._paragraph()
        text = re.sub(r" +", " ", "".join(self._words))
        text = re.sub(r" ?([\t\v\f]) ?", r"\1", text)
        self._words = []
        blocks = [block.strip(_LINE + " ").replace(_LINE, "\n") for block in text.split(_PARAGRAPH)]
        for block in blocks:
            self._builder.block(block)
        return "\n".join(block for block in blocks if block.strip())

    def _letter(self) -> str:
        """What an accent stands on."""
        span = self._source.group()
        return self._set(span) if span else self._source.letter()

    def _argument(self) -> str:
        """The text of the group that follows."""
        span = self._source.group()
        return self._set(span) if span else ""

    def _set(self, span: Span) -> str:
        text = self._source.text[slice(*span)]
        if self._depth >= _DEEPEST:
            return text
        inner = _Setting(text, self._defined, self._depth + 1)
        found = inner.walk()
        self._notes += inner._notes
        return found


_ACTIONS: dict[str, Callable[[_Setting, str], None]] = {
    **dict.fromkeys(words.HEADINGS, _Setting._heading),
    **dict.fromkeys(("verb", "lstinline", "mintinline"), _Setting._code),
    **dict.fromkeys(("url", "path", "nolinkurl", "ensuremath"), _Setting._address),
    **dict.fromkeys(("item", "bibitem", "newline", "linebreak", "tabularnewline", "cr"), _Setting._line),
    **dict.fromkeys(("par", "maketitle", "bigskip", "medskip", "caption", "frametitle"), _Setting._break),
    **dict.fromkeys(words.NOTES, _Setting._note),
    **dict.fromkeys(words.POINTERS, _Setting._pointer),
    **dict.fromkeys(words.INCLUDED, _Setting._included),
    **dict.fromkeys(words.DEFINITIONS, _Setting._definition),
    **dict.fromkeys(("title", "author", "date"), _Setting._told),
    "iffalse": _Setting._unused,
}
