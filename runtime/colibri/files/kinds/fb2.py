"""FictionBook 2: the bodies of a book with the titles of its sections as places.

Taken:  annotation, titles, epigraphs, paragraphs, subtitles, verses, quotations, tables, notes, authors of texts
Left:   <binary> pictures, <stylesheet>, what else the description says of file and publisher
"""

import re

from colibri.files.kinds.cleaning import cleaned
from colibri.files.kinds.dates import iso_date
from colibri.files.kinds.encodings import decode
from colibri.files.kinds.headings import Headings
from colibri.files.kinds.labels import in_xml
from colibri.files.kinds.tags import End, Markup, Start, Token
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Unreadable

_LEFT = frozenset({"binary", "stylesheet", "src-title-info", "document-info", "publish-info", "custom-info", "output"})
_BLOCKS = frozenset(
    {"p", "subtitle", "text-author", "epigraph", "cite", "poem", "stanza", "table", "empty-line", "date"}
)
_NAMES = ("first-name", "middle-name", "last-name", "nickname")


def read(source: Source) -> FileText:
    """A book's text. Raises Unreadable for what is no FictionBook."""
    decoded = decode(source.data, in_xml(source.data))
    if not re.search(r"<(?:\w+:)?FictionBook\b", decoded.text[:10_000]):
        raise Unreadable("is no FictionBook (no <FictionBook>)")
    book = _Book(Markup(decoded.text, xml=True, scripts=False))
    if decoded.remark:
        book.builder.remark(decoded.remark)
    return book.read()


class _Book:
    """Walks a book's tags."""

    def __init__(self, markup: Markup) -> None:
        self.builder = Builder()
        self._markup = markup
        self._headings = Headings()
        self._facts: dict[str, str] = {}
        self._name: dict[str, str] = {}
        self._authors: list[str] = []
        self._words: list[str] = []
        self._title: list[str] | None = None  # the lines of the one that is being read
        self._depth = 0  # of sections
        self._parts = [""]  # of title-info, annotation, body: those that are open
        self._ended = False
        self._add = self.builder.block

    def read(self) -> FileText:
        while token := self._markup.next():
            self._take(token)
        self._flush()
        if not self._ended:
            self.builder.remark("its end is missing")
        if self._authors:
            self._facts["author"] = ", ".join(dict.fromkeys(self._authors))
        return self.builder.done(**{fact: value for fact, value in self._facts.items() if value})

    def _take(self, token: Token) -> None:
        if isinstance(token, Start):
            if token.name in _LEFT and not token.closed:
                self._pass_over(token.name)
            else:
                self._start(token)
        elif isinstance(token, End):
            self._ended = token.name == "fictionbook"
            self._end(token.name)
        elif self._parts[-1]:
            self._words.append(token.text)

    def _pass_over(self, name: str) -> None:
        while (token := self._markup.next()) and token != End(name):
            pass

    def _start(self, tag: Start) -> None:
        name = tag.name
        if name in _BLOCKS or name in {"section", "title", "body", "v", "td", "th", "tr"}:
            self._flush()
        if tag.closed:
            return
        if name in {"title-info", "annotation", "body"}:
            self._parts.append(name)
            self._words = []
        if name == "date" and self._parts[-1] == "title-info":
            self._facts["created"] = tag.attributes.get("value", "")
        elif name == "title" and self._parts[-1] == "body":
            self._title = []
        elif name == "body":
            self._depth, self._headings = 0, Headings()
            self.builder.place(self._headings.enter(0, tag.attributes.get("name", "")))
        elif name == "section":
            self._depth += 1
            self.builder.place(self._headings.leave(self._depth))

    def _end(self, name: str) -> None:
        if self._parts[-1] == "title-info":
            self._fact(name, " ".join(cleaned("".join(self._words)).split()))
            self._words = []
        elif name == "title" and self._title is not None:
            self._flush()
            self._close_title(self._title)
        elif name in _BLOCKS or name in {"v", "td", "th", "tr", "section", "body", "annotation"}:
            self._flush()
        self._add = {
            "v": self.builder.line,
            "td": self.builder.cell,
            "th": self.builder.cell,
            "tr": self.builder.line,
        }.get(name, self._add)
        if name in {"stanza", "table"}:
            self._add = self.builder.block
        if name == "section":
            self._depth = max(0, self._depth - 1)
            self.builder.place(self._headings.leave(self._depth + 1))
        if name == self._parts[-1]:
            self._parts.pop()

    def _fact(self, name: str, value: str) -> None:
        """What an element of <title-info> says."""
        if name in _NAMES and value:
            self._name[name] = value
        elif name == "author" and self._name:
            self._authors.append(" ".join(self._name[part] for part in _NAMES if part in self._name))
        elif name == "book-title":
            self._facts["title"] = value
        elif name == "lang":
            self._facts["language"] = value
        elif name == "date":
            self._facts["created"] = iso_date(self._facts.get("created", "")) or iso_date(value) or ""
        if name in {"author", "translator"}:
            self._name = {}

    def _close_title(self, lines: list[str]) -> None:
        """A section's title is a place; that of the whole book stands over all of them, and is none."""
        self._title = None
        if self._depth or self._headings.label:
            self.builder.place(self._headings.enter(self._depth, " ".join(lines)))
        self.builder.block("\n".join(lines))

    def _flush(self) -> None:
        text, self._words = " ".join(cleaned("".join(self._words).replace("\xad", "")).split()), []
        if not text or not self._parts[-1]:
            return
        if self._title is not None:
            self._title.append(text)
        else:
            self._add(text)
            self._add = self.builder.block
