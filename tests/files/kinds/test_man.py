"""Manual pages are read as a terminal shows them."""

import gzip
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.man import read
from colibri.files.kinds.roff import STRINGS, arguments, printed
from colibri.files.source import Source
from colibri.files.text import FileText

PAGE = r"""'\" t
.\" a comment
.TH KETTLE 1 2024-05-03 "harbour 2.1" "User Commands"
.ie \n(.g .ds Aq \(aq
.el       .ds Aq '
.de CMD
.B \\$1
(\\$2)
..
.SH NAME
kettle \- boil water
.SH SYNOPSIS
.B kettle
[\fB\-v\fR]
.RI [ OPTION ]...
.SH "THE OPTIONS"
Boils \fIwater\fP \(em
or vinegar\&.  It\*(Aqs
hot.\" not shown

.TP
.BR \-v ", " \-\-verbose
say \(lqmore\(rq
.TP 8
.B \-x
extract\c
ed
.IP \(bu 2
first
.IP \(bu 2
second
.SS Files
.nf
/etc/kettle.conf
    indented
.fi
after
.if t only on paper
.if n \{\
on a terminal
.\}
.ie t paper
.el no paper
.CMD ls "lists files"
.UR https://example.org
The site
.UE .
.ig
ignored
..
.so man1/other.1
.SH "SEE ALSO"
.BR ls (1),
.MR cat 1 .
"""


def text_of(data: str | bytes) -> FileText:
    return read(Source(name="a.1", data=data.encode() if isinstance(data, str) else data))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_page_of_man(end: str) -> None:
    found = text_of(PAGE.replace("\n", end))
    assert found.text == (
        "KETTLE(1)\n\nNAME\n\nkettle - boil water\n\nSYNOPSIS\n\nkettle [-v] [OPTION]...\n\nTHE OPTIONS\n\n"
        "Boils water — or vinegar.  It's hot.\n\n-v, --verbose\nsay “more”\n\n-x\nextracted\n\n• first\n\n• second\n\n"
        "Files\n\n/etc/kettle.conf\n    indented\nafter on a terminal no paper ls (lists files) The site "
        "<https://example.org>.\n\nSEE ALSO\n\nls(1), cat(1)."
    )
    assert [place.label for place in found.places] == [
        "NAME",
        "SYNOPSIS",
        "THE OPTIONS",
        "THE OPTIONS > Files",
        "SEE ALSO",
    ]
    assert all(found.text[place.start :].startswith(place.label.split(" > ")[-1]) for place in found.places)
    assert (found.title, found.modified) == ("KETTLE(1)", "2024-05-03")
    assert found.remarks == ("the text stands in man1/other.1",)


MDOC = r""".Dd May 3, 2024
.Dt KETTLE 8
.Os
.Sh NAME
.Nm kettle
.Nd boil water
.Sh SYNOPSIS
.Nm
.Op Fl v | x
.Op Fl f Ar file , Ns Ar more
.Ar
.Sh DESCRIPTION
The
.Nm
utility reads
.Pa /etc/kettle
.Pq see Xr kettle.conf 5 ,
or
.Dq hot water .
.Bl -tag -width x
.It Fl v , Cm verbose
Says
.Ql more .
.It Fl x
Ends.
.El
.Bl -bullet
.It
one
.It
two
.El
.Bd -literal
raw   text
.Ed
.Fo boil
.Fa "int degrees"
.Fc
.Ex -std
.Pf ( Ns Em x Ns )
.Oo
.Ar a
.Oc
.Bx 4.3
.Lk https://example.org site .
.Ss Notes
.Dl kettle -v
"""


def test_a_page_of_mdoc() -> None:
    found = text_of(MDOC)
    assert found.text == (
        "KETTLE(8)\n\nNAME\n\nkettle – boil water\n\nSYNOPSIS\n\nkettle [-v | -x] [-f file,more] file ...\n\n"
        "DESCRIPTION\n\nThe kettle utility reads /etc/kettle (see kettle.conf(5)), or “hot water”.\n\n"
        "-v, verbose\nSays ‘more’.\n\n-x\nEnds.\n\n• one\n\n• two\n\nraw   text\n\nboil(int degrees) "
        "The kettle utility exits 0 on success, and >0 if an error occurs. (x) [a] BSD 4.3 site <https://example.org>.\n\n"
        "Notes\n\nkettle -v"
    )
    assert found.places[-1].label == "DESCRIPTION > Notes"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"\fBbold\fR \f(CWcode\fP \f[I]it\f[]", "bold code it"),
        (
            r"a\-b\(hyc \(em \[en] \(co \[u00E9] \[u0065_0301] \['e] \(:u \(ss \(,c \(oA \[e aa]",
            "a-b-c — – © é é é ü ß ç Å é",
        ),
        (r"\s-1SMALL\s0 \s+2x\s-2 \s[10]y\s(12z", "SMALL x yz"),
        (r"C:\ebin\e\(rs \\", "C:\\bin\\\\ \\"),
        (r"a\|b\^c\&d\%e\:f\/g\,h\ i\~j\0k", "abcdefgh i j k"),
        (r"\*(Aq\*(lqx\*(rq \*R \*[Gt] \*(zz", "'“x” ® > "),
        (r"\h'-04'\(bu\h'+03'x \v'1'y \o'ae' \N'65' \C'em' \w'abc'", "•x y ae A — "),
        (r"\m[red]x\m[] \n(.g \n[.x] \$1 \u^\d", "x    ^"),
        ("trailing \\", "trailing "),
        ('text \\" comment', "text "),
        ("text \\# comment", "text "),
    ],
)
def test_escapes(raw: str, text: str) -> None:
    assert printed(raw, STRINGS) == text


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ('a "b c" d', ["a", "b c", "d"]),
        ('"say ""x""" y', ['say "x"', "y"]),
        (r"a\ b c", [r"a\ b", "c"]),
        (r"a \" comment", ["a"]),
        ('"open', ["open"]),
        ('""', [""]),
        ("", []),
    ],
)
def test_arguments(raw: str, words: list[str]) -> None:
    assert arguments(raw) == words


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (".SH\nNext line\ntext", "Next line\n\ntext"),
        (".TS\ntab(;) box;\nl l\nl l.\na;b\n_\nc;T{\nlong\ncell\nT}\n.TE\nafter", "a\tb\nc\tlong cell\n\nafter"),
        (".EQ\nx sup 2\n.EN\nafter", "x sup 2 after"),
        (".ds NAME kettle\nthe \\*[NAME] and \\*(xx.", "the kettle and ."),
        (".de A\n.A\nx\n..\n.A\ny", "x y"),
        (".de A\n.B2\n..\n.de B2\n.A\nx\n..\n.A\ny", None),
        (".if !'po4a'hide' shown\n.if 'a'b' hidden\n.if \\n(xx hidden", "shown"),
        (".if n \\{\\\n.if t \\{\nhidden\n.\\}\nshown\n.\\}\nafter", "shown after"),
        ("joined \\\nlines", "joined lines"),
        (".unknown macro\ntext", "text"),
        (".Vb 2\n", ""),
        ("'br\ntext", "text"),
        ("", ""),
        (".", ""),
        (".de A\nnever ends", ""),
        ('.de Sp \\" space\n.if t .sp .5v\n.if n .sp\n..\none\n.Sp\ntwo', "one\n\ntwo"),
    ],
)
def test_what_pages_do(page: str, text: str | None) -> None:
    found = text_of(page).text
    assert text is None or found == text


def test_the_encoding_that_a_page_names() -> None:
    page = "'\\\" -*- coding: ISO-8859-2 -*-\n.TH X 1\n.SH POPIS\nškůdce"
    assert text_of(page.encode("iso8859-2")).text.endswith("POPIS\n\nškůdce")


PAGES = sorted(Path("/usr/share/man").glob("man[1-8]/*.gz"))[::600][:20]


@pytest.mark.skipif(not (PAGES and shutil.which("groff")), reason="needs groff and pages to read")
def test_pages_of_this_machine_have_the_words_that_groff_prints() -> None:
    wanted, found = Counter[str](), Counter[str]()
    for path in PAGES:
        data = gzip.decompress(path.read_bytes())
        if data.startswith(b".so "):
            continue
        form = ["groff", "-Tutf8", "-mandoc", "-t", "-P-cbou", "-rLL=400n", "-rHY=0", "-K", "utf-8"]
        shown = subprocess.run(form, input=data, capture_output=True, check=False).stdout.decode("utf-8", "replace")
        # Without the head and the foot, which are no text of the page.
        lines = [line for line in re.sub(".\x08", "", shown).split("\n") if line.strip()][1:-1]
        wanted.update(re.findall(r"\w+", "\n".join(lines)))
        found.update(re.findall(r"\w+", text_of(data).text))
    assert (wanted & found).total() >= 0.98 * wanted.total()


@given(st.lists(st.text(".'\\\"*([{}$1fnd TPSHBIeilwOpFl-|", max_size=20), max_size=12))
def test_any_text_is_read(lines: list[str]) -> None:
    for before in ("", ".de A\n", ".Nm x\n", ".TS\nl.\n", ".if n \\{\n"):
        assert isinstance(text_of(before + "\n".join(lines)), FileText)


@pytest.mark.parametrize(
    "part",
    ["\\", "\\[", "\\h'", '"', '.B "', "\\*[", "a ", ".if n \\{\n", ".de A\n", ".Op ", "Op ", "\n.A", ".TS\n", "\\fB"],
)
def test_long_lines_and_many_take_no_long_time(part: str) -> None:
    assert isinstance(text_of(part * 4_000), FileText)
    assert isinstance(text_of(".B " + part * 4_000), FileText)
