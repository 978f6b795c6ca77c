"""Matched spans as HTML and Markdown: a browser's and CommonMark's own parsers read back the text and its marks."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from colibri.compat.highlighting import Form, highlighted
from colibri.errors import InputError, InputTypeError


def match(start: int, end: int, strength: float = 1.0) -> dict[str, Any]:
    return {"start": start, "end": end, "strength": strength}


class _Read(HTMLParser):
    """What a browser would show: tags, text, and the text within marks."""

    def __init__(self, page: str, mark: str) -> None:
        super().__init__()
        self.mark, self.inside = mark, False
        self.tags: set[str] = set()
        self.text, self.marked = "", []  # type: str, list[str]
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag == self.mark:
            self.inside = True
            self.marked.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != self.mark

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.inside:
            self.marked[-1] += data


def test_words_are_marked_with_their_strength() -> None:
    text = "Berlin has 3.7 million people."
    found = [match(11, 22), match(0, 6, 0.5)]
    assert highlighted(text, found) == (
        '<mark data-strength="0.5">Berlin</mark> has <mark data-strength="1">3.7 million</mark> people.'
    )
    assert highlighted(text, found, "markdown") == r"**Berlin** has **3\.7 million** people\."
    assert highlighted(text, found, least=0.6) == 'Berlin has <mark data-strength="1">3.7 million</mark> people.'
    assert highlighted(text, []) == text


def test_markup_in_the_text_stays_text() -> None:
    text = '<script>alert("x")</script> & **bold** [a](javascript:b) `c`'
    page = highlighted(text, [match(1, 7)])
    assert page.startswith('&lt;<mark data-strength="1">script</mark>&gt;alert(&quot;x&quot;)')
    assert _Read(page, "mark").tags == {"mark"}
    rendered = MarkdownIt("commonmark").render(highlighted(text, [match(1, 7)], "markdown"))
    assert _Read(rendered, "strong").tags == {"p", "strong"}
    assert _Read(rendered, "strong").text.strip() == text
    assert _Read(rendered, "strong").marked == ["script"]


def test_overlapping_matches_become_one() -> None:
    assert highlighted("abcdef", [match(2, 5, 0.9), match(0, 3, 0.4)]) == '<mark data-strength="0.9">abcde</mark>f'
    # Two that touch stay two, but not in Markdown, where four asterisks are no mark.
    assert highlighted("abcd", [match(0, 2), match(2, 4, 0.5)]).count("<mark") == 2
    assert highlighted("abcd", [match(0, 2), match(2, 4, 0.5)], "markdown") == "**abcd**"


def test_asterisks_stand_where_they_mean_bold() -> None:
    """Not beside white space and punctuation, and not across lines."""
    assert highlighted("a (b) c", [match(1, 6)], "markdown") == r"a \(**b**\) c"
    assert highlighted("a -- c", [match(2, 4)], "markdown") == r"a \-\- c"
    assert highlighted("one\n\ntwo", [match(0, 8)], "markdown") == "**one**\n\n**two**"


_HURTS = "a*_<&>`\\#!|~[]()-+=.1\"' \t\n\r\x00\x0bé東京م🙂\u0301\u3000“”"
_TEXTS = st.text(st.sampled_from(_HURTS) | st.characters(), max_size=60)
_SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.floats(0, 1)), max_size=6)


def inside(text: str, spans: list[tuple[int, int, float]]) -> list[dict[str, Any]]:
    return [match(start, end, strength) for start, end, strength in spans if start <= end <= len(text)]


def covered(spans: list[dict[str, Any]]) -> set[int]:
    return {at for one in spans for at in range(one["start"], one["end"])}


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@given(_TEXTS, _SPANS)
@example("a\r\n<b>", [(0, 6, 1.0)])
def test_a_browser_shows_the_very_text(text: str, spans: list[tuple[int, int, float]]) -> None:
    page = _Read(highlighted(text, inside(text, spans)), "mark")
    shown = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
    assert page.text == shown
    assert page.tags <= {"mark"}
    assert "".join(page.marked) == "".join(shown[at] for at in sorted(covered(inside(text, spans))))
    highlighted(text, inside(text, spans)).encode()


@pytest.mark.parametrize("parser", [MarkdownIt("commonmark"), MarkdownIt("gfm-like", {"linkify": False})])
@given(text=_TEXTS, spans=_SPANS)
@example(text="    code\n\tmore  \n1. a\n- b\n===\n| a |\n|---|\n# c", spans=[(4, 8, 1.0)])
@example(text="x\\\ny  \r\nz \\", spans=[(0, 1, 1.0)])
@example(text="中文“字”中文", spans=[(2, 5, 1.0)])
@example(text="&amp; &#42; ![a](b) <http://c> ~~d~~ http://e.f", spans=[])
def test_commonmark_shows_the_very_text(parser: MarkdownIt, text: str, spans: list[tuple[int, int, float]]) -> None:
    """White space aside, of which Markdown keeps what words need. Marked is what was matched, without its edges."""
    page = _Read(parser.render(highlighted(text, inside(text, spans), "markdown")), "strong")
    shown = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
    assert page.tags <= {"p", "strong"}
    assert squeezed(page.text) == squeezed(shown)
    marked = covered(inside(text, spans))
    letters = [shown[at] for at in sorted(marked) if shown[at].isalnum()]
    assert [c for c in "".join(page.marked) if c.isalnum()] == letters


BERLIN = "Berlin"


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ({"text": None}, InputTypeError, "text: found NoneType"),
        ({"form": "latex"}, InputError, "form: found 'latex', wanted 'html' or 'markdown'"),
        ({"matches": "ab"}, InputTypeError, "matches: found str"),
        ({"matches": {"start": 0}}, InputTypeError, "matches: found dict"),
        ({"matches": [{"start": 0, "end": 1}]}, InputTypeError, r"matches\[0\]: found \{'start': 0, 'end': 1\}"),
        ({"matches": [match(0, 7)]}, InputError, r"matches\[0\]: characters 0 to 7 of a text of 6"),
        ({"matches": [match(2, 1)]}, InputError, r"matches\[0\]: characters 2 to 1"),
        ({"matches": [match(-1, 1)]}, InputError, r"matches\[0\]: characters -1 to 1"),
        ({"matches": [match(True, 2)]}, InputTypeError, "found characters True to 2"),
        ({"matches": [match(0, 1, 1.5)]}, InputError, r"matches\[0\].strength: found 1.5"),
        ({"matches": [match(0, 1, float("nan"))]}, InputError, "strength: found nan"),
        ({"least": "much"}, InputTypeError, "least: found str"),
        ({"least": -0.1}, InputError, "least: found -0.1"),
    ],
)
def test_bad_input_is_refused(words: dict[str, Any], kind: type[Exception], said: str) -> None:
    given: dict[str, Any] = {"text": BERLIN, "matches": [match(0, 6)]} | words
    form: Form = given.pop("form", "html")
    with pytest.raises(kind, match=said):
        highlighted(given["text"], given["matches"], form, least=given.get("least", 0.0))
