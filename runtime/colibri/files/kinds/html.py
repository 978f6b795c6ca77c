"""HTML and XHTML to the text that a page shows: title, paragraphs, rows of tables with tabs, headings as places.

Shown:  <details> open or not, <option>s, alternative texts of pictures, values of fields, <template>s of a shadow root
Left:   scripts, styles, comments, <template>, <noscript>, <svg>, what is `hidden`, readings of ruby, soft hyphens
"""

import re
from dataclasses import replace

from colibri.files.kinds.cleaning import cleaned
from colibri.files.kinds.encodings import decode
from colibri.files.kinds.headings import Headings
from colibri.files.kinds.labels import in_page
from colibri.files.kinds.page_facts import Facts
from colibri.files.kinds.page_tags import (
    AFTER_HEADINGS,
    BREAKING_OUT,
    ENDED_BY_NEXT,
    GAPS,
    HEADINGS,
    KEEPING_BLANKS,
    READINGS,
    SHOWN_INPUTS,
    UNSEEN,
    VOID,
    Gap,
)
from colibri.files.kinds.tags import End, Markup, Start, Token
from colibri.files.source import Source
from colibri.files.text import Builder, FileText

_LONGEST_HEADING = 1_000
_XHTML = re.compile(r"\A\s*<\?xml\b|<html\b[^>]*\sxmlns\b", re.IGNORECASE)


def read(source: Source) -> FileText:
    """What a page shows. Its encoding is that of its mark, else what it says, else what its bytes look like."""
    decoded = decode(source.data, in_page(source.data))
    found = page(decoded.text)
    return found if decoded.remark is None else replace(found, remarks=(decoded.remark, *found.remarks))


def page(text: str, *, xml: bool | None = None, titled: bool = True) -> FileText:
    """What a page shows. xml: whether "<title/>" is closed; None: as the page looks. titled: begin with the title."""
    if xml is None:
        xml = _XHTML.search(text[:2_000]) is not None
    return _Page(Markup(text, xml=xml), xml=xml, titled=titled).read()


def page_text(text: str) -> str:
    """What a page shows, as a string."""
    return page(text).text


def declared_encoding(data: bytes) -> str | None:
    """What a page says its encoding is."""
    return in_page(data)


class _Page:
    """Walks a page's tags, and puts its text together."""

    def __init__(self, markup: Markup, *, xml: bool, titled: bool) -> None:
        self._markup = markup
        self._xml = xml
        self._titled = titled
        self._builder = Builder()
        self._facts = Facts()
        self._headings = Headings()
        self._words: list[str] = []
        self._gap = Gap.NONE
        self._heading = 0  # the level of the one that is being read
        self._keeping_blanks = 0
        self._in_title = False
        self._shown_for_want_of_an_end: set[str] = set()

    def read(self) -> FileText:
        while token := self._markup.next():
            self._take(token)
        self._break(Gap.BLOCK)
        self._title_first("")
        for remark in self._markup.remarks:
            self._builder.remark(remark)
        return self._builder.done(**self._facts.all())

    def _take(self, token: Token) -> None:
        if isinstance(token, Start):
            self._start(token)
        elif isinstance(token, End):
            self._end(token.name)
        elif self._in_title:
            self._facts.title = self._facts.title or " ".join(cleaned(token.text).split())
        else:
            self._words.append(token.text)
            if self._heading and sum(map(len, self._words)) > _LONGEST_HEADING:
                self._close_heading()

    def _start(self, tag: Start) -> None:
        name = tag.name
        if name not in VOID and not (tag.closed and (self._xml or name == "svg")) and self._is_unseen(tag):
            self._break(GAPS.get(name, Gap.NONE))
            self._pass_over(tag)
            return
        self._in_title = name == "title" and not (tag.closed and self._xml)
        self._facts.take(tag)
        if name in HEADINGS and not (tag.closed and self._xml):
            self._break(Gap.BLOCK)
            if self._heading:
                self._close_heading()
            self._heading = int(name[1])
        else:
            self._break(GAPS.get(name, Gap.NONE), paragraph=name in AFTER_HEADINGS)
        self._keeping_blanks += name in KEEPING_BLANKS and not (tag.closed and self._xml)
        self._words_of(tag)

    def _end(self, name: str) -> None:
        self._in_title = False
        if name in HEADINGS and self._heading:
            self._close_heading()
        elif name not in {"td", "th"}:
            self._break(GAPS.get(name, Gap.NONE))
        if name in KEEPING_BLANKS:
            self._keeping_blanks = max(0, self._keeping_blanks - 1)

    def _words_of(self, tag: Start) -> None:
        """Line breaks, and text in attributes."""
        name, attributes = tag.name, tag.attributes
        if name == "br":
            if self._keeping_blanks:
                self._words.append("\n")
            else:
                # Two in a row make a paragraph.
                twice = self._gap is Gap.LINE and not "".join(self._words).strip()
                self._break(Gap.BLOCK if twice else Gap.LINE)
        elif name == "optgroup" or (name == "option" and tag.closed):
            self._words.append(attributes.get("label", ""))
        elif name == "img" or (name == "input" and attributes.get("type", "").lower() == "image"):
            words = attributes.get("alt", "").strip()
            # A picture of one sign stands within a word.
            self._words.append(words if len(words) < 2 else f" {words} ")
        elif name == "input" and attributes.get("type", "text").lower() in SHOWN_INPUTS and "hidden" not in attributes:
            self._words.append(f" {attributes.get('value', '')} ")

    def _break(self, gap: Gap, *, paragraph: bool = False) -> None:
        """The text so far ends; before what follows stands at least this gap. paragraph: one ends an open heading."""
        if gap is Gap.NONE:
            return
        if self._heading:
            if gap >= Gap.CELL or (paragraph and "".join(self._words).strip()):
                self._close_heading()
            else:
                self._words.append(" ")
                return
        self._flush()
        self._gap = max(self._gap, gap)

    def _close_heading(self) -> None:
        level, self._heading = self._heading, 0
        if title := self._joined().strip():
            self._title_first(title)
            self._builder.place(self._headings.enter(level, title))
        self._gap = max(self._gap, Gap.BLOCK)
        self._flush()
        self._gap = Gap.BLOCK

    def _flush(self) -> None:
        text, self._words = self._joined(), []
        if not text.strip():
            return
        self._title_first(text)
        if self._gap is Gap.CELL:
            self._builder.cell(text)
        elif self._gap in {Gap.LINE, Gap.ROW}:
            self._builder.line(text)
        else:
            self._builder.block(text)
        self._gap = Gap.NONE

    def _joined(self) -> str:
        text = cleaned("".join(self._words).replace("\xad", ""))
        if self._keeping_blanks:
            return text.strip("\n").rstrip()
        return " ".join(text.split())

    def _title_first(self, text: str) -> None:
        """The title before the first text, unless that is its own."""
        if self._titled and self._facts.title:
            self._titled = False
            if text.strip() != self._facts.title:
                self._builder.block(self._facts.title)

    def _is_unseen(self, tag: Start) -> bool:
        name, attributes = tag.name, tag.attributes
        if name in self._shown_for_want_of_an_end or name in {"html", "body"}:  # hidden, until a script has run
            return False
        if name == "template":
            return "shadowrootmode" not in attributes
        return name in UNSEEN or ("hidden" in attributes and attributes["hidden"].lower() != "until-found")

    def _pass_over(self, tag: Start) -> None:
        """Read on behind the end of an element. Of one that does not end, what is in it is shown."""
        markup, name = self._markup, tag.name
        begun, depth, foreign = markup.position, 1, 0
        before = begun
        while depth and (token := markup.next()):
            if isinstance(token, Start):
                foreign += token.name == "foreignobject"
                if _ends_before(name, token, foreign):
                    markup.position = before
                    if name == "svg":
                        markup.remark("an <svg> that does not end was passed over up to the next paragraph")
                    return
                depth += token.name == name and not token.closed
            elif isinstance(token, End):
                depth -= token.name == name
                foreign -= token.name == "foreignobject"
                if name in READINGS and token.name in {"ruby", *GAPS}:
                    markup.position = before
                    return
            before = markup.position
        if depth:
            markup.position = begun
            markup.remark(f"a <{name}> that does not end was read as text")
            self._shown_for_want_of_an_end.add(name)


def _ends_before(name: str, tag: Start, foreign: int) -> bool:
    """Whether an unseen element ends, without a tag of its own, where this one begins."""
    if name in READINGS:
        return tag.name in {"rb", "rt", "rp", "rtc", "ruby"} or tag.name in GAPS
    if name == "svg":
        return foreign <= 0 and tag.name in BREAKING_OUT
    return name in ENDED_BY_NEXT and tag.name == name
