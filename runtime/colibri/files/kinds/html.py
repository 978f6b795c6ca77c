"""HTML and XHTML to the text that a page shows: title, paragraphs, rows of tables with tabs, headings as places.

Shown:  <details> open or not, <option>s, alternative texts of pictures, values of fields, <template>s of a shadow root
Left:   scripts, styles, comments, <template>, <noscript>, <svg>, what is `hidden`, readings of ruby, soft hyphens
"""

import re
from dataclasses import replace
from enum import IntEnum

from colibri.files.kinds.cleaning import cleaned
from colibri.files.kinds.encodings import decode
from colibri.files.kinds.headings import Headings
from colibri.files.kinds.labels import in_page
from colibri.files.kinds.page_facts import Facts
from colibri.files.kinds.tags import End, Markup, Start, Token
from colibri.files.source import Source
from colibri.files.text import Builder, FileText


class _Gap(IntEnum):
    """What stands before the next text; of two that meet, the larger."""

    NONE = 0
    LINE = 1
    BLOCK = 2
    CELL = 3  # above BLOCK: a paragraph in a cell begins no line
    ROW = 4
    TABLE = 5


_UNSEEN = frozenset(
    "script style noscript template iframe noembed svg audio video datalist rt rp rtc annotation annotation-xml".split()  # noqa: SIM905
)
_READINGS = frozenset({"rt", "rp", "rtc"})
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905
_ENDED_BY_NEXT = frozenset({"p", "li", "dt", "dd", "td", "th", "tr", "option"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_KEEPING_BLANKS = frozenset({"pre", "textarea", "xmp", "listing"})
_SHOWN_INPUTS = frozenset("text search email url tel number date time button submit reset".split())  # noqa: SIM905
_GAPS = {
    **dict.fromkeys(
        "p div section article header footer main nav aside ul ol dl blockquote figure figcaption form fieldset legend "  # noqa: SIM905
        "hr address details summary caption dialog center menu dir hgroup search body html head title noframes select "
        "pre textarea xmp listing h1 h2 h3 h4 h5 h6".split(),
        _Gap.BLOCK,
    ),
    **dict.fromkeys("li dt dd option optgroup".split(), _Gap.LINE),  # noqa: SIM905
    **dict.fromkeys(("td", "th"), _Gap.CELL),
    **dict.fromkeys(("tr", "thead", "tbody", "tfoot"), _Gap.ROW),
    "table": _Gap.TABLE,
}
# What ends an <svg> that does not end: https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inforeign
_BREAKING_OUT = frozenset(
    "body blockquote center dd div dl dt h1 h2 h3 h4 h5 h6 hr img li menu ol p pre ruby table ul".split()  # noqa: SIM905
)
_AFTER_HEADINGS = frozenset({"p", "ul", "ol", "dl", "pre", "blockquote", "section", "article"})
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
        self._gap = _Gap.NONE
        self._heading = 0  # the level of the one that is being read
        self._keeping_blanks = 0
        self._in_title = False
        self._shown_for_want_of_an_end: set[str] = set()

    def read(self) -> FileText:
        while token := self._markup.next():
            self._take(token)
        self._break(_Gap.BLOCK)
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
        if name not in _VOID and not (tag.closed and self._xml) and self._is_unseen(tag):
            self._break(_GAPS.get(name, _Gap.NONE))
            self._pass_over(tag)
            return
        self._in_title = name == "title" and not (tag.closed and self._xml)
        self._facts.take(tag)
        if name in _HEADINGS and not (tag.closed and self._xml):
            self._break(_Gap.BLOCK)
            if self._heading:
                self._close_heading()
            self._heading = int(name[1])
        else:
            self._break(_GAPS.get(name, _Gap.NONE), paragraph=name in _AFTER_HEADINGS)
        self._keeping_blanks += name in _KEEPING_BLANKS and not (tag.closed and self._xml)
        self._words_of(tag)

    def _end(self, name: str) -> None:
        self._in_title = False
        if name in _HEADINGS and self._heading:
            self._close_heading()
        elif name not in {"td", "th"}:
            self._break(_GAPS.get(name, _Gap.NONE))
        if name in _KEEPING_BLANKS:
            self._keeping_blanks = max(0, self._keeping_blanks - 1)

    def _words_of(self, tag: Start) -> None:
        """Line breaks, and text in attributes."""
        name, attributes = tag.name, tag.attributes
        if name == "br":
            if self._keeping_blanks:
                self._words.append("\n")
            else:
                # Two in a row make a paragraph.
                twice = self._gap is _Gap.LINE and not "".join(self._words).strip()
                self._break(_Gap.BLOCK if twice else _Gap.LINE)
        elif name == "optgroup" or (name == "option" and tag.closed):
            self._words.append(attributes.get("label", ""))
        elif name == "img" or (name == "input" and attributes.get("type", "").lower() == "image"):
            words = attributes.get("alt", "").strip()
            # A picture of one sign stands within a word.
            self._words.append(words if len(words) < 2 else f" {words} ")
        elif name == "input" and attributes.get("type", "text").lower() in _SHOWN_INPUTS and "hidden" not in attributes:
            self._words.append(f" {attributes.get('value', '')} ")

    def _break(self, gap: _Gap, *, paragraph: bool = False) -> None:
        """The text so far ends; before what follows stands at least this gap. paragraph: one ends an open heading."""
        if gap is _Gap.NONE:
            return
        if self._heading:
            if gap >= _Gap.CELL or (paragraph and "".join(self._words).strip()):
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
        self._gap = max(self._gap, _Gap.BLOCK)
        self._flush()
        self._gap = _Gap.BLOCK

    def _flush(self) -> None:
        text, self._words = self._joined(), []
        if not text.strip():
            return
        self._title_first(text)
        if self._gap is _Gap.CELL:
            self._builder.cell(text)
        elif self._gap in {_Gap.LINE, _Gap.ROW}:
            self._builder.line(text)
        else:
            self._builder.block(text)
        self._gap = _Gap.NONE

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
        return name in _UNSEEN or ("hidden" in attributes and attributes["hidden"].lower() != "until-found")

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
                if name in _READINGS and token.name in {"ruby", *_GAPS}:
                    markup.position = before
                    return
            before = markup.position
        if depth:
            markup.position = begun
            markup.remark(f"a <{name}> that does not end was read as text")
            self._shown_for_want_of_an_end.add(name)


def _ends_before(name: str, tag: Start, foreign: int) -> bool:
    """Whether an unseen element ends, without a tag of its own, where this one begins."""
    if name in _READINGS:
        return tag.name in {"rb", "rt", "rp", "rtc", "ruby"} or tag.name in _GAPS
    if name == "svg":
        return foreign <= 0 and tag.name in _BREAKING_OUT
    return name in _ENDED_BY_NEXT and tag.name == name
