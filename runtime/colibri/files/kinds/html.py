"""HTML to the text that it shows."""

import re
from html.parser import HTMLParser

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)


def declared_encoding(data: bytes) -> str | None:
    """What a page says its encoding is, in its first 4 KB."""
    named = _CHARSET.search(data[:4_096])
    return named[1].decode("ascii", "replace") if named else None


def page_text(text: str) -> str:
    """What a page says."""
    page = _Page()
    page.feed(text)
    page.close()
    lines = re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(page.parts))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


class _Page(HTMLParser):
    """Text with a line for each block; what is never shown is left out."""

    _HIDDEN = frozenset({"script", "style", "noscript", "template", "svg", "math", "object", "iframe", "select"})
    _LINES = frozenset({"br", "tr", "li", "td", "th", "dt", "dd"})
    _BLOCKS = frozenset(
        "p div section article header footer main nav aside h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre "  # noqa: SIM905
        "figure figcaption form hr title address details summary".split()
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._hidden.append(tag)
        else:
            self._break(tag)
        self._verbatim += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        elif tag != "br":
            self._break(tag)
        self._verbatim -= tag == "pre" and self._verbatim > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data if self._verbatim else re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in self._BLOCKS:
            self.parts.append("\n\n")
        elif tag in self._LINES:
            self.parts.append("\n")
