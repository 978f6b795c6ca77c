"""HTML and XHTML cut into tags and text as browsers cut them, and never further than the next tag where one is broken.

Scripts, comments and titles that do not end are another thing to the standard library's parser in each Python.
"""

import html
import re
from typing import NamedTuple


class Start(NamedTuple):
    """A start tag. closed: "<p/>"."""

    name: str
    attributes: dict[str, str]
    closed: bool = False


class End(NamedTuple):
    """An end tag."""

    name: str


class Text(NamedTuple):
    """Text, its entities resolved."""

    text: str


Token = Start | End | Text

_RAW = frozenset({"script", "style", "iframe", "noembed", "xmp", "textarea", "title"})  # nothing in them is a tag
_SCRIPTS = frozenset({"script", "style"})
_WITH_ENTITIES = frozenset({"textarea", "title"})
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"""([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)?))?""")
_BETWEEN = re.compile(r"[\s/]*")
_COMMENT_END = re.compile(r"--!?>")
_SUBSET_END = re.compile(r"\]\s*>")
_ENTITY = re.compile(r"<!ENTITY\s+([\w.:-]{1,60})\s+(?:\"([^\"]{0,1000})\"|'([^']{0,1000})')\s*>")
_REFERENCE = re.compile(r"&([\w.:-]{1,60});")
_BLOCK = re.compile(r"</?(?:p|div|h[1-6]|[uod]l|table|section|article|main|header|footer|nav|head|body|html)\b", re.I)
# A script that holds these at the start of a line is one whose end is missing; those in its strings stand elsewhere.
_NO_SCRIPT = re.compile(r"^[ \t]*(?:</head\s{0,9}>|</?body\b[^>]{0,500}>|<(?:script|style)\b[^>]{0,500}>)", re.I | re.M)
_ENTITIES = 200
_EXPANDED = 1 << 20  # characters that entities of a document may become: one of 1,000 can be named a million times


class Markup:
    """Reads one token after the other.

    xml      names are without their prefixes, "<script/>" is closed, and a title can hold tags
    scripts  whether what stands in <script> and <style> is no markup; False for XML that is no page
    remarks  what was not closed
    """

    def __init__(self, text: str, *, xml: bool = False, scripts: bool = True) -> None:
        self.position = 0
        self.remarks: list[str] = []
        self._text = text
        self._xml = xml
        self._opaque = (_SCRIPTS if xml else _RAW) if scripts else frozenset()
        self._last = text.rfind(">")
        self._raw = ""
        # Where the next end of something stands: searched once, as a page can hold a million that do not end.
        self._ends: dict[str, int] = {}
        self._entities: dict[str, str] = {}
        self._expanded = 0

    def next(self) -> Token | None:
        """The next tag or text, None at the end."""
        text = self._text
        while self.position < len(text):
            if self._raw:
                token: Token | None = self._raw_text()
            elif text[self.position] != "<":
                end = text.find("<", self.position)
                token = self._words(self.position, end if end >= 0 else len(text))
            else:
                token = self._markup()
            if token is not None:
                return token
        return None

    def _markup(self) -> Token | None:
        text, start = self._text, self.position
        named = _NAME.match(text, start)
        if named and start < self._last:
            return self._tag(named)
        if text.startswith("<!--", start):
            self._comment()
        elif text.startswith("<![CDATA[", start) and (end := self._end("]]>", start)) < len(text):
            self.position = end + 3
            return Text(text[start + 9 : end])
        elif start < self._last and text[start + 1 : start + 2] in {"!", "?", "/"}:
            self._declaration()
        else:
            end = text.find("<", start + 1)
            return self._words(start, end if end >= 0 else len(text))
        return None

    def _words(self, start: int, end: int) -> Text:
        self.position = end
        text = self._text[start:end]
        if self._entities and "&" in text:
            text = _REFERENCE.sub(self._entity, text)
        return Text(html.unescape(text) if "&" in text else text)

    def _entity(self, found: re.Match[str]) -> str:
        value = self._entities.get(found[1])
        if value is None or self._expanded + len(value) > _EXPANDED:
            return found[0]
        self._expanded += len(value)
        return value

    def _comment(self) -> None:
        end = self._end("--!?>", self.position + 2)
        closed = _COMMENT_END.match(self._text, end)
        if closed is None:
            self.remark("a comment that does not end was read as text")
        self.position = closed.end() if closed else self.position + 4

    def _end(self, what: str, start: int) -> int:
        """Where the next `what` begins, the end of the text for nowhere."""
        if self._ends.get(what, -1) < start:
            found = re.compile(what, re.IGNORECASE).search(self._text, start)
            self._ends[what] = found.start() if found else len(self._text)
        return self._ends[what]

    def remark(self, text: str) -> None:
        """Once each."""
        if text not in self.remarks:
            self.remarks.append(text)

    def _declaration(self) -> None:
        """A document type, a processing instruction, or what browsers take for a comment."""
        text, start = self._text, self.position
        end = text.find(">", start) + 1
        if text.startswith("<?", start) and (close := text.find("?>", start, start + 4_096)) >= 0:
            end = close + 2
        elif text[start : start + 9].lower() == "<!doctype" and "[" in text[start:end]:
            closed = _SUBSET_END.match(text, self._end(r"\]\s*>", start))
            end = closed.end() if closed else end
            for name, double, single in _ENTITY.findall(text[start:end])[:_ENTITIES]:
                self._entities.setdefault(name, html.unescape(re.sub(r"<[^<>]*>", "", double or single)))
        self.position = end

    def _tag(self, named: re.Match[str]) -> Token:
        text = self._text
        name = named[1].lower()
        if self._xml:
            name = name.rpartition(":")[2]
        attributes = self._attributes(named.end())
        if text[named.start() + 1] == "/":
            return End(name)
        closed = text[self.position - 2] == "/"
        if name in self._opaque and not (closed and self._xml):
            self._raw = name
        return Start(name, attributes, closed)

    def _attributes(self, position: int) -> dict[str, str]:
        """Those of a tag from here on; reads to its end."""
        text = self._text
        attributes: dict[str, str] = {}
        while True:
            gap = _BETWEEN.match(text, position)
            position = gap.end() if gap else position
            if text[position : position + 1] in {">", ""}:
                break
            found = _ATTRIBUTE.match(text, position)
            if found is None:
                position += 1
                continue
            value = found[2] or found[3] or found[4] or ""
            attributes.setdefault(found[1].lower(), html.unescape(value) if "&" in value else value)
            position = found.end()
        self.position = position + 1
        return attributes

    def _raw_text(self) -> Token | None:
        """What stands in an element that holds no tags, up to its end."""
        name, self._raw = self._raw, ""
        text, start = self._text, self.position
        end = self._end(rf"</(?:[\w.-]{{1,20}}:)?{name}[\s/>]", start)
        close = end < len(text)
        if not close and name in _WITH_ENTITIES:
            return None
        if not close or (name in _SCRIPTS and _NO_SCRIPT.search(text, start, end)):
            self.remark(f"a <{name}> that does not end was passed over up to the next paragraph")
            block = _BLOCK.search(text, start)
            self.position = block.start() if block else len(text)
            return End(name)
        self.position = end
        raw = text[start:end]
        return Text(html.unescape(raw) if name in _WITH_ENTITIES else raw) if raw else None
