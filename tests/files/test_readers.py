"""What text there is in a file, and that damaged ones cost only themselves."""

import io
import random
import zipfile
from pathlib import Path

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri import InputError
from colibri.errors import ColibriError
from colibri.files import readers
from colibri.files.readers import html_text, plain_text, records, text_of
from colibri.files.text import Unreadable


def pdf(*pages: str) -> bytes:
    """A PDF of these pages, one line each."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for i, text in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents {5 + 2 * i} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        stream = f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    return out + (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} /Root 1 0 R >>\n"
        f"startxref\n{len(out)}\n%%EOF\n"
    ).encode("latin-1")


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Birds", 1)
    document.add_paragraph("A colibri is small.")
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "left", "right"
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def book(**files: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(name.replace("__", "/").replace("_dot_", "."), text)
    return file.getvalue()


EPUB = book(
    **{
        "META-INF__container_dot_xml": '<container xmlns="urn:c"><rootfiles><rootfile full-path="O/p.opf"/></rootfiles>'
        "</container>",
        "O__p_dot_opf": '<package xmlns="urn:p"><manifest><item id="b" href="b%20b.xhtml"/>'
        '<item id="a" href="a.xhtml"/></manifest><spine><itemref idref="b"/><itemref idref="a"/></spine></package>',
        "O__a_dot_xhtml": "<html><body><p>Second chapter.</p></body></html>",
        "O__b b_dot_xhtml": "<html><body><p>First chapter.</p></body></html>",
    }
)


@pytest.mark.parametrize(
    ("name", "data", "wanted"),
    [
        ("a.txt", b"plain \xc3\xbc", "plain ü"),
        ("a.txt", b"\xef\xbb\xbfmark", "mark"),
        ("a.txt", "ümlaut".encode("utf-16"), "ümlaut"),
        ("a.txt", b"caf\xe9", "café"),
        ("a.unknown", b"text", "text"),
        ("a.html", b"<p>One &amp; two</p><script>no()</script><p>three", "One & two\n\nthree"),
        ("a.pdf", pdf("First page", "Second page"), "First page\n\nSecond page"),
        ("a.docx", word(), "Birds\n\nA colibri is small.\n\nleft\tright"),
        ("a.epub", EPUB, "First chapter.\n\nSecond chapter."),
    ],
)
def test_the_text_of_each_kind(name: str, data: bytes, wanted: str) -> None:
    assert text_of(Path(name), data) == wanted


def test_pages_say_their_encoding() -> None:
    assert html_text(b'<meta charset="windows-1251"><p>\xcf\xf2\xe8\xf6\xe0') == "Птица"
    assert html_text("<meta charset=nonsense><p>ü".encode()) == "ü"


def test_what_a_page_hides_is_no_text() -> None:
    page = "<title>T</title><style>p{}</style><pre>a\n  b</pre><ul><li>x<li>y</ul><svg><text>no</text></svg>end"
    assert html_text(page.encode()) == "T\n\na\nb\n\nx\ny\n\nend"


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.epub"])
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"%PDF-1.4\n", b"\xff" * 100, EPUB[:-50], pdf("x")[:200]])
def test_damaged_files_are_unreadable_or_have_a_text(name: str, data: bytes) -> None:
    try:
        assert isinstance(text_of(Path(name), data), str)
    except Unreadable as error:
        assert str(error)  # noqa: PT017 - either is right


@pytest.mark.parametrize(("name", "whole"), [("a.pdf", pdf("Some text", "more")), ("a.docx", word()), ("a.epub", EPUB)])
def test_any_damage_is_survived(name: str, whole: bytes) -> None:
    chances = random.Random(name)
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(chances.randint(1, 20)):
            data[chances.randrange(len(data))] = chances.randrange(256)
        try:
            text_of(Path(name), bytes(data[: chances.randint(1, len(data))]))
        except ColibriError:
            continue


def test_a_small_file_that_unpacks_to_gigabytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_UNPACKED", 1 << 20)
    for name in ("a.epub", "a.docx"):
        with pytest.raises(Unreadable, match="unpacks to"):
            text_of(Path(name), book(x="0" * (2 << 20)))


def test_binary_data_is_no_text() -> None:
    with pytest.raises(Unreadable, match="binary"):
        plain_text(b"\x7fELF\x00\x00")


@given(st.binary(max_size=300))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    for reader in (plain_text, html_text):
        try:
            assert isinstance(reader(data), str)
        except Unreadable:
            assert b"\0" in data


def test_rows_of_jsonl_and_csv() -> None:
    rows = list(records(Path("a.jsonl"), b'{"text": "one", "n": 1}\n\n{"text": "two"}\n', None, None))
    assert [(row.line, row.text, row.id, row.fields) for row in rows] == [
        (1, "one", None, {"n": 1}),
        (3, "two", None, {}),
    ]
    rows = list(records(Path("a.csv"), b'id,body\nx,"a\nb"\ny,c\n', "body", "id"))
    assert [(row.text, row.id, row.fields) for row in rows] == [("a\nb", "x", {"id": "x"}), ("c", "y", {"id": "y"})]
    rows = list(records(Path("a.tsv"), b"a\tb\n1\t2\n", None, None))
    assert [row.text for row in rows] == ["1\n2"]


@pytest.mark.parametrize(
    ("data", "text_field", "error"),
    [
        (b"{", None, Unreadable),
        (b"[1]", None, Unreadable),
        (b"[" * 100_000, None, Unreadable),
        (b'{"text": 5}', None, InputError),
        (b'{"a": "b"}', "body", InputError),
        (b"\x00", None, Unreadable),
    ],
)
def test_rows_that_are_none(data: bytes, text_field: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        list(records(Path("a.jsonl"), data, text_field, None))
