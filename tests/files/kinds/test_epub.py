"""A book is read in the order of its spine, and what is wrong with one chapter costs that chapter alone."""

import io
import random
import zipfile
import zlib

import pytest

from colibri.errors import ColibriError
from colibri.files.kinds.epub import read
from colibri.files.source import Budget, Source
from colibri.files.text import FileText, Unreadable
from files.kinds.cases import Case, cases, check

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)


def chapter(title: str, *paragraphs: str) -> str:
    body = f"<h1>{title}</h1>" if title else ""
    return (
        f'<html xmlns="x"><head><title/></head><body>{body}{"".join(f"<p>{p}</p>" for p in paragraphs)}</body></html>'
    )


def package(hrefs: list[str], more: str = "", metadata: str = "") -> str:
    items = "".join(
        f'<item id="c{n}" href="{href}" media-type="application/xhtml+xml"/>' for n, href in enumerate(hrefs)
    )
    order = "".join(f'<itemref idref="c{n}"/>' for n in range(len(hrefs)))
    return (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        f"<metadata>{metadata}</metadata><manifest>{items}{more}</manifest><spine>{order}</spine></package>"
    )


def packed(files: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in files.items():
            book.writestr(name, text)
    return file.getvalue()


def of(files: dict[str, str | bytes]) -> FileText:
    return read(Source(name="book.epub", data=packed({"META-INF/container.xml": CONTAINER, **files})))


def starts(found: FileText) -> list[tuple[str, str]]:
    """Each place with the line that begins there."""
    return [(place.label, found.text[place.start :].split("\n")[0]) for place in found.places]


@pytest.mark.parametrize("case", cases("epub"), ids=lambda case: case.name)
def test_the_cases(case: Case) -> None:
    found = read(case.source)
    check(case, found)
    assert found.remarks == (("chapter OEBPS/gone.xhtml is missing",) if "missing" in case.name else ())


def test_chapters_come_in_the_order_of_the_spine_under_their_titles_in_the_contents() -> None:
    nav = (
        '<html xmlns="x" xmlns:epub="y"><body><nav epub:type="landmarks"><a href="two.xhtml">Cover</a></nav>'
        '<nav epub:type="toc"><ol><li><a href="../text/Erste%20Seite.xhtml">One: the <i>tide</i></a></li>'
        '<li><a href="two.xhtml#x">Two</a></li></ol></nav></body></html>'
    )
    metadata = (
        "<dc:title>The Keeper</dc:title><dc:creator>Ann Bell</dc:creator><dc:creator>Bo Crane</dc:creator>"
        "<dc:language>en</dc:language><dc:date>2024-05-03</dc:date>"
        '<meta property="dcterms:modified">2024-05-04T10:00:00Z</meta>'
    )
    more = '<item id="n" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
    found = of(
        {
            "OPS/book.opf": package(["two.xhtml", "../text/Erste%20Seite.xhtml", "three.xhtml"], more, metadata),
            "OPS/nav.xhtml": nav,
            "OPS/two.xhtml": chapter("", "Second.") + "<!-- x -->",
            "text/Erste Seite.xhtml": chapter("High tide", "First."),
            "OPS/three.xhtml": '<html xmlns="x"><head><title>Postscript</title></head><p>Third.</p></html>',
        }
    )
    assert found.text == "Second.\n\nHigh tide\n\nFirst.\n\nThird."
    assert starts(found) == [("Two", "Second."), ("One: the tide > High tide", "High tide"), ("Postscript", "Third.")]
    assert (found.title, found.author, found.language) == ("The Keeper", "Ann Bell, Bo Crane", "en")
    assert (found.created, found.modified, found.remarks) == ("2024-05-03", "2024-05-04T10:00:00Z", ())


def test_a_book_of_version_2_has_its_titles_from_the_ncx() -> None:
    ncx = (
        '<ncx xmlns="x"><docTitle><text>Book</text></docTitle><navMap><navPoint><navLabel><text>Part one</text>'
        '</navLabel><content src="a.xhtml"/><navPoint><navLabel><text>Inside</text></navLabel>'
        '<content src="a.xhtml#in"/></navPoint>'
        "</navPoint></navMap></ncx>"
    )
    more = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    metadata = '<dc:date opf:event="modification">2024-05-04</dc:date><dc:date opf:event="publication">2024</dc:date>'
    files = {"OPS/book.opf": package(["a.xhtml"], more, metadata), "OPS/toc.ncx": ncx}
    found = of(
        {**files, "OPS/a.xhtml": chapter("Part one", "Text.").replace("</p>", "</p><h2>Inside</h2><p>More.</p>")}
    )
    assert starts(found) == [("Part one", "Part one"), ("Part one > Inside", "Inside")]
    assert (found.created, found.modified) == ("2024", "2024-05-04")


@pytest.mark.parametrize(
    ("title", "label", "wanted"),
    [
        ("", "", ""),
        ("Tides", "", "Tides"),
        ("", "Tides > High", "Tides > High"),
        ("Tides", "2. Tides > High", "2. Tides > High"),
        ("2: Tides", "Tides > High", "2: Tides > High"),
        ("Water", "Tides > High", "Water > Tides > High"),
    ],
)
def test_a_title_in_the_contents_and_a_heading_stand_once(title: str, label: str, wanted: str) -> None:
    heading = "".join(f"<h{level}>{part}</h{level}>" for level, part in enumerate(label.split(" > "), 1)) + "<p>x</p>"
    more = '<item id="n" href="nav.xhtml" properties="nav"/>'
    nav = f'<nav epub:type="toc"><a href="a.xhtml">{title}</a></nav>'
    found = of({"OPS/book.opf": package(["a.xhtml"], more), "OPS/nav.xhtml": nav, "OPS/a.xhtml": heading})
    assert (found.places[-1].label if found.places else "") == wanted


def test_names_in_other_capitals_or_without_the_sign_for_utf8_are_found() -> None:
    book = {"OPS/book.opf": package(["Text/A.XHTML", "%D0%B3.xhtml", "b%2520c.xhtml"])}
    found = of(
        {
            **book,
            "OPS/text/a.xhtml": chapter("", "One."),
            "OPS/г.xhtml": chapter("", "Two."),
            "OPS/b%20c.xhtml": "Three.",
        }
    )
    assert found.text == "One.\n\nTwo.\n\nThree."


def test_a_missing_a_damaged_and_an_unlisted_chapter_are_named() -> None:
    files = {
        "OPS/book.opf": package(["a.xhtml", "b.xhtml", "c.xhtml"]).replace("<spine>", '<spine><itemref idref="gone"/>')
    }
    data = packed(
        {"META-INF/container.xml": CONTAINER, **files, "OPS/a.xhtml": chapter("", "One."), "OPS/b.xhtml": "two " * 500}
    )
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        at = book.getinfo("OPS/b.xhtml").header_offset + 30 + len("OPS/b.xhtml")
    found = read(Source(name="book.epub", data=data[: at + 2] + b"\xff\xff\xff" + data[at + 5 :]))
    assert found.text == "One."
    unlisted, damaged, missing = found.remarks
    assert unlisted == "a chapter 'gone' is named that the book does not list"
    assert damaged.startswith("chapter OPS/b.xhtml is damaged (")
    assert missing == "chapter OPS/c.xhtml is missing"


def encryption(algorithm: str, *paths: str) -> str:
    data = "".join(
        f'<enc:EncryptedData><enc:EncryptionMethod Algorithm="{algorithm}"/><ds:KeyInfo><e:EncryptedKey>'
        f'<enc:EncryptionMethod Algorithm="rsa"/></e:EncryptedKey></ds:KeyInfo><enc:CipherData>'
        f'<enc:CipherReference URI="{path}"/></enc:CipherData></enc:EncryptedData>'
        for path in paths
    )
    return f'<encryption xmlns:enc="e" xmlns:ds="d">{data}</encryption>'


def test_encrypted_chapters_are_named_and_obfuscated_fonts_are_no_matter() -> None:
    files: dict[str, str | bytes] = {
        "OPS/book.opf": package(["a.xhtml", "b.xhtml"]),
        "OPS/a.xhtml": chapter("", "One."),
        "OPS/b.xhtml": b"\x93\x02secret",
    }
    aes = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
    found = of({**files, "META-INF/encryption.xml": encryption(aes, "OPS/b.xhtml")})
    assert (found.text, found.remarks) == ("One.", ("chapter OPS/b.xhtml is encrypted",))
    with pytest.raises(Unreadable, match=r"^is encrypted$"):
        of({**files, "META-INF/encryption.xml": encryption(aes, "OPS/a.xhtml", "OPS/b.xhtml")})
    fonts = encryption("http://www.idpf.org/2008/embedding", "OPS/a.xhtml")
    assert of(
        {"OPS/book.opf": package(["a.xhtml"]), "OPS/a.xhtml": chapter("", "One."), "META-INF/encryption.xml": fonts}
    ).text


def test_a_zip_with_a_password_is_encrypted() -> None:
    data = packed({"META-INF/container.xml": CONTAINER, "OPS/book.opf": package(["a.xhtml"]), "OPS/a.xhtml": "One."})
    locked = bytearray(data)
    for at in range(len(locked) - 4):  # the flag in each header that zipfile looks at
        if locked[at : at + 4] == b"PK\x01\x02":
            locked[at + 8] |= 1
        elif locked[at : at + 4] == b"PK\x03\x04":
            locked[at + 6] |= 1
    with pytest.raises(Unreadable, match=r"^is encrypted$"):
        read(Source(name="book.epub", data=bytes(locked)))


def test_a_picture_in_the_spine_is_named() -> None:
    book = package(["a.svg", "a.xhtml"]).replace('a.svg" media-type="application/xhtml', 'a.svg" media-type="image/svg')
    found = of({"OPS/book.opf": book, "OPS/a.svg": "<svg/>", "OPS/a.xhtml": "One."})
    assert (found.text, found.remarks) == ("One.", ("chapter OPS/a.svg is no page of text (image/svg+xml)",))


def test_chapters_have_encodings_of_their_own_and_declared_entities() -> None:
    russian = "<?xml version='1.0' encoding='windows-1251'?><html><body><p>Склад</p></body></html>"
    entity = "<!DOCTYPE html [<!ENTITY farm 'Green Farm'>]><html><body><p>&farm; &mdash; x</p></body></html>"
    pages: dict[str, str | bytes] = {
        "a.xhtml": russian.encode("cp1251"),
        "b.xhtml": chapter("", "Straße").encode("utf-16"),
        "c.xhtml": entity,
    }
    found = of({"OPS/book.opf": package(list(pages)), **{f"OPS/{name}": data for name, data in pages.items()}})
    assert found.text == "Склад\n\nStraße\n\nGreen Farm — x"


def test_without_a_package_file_chapters_come_by_name_and_that_is_said() -> None:
    data = packed({"b.xhtml": chapter("", "Two."), "a.html": chapter("", "One."), "x.css": "p{}"})
    found = read(Source(name="book.epub", data=data))
    assert found.text == "One.\n\nTwo."
    assert found.remarks == ("the list of chapters cannot be read: they are in the order of their names",)
    found = read(Source(name="book.epub", data=packed({"x/b.opf": package(["a.xhtml"]), "x/a.xhtml": "Text."})))
    assert (found.text, found.remarks) == ("Text.", ())


def test_without_a_spine_chapters_come_as_the_manifest_has_them_and_that_is_said() -> None:
    described = package(["b.xhtml", "a.xhtml"], metadata="<dc:title>Gulls</dc:title>")
    pages = {"OPS/a.xhtml": chapter("", "Second."), "OPS/b.xhtml": chapter("", "First.")}
    for spine in ("", "<spine/>", '<spine><itemref idref="other"/></spine>'):
        found = of({"OPS/book.opf": described.partition("<spine>")[0] + spine + "</package>", **pages})
        assert (found.text, found.title) == ("First.\n\nSecond.", "Gulls")
        assert "no order of chapters can be read: they are in that of the list of its files" in found.remarks
    found = of({"OPS/book.opf": described.partition("<manifest>")[0], **pages})
    assert (found.text, found.title) == ("Second.\n\nFirst.", "Gulls")
    assert found.remarks == ("the list of chapters cannot be read: they are in the order of their names",)


def test_a_chapter_that_unpacks_to_too_much_is_named() -> None:
    book = packed(
        {"META-INF/container.xml": CONTAINER, "OPS/book.opf": package(["a.xhtml", "b.xhtml"]), "OPS/a.xhtml": "a"}
    )
    with zipfile.ZipFile(file := io.BytesIO(book), "a", zipfile.ZIP_DEFLATED) as more:
        more.writestr("OPS/b.xhtml", "0" * (3 << 20))
    found = read(Source(name="book.epub", data=file.getvalue(), budget=Budget(part_bytes=2 << 20)))
    assert (found.text, found.remarks) == ("a", ("chapter OPS/b.xhtml unpacks to more than 2 MB",))


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", packed({}), packed({"a.txt": "x"}), packed({"mimetype": "x"})[:-8]]
)
def test_what_is_no_book_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(Source(name="book.epub", data=data))


def test_any_damage_is_survived() -> None:
    whole = packed(
        {
            "META-INF/container.xml": CONTAINER,
            "OPS/book.opf": package(["a.xhtml", "b.xhtml"]),
            "OPS/a.xhtml": chapter("One", "text " * 50),
            "OPS/b.xhtml": chapter("Two", "more " * 50),
        }
    )
    chances = random.Random(zlib.crc32(b"epub"))
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chances.randint(1, 12)):
            data[chances.randrange(len(data))] = chances.randrange(256)
        try:
            read(Source(name="book.epub", data=bytes(data[: chances.randint(len(data) // 2, len(data) + 200)])))
        except ColibriError:
            continue
