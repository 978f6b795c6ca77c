"""Subtitles are what is said, at the time it is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.subtitles import read
from colibri.files.source import Source
from colibri.files.text import FileText, Place

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>The keeper</i> counts
{\\an8}gulls &amp; terns.

2
00:12:04,100 --> 00:12:05,000  X1:10 X2:20
- <font color="#fff">Forty</font>?
42

3
01:02:03,000 --> 01:02:04,000
I <3 gulls, R&D.
"""


def text_of(data: str | bytes) -> FileText:
    return read(Source(name="a.srt", data=data.encode() if isinstance(data, str) else data))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_subrip(end: str, codec: str) -> None:
    found = text_of(SRT.replace("\n", end).encode(codec))
    assert found.text == "The keeper counts\ngulls & terns.\n- Forty?\n42\nI <3 gulls, R&D."
    assert found.places == (Place(0, "00:00:01"), Place(33, "00:12:04"), Place(45, "01:02:03"))
    assert found.text[45:].startswith("I <3")


def test_subrip_without_numbers_or_empty_lines() -> None:
    assert (
        text_of("0:00:01.5 --> 0:00:02.5\na\n0:00:03,5 --> 0:00:04,5\nb\n\n\n7\n0:00:05,5 --> 0:00:06\n\nc").text
        == "a\nb\nc"
    )
    assert text_of("1\n00:00:01,000 --> 00:00:02,000\na\n2\n00:00:03,000 --> 00:00:04,000\nb").text == "a\nb"


WEB = """WEBVTT - Night watch
Kind: captions
Language: de

STYLE
::cue { color: red }

NOTE a note
of two lines

intro
00:01.000 --> 00:02.000 align:start
<v Ann Lee>Is it <c.loud>dark</c>?
<v.loud Bob>Yes.</v>

NOTE left

00:00:03.000 --> 00:00:04.000
&lt;silence&gt; <00:00:03.500>now

REGION
id:x
"""


def test_webvtt() -> None:
    found = text_of(WEB)
    assert found.text == "Ann Lee: Is it dark?\nBob: Yes.\n<silence> now"
    assert found.places == (Place(0, "00:00:01"), Place(31, "00:00:03"))
    assert (found.title, found.language) == ("Night watch", "de")


def test_lines_that_roll_are_read_once() -> None:
    times = ("00:01.000 --> 00:02.000", "00:02.000 --> 00:02.010", "00:03.000 --> 00:04.000")
    said = ("one", "one", "one\ntwo<00:03.500><c> words</c>")
    rolling = "WEBVTT\n\n" + "".join(f"{time}\n{line}\n\n" for time, line in zip(times, said, strict=True))
    assert text_of(rolling).text == "one\ntwo words"
    assert text_of(rolling.removeprefix("WEBVTT\n\n")).text == "one\none\none\ntwo words"


ASS = """[Script Info]
Title: Harbour
[V4+ Styles]
Format: Name, Fontname
Style: Default,Arial
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,not shown
Dialogue: 0,0:00:01.00,0:00:02.00,Default,Ann,0,0,0,,{\\i1}Ropes,{\\i0} knots\\Nand\\hbuoys
Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 10 10{\\p0}
Dialogue: 0,1:00:05.00,1:00:06.00,Default,,0,0,0,,Tide
"""


def test_substation_alpha() -> None:
    found = text_of(ASS)
    assert found.text == "Ropes, knots\nand buoys\nTide"
    assert found.places == (Place(0, "00:00:01"), Place(23, "01:00:05"))
    assert found.title == "Harbour"


def test_no_subtitles() -> None:
    assert [text_of(data).text for data in ("", "WEBVTT", "plain\ntext", "00:00:01,000 --> 00:00:02,000")] == [""] * 4


@given(st.text("0123:,.->< \n\\{}aDialogue[]WEBVTTNOTE", max_size=150))
def test_any_text_is_read(data: str) -> None:
    for before in ("", "WEBVTT\n\n", "[Events]\nDialogue: 0,"):
        assert isinstance(text_of(before + data), FileText)


def test_long_lines_take_no_long_time() -> None:
    for part in ("<v a", "{\\a", "<", "&", "00:"):
        assert isinstance(text_of("00:00:01,000 --> 00:00:02,000\n" + part * 100_000), FileText)
