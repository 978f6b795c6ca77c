"""RTF: the letters, what is shown and what is not, notes, tables, and files that are cut or damaged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.rtf import read
from colibri.files.source import Source
from colibri.files.text import FileText, Unreadable

FONTS = (
    r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial CYR;}{\f2\fcharset128 MS Mincho;}{\f3\fcharset134 SimSun;}"
    r"{\f4\fcharset129 Batang;}{\f5\fcharset136 MingLiU;}{\f6\fcharset161 Greek{\*\falt Arial};}{\f7\fcharset2 Symbol;}"
    r"{\f8\fcharset238 CE;}{\f9\fcharset177 Hebrew;}{\f10\fcharset178 Arabic;}{\f11\fcharset222 Thai;}"
    r"{\f12\fcharset163 Vietnam;}}"
)


def rtf(body: str | bytes, head: str = r"\ansi\ansicpg1252\deff0" + FONTS) -> FileText:
    data = body if isinstance(body, bytes) else body.encode("latin-1")
    return read(Source(name="a.rtf", data=b"{\\rtf1" + head.encode() + data + b"}"))


def escaped(text: str, encoding: str) -> str:
    return "".join(f"\\'{byte:02x}" for byte in text.encode(encoding))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"one\par two", "one\n\ntwo"),
        (r"one\line two\tab three", "one\ntwo\tthree"),
        (r"\lquote a\rquote  \ldblquote b\rdblquote\emdash c\endash d\bullet\~e\_f g\-h", "‘a’ “b”—c–d• e-f gh"),
        (r"\{braces\} and a \\ stroke", "{braces} and a \\ stroke"),
        ("a line\r\nend in the\n file", "a lineend in the file"),
        ("one\\\ntwo", "one\n\ntwo"),
        (r"shown {\v hidden}{\v\v0 again}\v gone\plain  back", "shown again back"),
        (r"kept{\deleted dropped} too", "kept too"),
        (r"{\*\unknown never}{\stylesheet{\s1 Heading 1;}}{\colortbl;\red0;}text", "text"),
        (r"a{\pict\wmetafile8 0102abcdef}b{\object{\*\objdata 0102}{\result shown}}c", "abshownc"),
        (r"see {\field{\*\fldinst HYPERLINK http://a.example}{\fldrslt the page}}.", "see the page."),
        (r"{\upr{plain}{\*\ud{better}}} end", "better end"),
        (r"{\*\shppict{\pict 00}}{\nonshppict{\pict 00}}x", "x"),
        (r"before\bin6 }}}{{{after", "beforeafter"),
        (r"{\pict\bin4 }}{{}x", "x"),
    ],
)
def test_what_is_shown(body: str, text: str) -> None:
    found = rtf(body)
    assert found.text == text
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"\u8364?5", "€5"),
        (r"\uc0\u8364 5", "€5"),
        (r"\uc2\u8364\'80\'81 5", "€ 5"),
        (r"\uc3\u8364{}5", "€5"),
        (r"\uc1\u8364\tab 5", "€5"),
        (r"{\uc0 \u233 a}\u233 ?b", "éaéb"),
        (r"\u-10179?\u-8704?", "\U0001f600"),
        (r"\u55357?\u56832?", "\U0001f600"),
        (r"\u128512?", "\U0001f600"),
        (r"a\u55357?b\u56832?c", "abc"),
        (r"\uc1\u1041abc", "Бbc"),
        (r"\uc1\u1041\bin3 }}}\'d0x", "БÐx"),
    ],
)
def test_unicode_and_what_stands_for_it(body: str, text: str) -> None:
    found = rtf(body).text
    assert found == text
    assert not any("\ud800" <= char <= "\udfff" for char in found)


@pytest.mark.parametrize(
    ("font", "text", "encoding"),
    [
        (0, "Größe “fünf” €", "cp1252"),
        (1, "Склад у реки", "cp1251"),
        (2, "表示する図書館ソ能", "cp932"),
        (3, "仓库的温度", "gbk"),
        (4, "도서관은 쉽니다", "cp949"),
        (5, "圖書館功能", "cp950"),
        (6, "Κάθε πρωί", "cp1253"),
        (8, "Příliš žluťoučký", "cp1250"),
        (9, "משרד הנמל", "cp1255"),
        (10, "مكتب الميناء", "cp1256"),
        (11, "สำนักงานท่าเรือ", "cp874"),
    ],
)
def test_letters_are_those_of_the_font(font: int, text: str, encoding: str) -> None:
    assert rtf(f"\\f{font} {escaped(text, encoding)}\\f0  end").text == f"{text} end"
    raw = text.encode(encoding).replace(b"\\", b"\\\\").replace(b"{", b"\\{").replace(b"}", b"\\}")
    assert rtf(b"\\f%d " % font + raw).text == text


def test_a_letter_of_two_bytes_may_be_half_escaped() -> None:
    assert rtf(rb"\f2 \'83A\'83\\x").text == "アソx"


@pytest.mark.parametrize(
    ("head", "said", "text"),
    [
        (r"\ansi\ansicpg1251\deff0{\fonttbl{\f0 Arial;}}", "cp1251", "Склад"),
        (r"\ansi\ansicpg1251\deff0{\fonttbl{\f0\fcharset0 Arial;}}", "cp1251", "Склад"),
        (r"\ansi\ansicpg1251\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}}", "cp1252", "café"),
        (r"\ansi\ansicpg1250", "cp1250", "žluť"),
        (r"\ansi\ansicpg65001", "utf-8", "Größe"),
        (r"\ansi\ansicpg99999", "cp1252", "Größe"),
        (r"\mac", "mac_roman", "Größe"),
        (r"\pc", "cp437", "Größe"),
        (r"\ansi\deff0{\fonttbl{\f0\fnil\cpg866 Terminal;}}", "cp866", "Склад"),
        (r"\ansi\deff5{\fonttbl{\f0\fcharset0 A;}{\f5\fcharset161 B;}}", "cp1253", "Κάθε"),
    ],
)
def test_letters_without_a_font_are_those_of_the_file(head: str, said: str, text: str) -> None:
    assert rtf(escaped(text, said), head).text == text


def test_bullets_of_symbol_fonts_are_bullets() -> None:
    assert rtf(r"{\f7\'b7}\tab one\par {\listtext\f7\u-3913?\tab}two").text == "• one\n• two"


def test_a_table_is_rows_of_cells() -> None:
    row = r"\trowd\intbl {}\cell {}\cell\row "
    body = (
        r"before\par "
        + row.format("Gauge", "Height").replace("Height", r"Height\par in metres")
        + row.format("Quay", "3.75")
    )
    assert rtf(body + r"\pard after").text == "before\n\nGauge\tHeight\nin metres\nQuay\t3.75\n\nafter"


def test_a_table_within_a_cell_keeps_its_rows() -> None:
    inner = r"\pard\intbl\itap2 {}\nestcell {}\nestcell{{\*\nesttableprops\trowd\cellx1\nestrow}}{{\nonesttables\par}}"
    body = r"\trowd\intbl outer\cell " + inner.format("a", "b") + inner.format("c", "d") + r"\pard\intbl\cell\row"
    assert rtf(body).text == "outer\ta\tb\nc\td"


def test_notes_headers_and_boxes_stand_once_and_behind() -> None:
    body = (
        r"{\header Letterhead\par}{\headerf Letterhead\par}Body{\super\chftn}"
        r"{\footnote\pard\plain{\super\chftn} A note.} on."
        r"{\shp{\*\shpinst{\sp{\sn a}{\sv 1}}{\shptxt In the box.\par}}{\shprslt{\*\do{\dptxbxtext In the box.}}}}"
        r"{\*\atnid AB}{\*\atnauthor Ann}{\*\annotation{\*\atnref 1}A remark.}\par Next."
    )
    assert rtf(body).text == "Body on.\n\nNext.\n\nLetterhead\n\nA note.\n\nIn the box.\n\nA remark."


def test_headings_are_places() -> None:
    body = (
        r"\pard\outlinelevel0 Harbour\par\pard text\par\pard\outlinelevel1 Winter\par\pard ice\par"
        r"\pard\outlinelevel1 Summer\par\pard sun\par\pard\outlinelevel0 Boats\par\pard sails"
    )
    found = rtf(body)
    assert [place.label for place in found.places] == ["Harbour", "Harbour > Winter", "Harbour > Summer", "Boats"]
    assert found.text[found.places[2].start :].startswith("Summer\n\nsun")


def test_what_the_file_says_of_itself_is_kept() -> None:
    info = (
        r"{\info{\title Harbour \u8211?rules}{\author R. M\'fcller}{\operator X}{\keywords k}"
        r"{\creatim\yr2024\mo1\dy31\hr12\min5}{\revtim\yr2025\mo13\dy1}}"
    )
    found = rtf(info + "text")
    assert (found.title, found.author, found.created, found.modified) == (
        "Harbour –rules",
        "R. Müller",
        "2024-01-31T12:05:00",
        None,
    )
    assert found.text == "text"


def test_a_file_that_is_cut_keeps_what_there_is() -> None:
    found = read(Source(name="a.rtf", data=rb"{\rtf1\ansi One paragraph.\par{\b Another"))
    assert found.text == "One paragraph.\n\nAnother"
    assert found.remarks == ("its end is missing",)


def test_blanks_without_end_take_no_long_time() -> None:
    assert rtf("a" + " " * 2_000_000 + r"b \line  c").text.split("\n") == ["a" + " " * 2_000_000 + "b", "c"]


def test_groups_nested_without_end_are_left_out() -> None:
    found = rtf("before " + "{" * 20_000 + "deep" + "}" * 20_000 + "after")
    assert found.text == "before after"
    assert found.remarks == ("groups within more than 1,000 others are left out",)


@pytest.mark.parametrize("data", [b"", b"plain text", b"LZFu\x00\x01", b"{\\rt"])
def test_what_is_no_rtf_is_said(data: bytes) -> None:
    with pytest.raises(Unreadable, match="not RTF"):
        read(Source(name="a.rtf", data=data))


@given(
    st.lists(
        st.sampled_from(
            [
                "{",
                "}",
                r"\par ",
                r"\u-10179?",
                r"\u56832 ",
                r"\uc3",
                r"\'8",
                r"\'83",
                r"\bin9999 ",
                "text",
                r"\*\x",
                r"\row",
                r"\fonttbl",
                r"\info",
                r"\title",
                r"\creatim\yr-5",
                r"\footnote",
                r"\upr",
                r"\ud",
                r"\f2",
                r"\v",
                "\0",
                r"\ansicpg0",
            ]
        )
    )
)
def test_any_order_of_words_gives_clean_text(words: list[str]) -> None:
    found = rtf("".join(words))
    found.text.encode()
    assert "\0" not in found.text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Co"]), min_size=1))
def test_text_that_is_written_comes_back(text: str) -> None:
    units = text.encode("utf-16-le")
    numbers = [int.from_bytes(units[i : i + 2], "little", signed=True) for i in range(0, len(units), 2)]
    assert rtf("".join(f"\\u{number}?" for number in numbers)).text == text
