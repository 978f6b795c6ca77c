"""What a file is, its content says before its name, and what is inside it is read as it would be alone."""

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.errors import MissingExtra
from colibri.files import known, reading
from colibri.files.known import ALL, BY_NAME, Kind, by_ending, label
from colibri.files.magic import HEAD
from colibri.files.reading import Item, NotRead, Read, Reading, read
from colibri.files.recognise import by_head, recognise
from colibri.files.source import Source
from colibri.files.text import FileText, Member, Part, Passed, Unreadable


def packed(*names: str, **contents: str) -> bytes:
    """A zip of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "")
        for name, text in contents.items():
            archive.writestr({"types": "[Content_Types].xml"}.get(name, name), text)
    return file.getvalue()


def typed(main: str, *others: str) -> bytes:
    """An Office package whose main part has this type; embedded packages are named by their defaults."""
    defaults = "".join(f'<Default Extension="x{i}" ContentType="{other}"/>' for i, other in enumerate(others))
    return packed("_rels/.rels", types=f'<Types>{defaults}<Override PartName="/a.xml" ContentType="{main}"/></Types>')


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
SLIDES = "application/vnd.openxmlformats-officedocument.presentationml"


def ole(*streams: str, sector_bits: int = 9, deeper: str = "Workbook") -> bytes:
    """An OLE file with empty streams of these names at its top, and one in a storage below."""
    size = 1 << sector_bits
    none = 0xFFFFFFFF

    def entry(name: str, kind: int, left: int, right: int, child: int) -> bytes:
        wide = name.encode("utf-16-le") + b"\0\0"
        return (
            wide.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(wide), kind, 1, left, right, child)
            + bytes(36)
            + struct.pack("<IQ", 0xFFFFFFFE, 0)
        )

    entries = [entry("Root Entry", 5, none, none, 1)]
    for i, name in enumerate(streams, 1):  # each the right neighbour of the one before
        entries.append(entry(name, 2, none, i + 1, none))
    entries += [entry("Storage", 1, none, none, len(streams) + 2), entry(deeper, 2, none, none, none)]
    directory = b"".join(entries)
    sectors = -(-len(directory) // size)
    table = [0xFFFFFFFD, *range(2, sectors + 1), 0xFFFFFFFE]
    fat = struct.pack(f"<{len(table)}I", *table).ljust(size, b"\xff")
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH", 0x3E, 4 if sector_bits == 12 else 3, 0xFFFE, sector_bits, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", 0, *[none] * 108)
    return head.ljust(size, b"\0") + fat + directory.ljust(sectors * size, b"\0")


MAIL = b"Received: by mail\nFrom: keeper@example.org\nSubject: gulls\nDate: Mon, 1 Dec 2025 10:00:00 +0100\n\nSeven.\n"

CONTENTS = [
    ("PDF", b"%PDF-1.7\n..."),
    ("RTF", b"{\\rtf1\\ansi gulls}"),
    ("gzip", gzip.compress(b"x")),
    ("bzip2", bz2.compress(b"x")),
    ("xz", lzma.compress(b"x")),
    ("zstandard", b"\x28\xb5\x2f\xfd\x04\x00"),
    ("tar", b"a.txt".ljust(257, b"\0") + b"ustar\x0000" + bytes(248)),
    ("Word", typed(f"{WORD}.document.main+xml", f"{SHEET}.sheet", f"{SHEET}.sheet.main")),
    ("Word", typed("application/vnd.ms-word.document.macroEnabled.main+xml")),
    ("Word", typed(f"{WORD}.template.main+xml")),
    ("workbook", typed(f"{SHEET}.sheet.main+xml")),
    ("workbook", typed("application/vnd.ms-excel.sheet.macroEnabled.main+xml")),
    ("binary workbook", typed("application/vnd.ms-excel.sheet.binary.macroEnabled.main")),
    ("presentation", typed(f"{SLIDES}.slideshow.main+xml", f"{SHEET}.sheet")),
    ("EPUB", packed(mimetype="application/epub+zip")),
    ("EPUB", packed("META-INF/container.xml", "a.xhtml")),
    ("OpenDocument", packed(mimetype="application/vnd.oasis.opendocument.text")),
    ("OpenDocument", packed("content.xml", "META-INF/manifest.xml")),
    ("iWork document", packed("Index/Document.iwa")),
    ("program", packed("META-INF/MANIFEST.MF", "A.class")),
    ("zip", packed("a.txt")),
    ("zip", b"PK\x05\x06" + bytes(18)),
    ("Word 97", ole("WordDocument", "1Table")),
    ("Word 97", ole("1Table", "WordDocument", sector_bits=12)),
    ("Excel 97", ole("Workbook", deeper="WordDocument")),
    ("Excel 97", ole("Book")),
    ("PowerPoint 97", ole("Current User", "PowerPoint Document")),
    ("Outlook message", ole("__nameid_version1.0", "__properties_version1.0", deeper="WordDocument")),
    ("picture", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
    ("picture", b"\x89PNG\r\n\x1a\n" + bytes(9)),
    ("picture", b"RIFF\x00\x00\x00\x00WEBPVP8 "),
    ("picture", b"\x00\x00\x00\x18ftypheic"),
    ("picture", b'<?xml version="1.0"?>\n<!-- a -->\n<svg xmlns="s"><text>x</text></svg>'),
    ("audio", b"RIFF\x00\x00\x00\x00WAVEfmt "),
    ("audio", b"ID3\x04\x00\x00"),
    ("audio", b"\xff\xfb\x90\x44" + bytes(20)),
    ("video", b"RIFF\x00\x00\x00\x00AVI LIST"),
    ("video", b"\x00\x00\x00\x18ftypisom"),
    ("program", b"\x7fELF\x02\x01\x01"),
    ("program", b"MZ\x90\x00\x03\x00"),
    ("database", b"SQLite format 3\x00"),
    ("mail store", b"!BDN\x00\x00"),
    ("key or certificate", b"-----BEGIN RSA PRIVATE KEY-----\nMIIB"),
    ("binary", bytes(range(256)) * 4),
    ("HTML", b"<!DOCTYPE html><p>x"),
    ("HTML", b"\xef\xbb\xbf\r\n<!-- made by hand --><HTML><body>x"),
    ("HTML", '<?xml version="1.0"?><html xmlns="x"><body/></html>'.encode("utf-16")),
    ("FictionBook", b'<?xml version="1.0" encoding="windows-1251"?><FictionBook xmlns="f">'),
    ("OpenDocument", b'<?xml version="1.0"?>\n<office:document xmlns:office="o">'),
    ("mailbox", b"From keeper@example.org Mon Dec  1 10:00:00 2025\nFrom: a\n"),
    ("mail", MAIL),
    ("mail", MAIL.replace(b"\n", b"\r\n")),
    ("calendar", b"BEGIN:VCALENDAR\r\nVERSION:2.0"),
    ("contacts", b"begin:vcard\nVERSION:3.0"),
    ("man page", b""".\\" made by hand\n'\\" t\n.if n .ad l\n.TH GULLS 1\n"""),
    ("man page", b".Dd December 1, 2025\n.Dt GULLS 1\n"),
    ("text", b".THE END"),
    ("text", b"Seven gulls."),
    ("text", "Семь чаек".encode("utf-16-le")),
    ("text", "Семь чаек".encode("utf-32-be")),
    ("text", "Семь чаек".encode("koi8-r")),
    ("text", "貸出期間は一週間で、一冊につき一日十円。".encode("utf-16-le")),  # 一 is U+4E00: zeros at both places
    ("text", "貸出期間は一週間で、一冊につき一日十円。\n".encode("utf-16-be")),
    ("text", "逾期歸還的書每本每日罰款一元，倉庫的溫度必須保持在零下。".encode("utf-16-le")),
    ("text", "도서관은 매주 월요일에 쉽니다.".encode("utf-16-be")),
    ("text", "도서관은 매주 월요일에 쉽니다.".encode("iso2022_kr")),
    ("text", b"ten gulls came\n" * 9 + b"\0" + b"seven left\n" * 9),
    ("text", b"ten gulls came\n" * 9 + bytes(4_000)),
    ("binary", b"ten gulls came\0\0\0\0" * 9),
    ("binary", b"gulls" + bytes(4_000)),
    ("text", b""),
    ("text", b"From: me\nTo: you\nSubject: a memo, not a mail\n\nHello"),
    ("text", b"From the beginning there were gulls.\nAnd boats:"),
    ("text", b"FORM and function"),
    ("text", b"BZh is how bzip2 begins"),
    ("text", b"II*sic"),
    ("text", "ID3-Marken für Möwen".encode()),
    ("text", "FORM für Möwen".encode("cp1252")),
    ("text", "GIF89a heißt die Fassung von 1989".encode()),
    ("text", "判悠，海鸥七只".encode("gbk")),
]
"""What each of these bytes is, whatever the name."""


@pytest.mark.parametrize("name", ["x", "README", "x.txt", "x.unheard", "folder.d/x"])
@pytest.mark.parametrize(("kind", "data"), CONTENTS)
def test_content_says_what_a_file_is(kind: str, data: bytes, name: str) -> None:
    assert recognise(name, data).name == kind


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.md", b"<!doctype html>\nof this note", "text"),
        ("a.php", b"<!DOCTYPE html><?php echo 1 ?>", "source code"),
        ("a.py", MAIL, "source code"),
        ("a.csv", b"BEGIN:VCARD,1\n", "CSV"),
        ("a.jsonl", b'{"a": 1}', "JSON rows"),
        ("a.eml", b"just words", "mail"),
        ("a.doc", b"<html><body>a page", "HTML"),
        ("a.doc", b"{\\rtf1 hello}", "RTF"),
        ("a.doc", typed(f"{WORD}.document.main+xml"), "Word"),
        ("a.xls", b"a\tb\n1\t2\n", "text"),
        ("a.xls", b"\r\n<TABLE border=1><tr><td>7 gulls</td></tr></TABLE>", "HTML"),
        ("a.xlsx", b"<meta charset=utf-8><table><td>7 gulls", "HTML"),
        ("a.doc", b"<b is less than c", "text"),
        ("a.md", b"<table><td>7 gulls", "text"),
        ("a.txt", b"<p>as a page has it", "text"),
        ("a.doc", b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=B\r\n\r\n--B\r\n", "saved page"),
        ("a.pdf", b"not found, said the server", "text"),
        ("a.pdf", b"\r\nHTTP junk\r\n%PDF-1.4", "PDF"),
        ("a.docx", b"\x00\x01\x02", "Word"),
        ("a.ts", b"G" + bytes(187) + b"G", "binary"),
        ("a.ts", b"const gulls = 7", "source code"),
        ("a.obj", b"v 1.0 2.0 3.0\n", "program"),
        ("Dockerfile", b"FROM scratch\n", "text"),
        ("LICENSE.MIT", b"Permission", "text"),
        ("a.unheard", b"words", "text"),
        ("a.unheard", b"0 1 2 3\n" * 200_000, "large text of unknown kind"),
        ("a.txt", b"0 1 2 3\n" * 200_000, "text"),
        ("a.fodt", b"<?xml version='1.0'?><x:document xmlns:x='urn:oasis:names:tc:opendocument:xmlns:office:1.0'>",
         "OpenDocument"),
    ],
)  # fmt: skip
def test_the_name_says_what_the_content_leaves_open(name: str, data: bytes, kind: str) -> None:
    assert recognise(name, data).name == kind


def test_an_encrypted_office_file_is_named_as_such() -> None:
    with pytest.raises(Unreadable, match=r"^is encrypted$"):
        recognise("a.docx", ole("EncryptionInfo", "EncryptedPackage"))


@pytest.mark.parametrize("damage", [b"PK\x03\x04", packed("mimetype", "b")[:-30], typed("x")[:60]])
def test_a_damaged_zip_file_is_named_as_such(damage: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^is damaged"):
        recognise("a.docx", damage)


@pytest.mark.parametrize(("kind", "data"), CONTENTS)
def test_the_first_bytes_never_pass_by_what_is_read(kind: str, data: bytes) -> None:
    found = by_head("x", data[:HEAD], len(data))
    assert found is None or (found.name == kind and not found.read)


@given(st.binary(max_size=600), st.sampled_from(["a", "a.txt", "a.pdf", "a.docx", "a.doc", "a.html", "a.jpg"]))
def test_any_bytes_are_of_some_kind(data: bytes, name: str) -> None:
    for start in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<", b"From ", b"\xff\xfe"):
        try:
            assert recognise(name, start + data) in ALL
        except Unreadable as error:
            assert str(error)  # noqa: PT017 - either is right


def test_damage_to_an_ole_file_is_survived() -> None:
    chances = random.Random(3)
    whole = ole("WordDocument", "1Table", "Data", "CompObj")
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chances.randint(1, 30)):
            data[chances.randrange(8, len(data))] = chances.randrange(256)
        recognise("a.doc", bytes(data[: chances.randint(8, len(data))]))


def test_a_text_that_begins_oddly_is_looked_at_in_no_time() -> None:
    for data in (b" " * 9_000, b"<!--" * 3_000, b"<?" * 5_000, b"<!DOCTYPE " * 900, b"<" * 9_000, b"a: b\n " * 2_000):
        recognise("x", data)


def test_every_ending_belongs_to_one_kind_and_every_name_is_short_and_low() -> None:
    for kind in ALL:
        assert kind.name == kind.name.strip()
        assert kind.version >= 1
        for ending in kind.endings:
            assert ending == ending.lower()
            assert by_ending(f"x{ending}" if ending.startswith(".") else ending) is known.BY_ENDING[ending]
    assert by_ending("folder.pdf/README") is BY_NAME["text"]
    assert by_ending("nothing") is None
    assert label("a.JPG", BY_NAME["picture"]) == ".jpg"
    assert label("a", BY_NAME["picture"]) == "picture"


@pytest.mark.parametrize("kind", known.READ, ids=lambda kind: kind.name)
def test_every_kind_that_is_read_has_its_reader(kind: Kind) -> None:
    from importlib import import_module

    assert callable(getattr(import_module(f"colibri.files.kinds.{kind.module}"), kind.function))


# What lies inside files, with readers of this test's own: one that lists members, one that fails on the way.


def _members(source: Source) -> Iterator[Part | Member | Passed]:
    with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                yield Member(name=name, data=source.budget.unpack(file, name))


def _stream(source: Source) -> Iterator[Member]:
    with gzip.open(io.BytesIO(source.data)) as file:
        yield Member(name=source.name.removesuffix(".gz"), data=file.read())


def _tar(source: Source) -> Iterator[Part | Member | Passed]:
    with tarfile.open(fileobj=io.BytesIO(source.data)) as archive:
        for entry in archive:
            if (file := archive.extractfile(entry)) is None:
                yield Passed(name=entry.name, why="is no file")
            else:
                yield Member(name=entry.name, data=file.read())


@pytest.fixture
def archives(monkeypatch: pytest.MonkeyPatch) -> None:
    """zip, tar and gzip are read."""
    functions = {"zip": _members, "tar": _tar, "gzip": _stream}

    def made(kind: Kind, source: Source, wanted: Reading, left: list[NotRead]) -> Any:
        return functions[kind.name](source) if kind.name in functions else real(kind, source, wanted, left)

    def recognised(name: str, data: bytes) -> Kind:
        kind = recognise(name, data)
        return Kind(name=kind.name, module="test") if kind.name in functions else kind

    real = reading._made
    monkeypatch.setattr(reading, "_made", made)
    monkeypatch.setattr(reading, "recognise", recognised)


def all_of(name: str, data: bytes, part_bytes: int = 1 << 24) -> list[Item]:
    options = Reading(part_bytes=part_bytes)
    return list(read(Source(name=name, data=data, budget=options.budget()), options))


def archive(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return file.getvalue()


@pytest.mark.usefixtures("archives")
def test_members_are_read_as_they_would_be_alone() -> None:
    inner = archive(notes__may_dot_txt=b"Seven gulls.", rows_dot_jsonl=b'{"text": "one"}\n{"text": "two"}')
    items = all_of("a.zip", archive(b_dot_zip=inner, page_dot_html=b"<p>Eight", photo_dot_jpg=b"\xff\xd8\xff\xe0"))
    found = [(item.part.name, item.part.content.text, item.reader) for item in items if isinstance(item, Read)]
    assert found == [
        ("b.zip/notes/may.txt", "Seven gulls.", "zip 1, zip 1, text 1"),
        ("b.zip/rows.jsonl/1", "one", "zip 1, zip 1, JSON rows 2"),
        ("b.zip/rows.jsonl/2", "two", "zip 1, zip 1, JSON rows 2"),
        ("page.html", "Eight", "zip 1, HTML 1"),
    ]
    assert [item.within for item in items if isinstance(item, Read)] == [
        "b.zip/notes/may.txt",
        "b.zip/rows.jsonl",
        "b.zip/rows.jsonl",
        "page.html",
    ]
    assert items[-1] == NotRead(name="photo.jpg", label=".jpg", kind="picture")


@pytest.mark.usefixtures("archives")
def test_what_a_stream_holds_stands_for_the_file() -> None:
    (item,) = all_of("a.txt.gz", gzip.compress(b"Seven"))
    assert isinstance(item, Read)
    assert (item.part.name, item.reader) == ("", "gzip 1, text 1")
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        entry = tarfile.TarInfo("in/a.txt")
        entry.size = 5
        made.addfile(entry, io.BytesIO(b"Seven"))
    (item,) = all_of("a.tar.gz", gzip.compress(file.getvalue()))
    assert isinstance(item, Read)
    assert (item.part.name, item.reader) == ("in/a.txt", "gzip 1, tar 1, text 1")


@pytest.mark.usefixtures("archives")
def test_a_bad_member_costs_only_itself_and_is_named() -> None:
    items = all_of("a.zip", archive(a_dot_docx=b"PK\x03\x04", b_dot_txt=b"\x00\x01", c_dot_txt=b"Seven"))
    assert [type(item) for item in items] == [Passed, NotRead, Read]
    assert items[0].name == "a.docx"  # type: ignore[union-attr]


@pytest.mark.usefixtures("archives")
def test_archives_are_opened_three_deep() -> None:
    data = b"Seven"
    for i in range(5):
        data = archive(**{f"{i}_dot_{'zip' if i else 'txt'}": data})
    (item,) = all_of("a.zip", data)
    assert item == Passed(name="4.zip/3.zip/2.zip/1.zip", why="lies more than 3 archives deep")
    layered = b"Seven"
    for _ in range(40):
        layered = gzip.compress(layered)
    (item,) = all_of("a" + ".gz" * 40, layered)
    assert isinstance(item, Passed)


@pytest.mark.usefixtures("archives")
def test_all_members_share_one_budget_and_what_came_before_stays() -> None:
    data = archive(a_dot_txt=b"Seven", b_dot_zip=archive(c_dot_txt=b"gulls " * 100_000), d_dot_txt=b"gulls " * 100_000)
    wanted = Reading(total_bytes=1 << 20)
    items = read(Source(name="a.zip", data=data, budget=wanted.budget()), wanted)
    names: list[str] = []
    with pytest.raises(Unreadable, match=r"^unpacks to more than 1 MB$"):
        names.extend(item.part.name for item in items if isinstance(item, Read))
    assert names == ["a.txt", "b.zip/c.txt"]


@pytest.mark.usefixtures("archives")
def test_a_part_that_unpacks_to_too_much_is_named() -> None:
    data = archive(a_dot_txt=b"Seven", b_dot_zip=archive(c_dot_txt=b"gulls " * 400_000), d_dot_txt=b"Eight")
    items = all_of("a.zip", data, part_bytes=1 << 20)
    assert [type(item) for item in items] == [Read, Passed, Read]
    assert items[1] == Passed(name="b.zip", why="c.txt unpacks to more than 1 MB")


def test_whatever_a_reader_does_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(error: BaseException) -> Any:
        def made(kind: Kind, source: Source, wanted: Reading, left: list[NotRead]) -> Iterator[Part]:
            def parts() -> Iterator[Part]:
                yield Part(name="1", content=FileText(text="one\0\ud83d"))
                raise error

            return parts()

        return made

    for error in (ValueError("odd"), RecursionError(), AssertionError(), KeyError("x"), OSError("gone")):
        monkeypatch.setattr(reading, "_made", fails(error))
        items = read(Source(name="a.txt", data=b"x"), Reading())
        first = next(items)
        assert isinstance(first, Read)
        assert first.part.content.text == "one \ufffd"
        with pytest.raises(Unreadable, match=r"cannot be read \("):
            next(items)
    for raised in (KeyboardInterrupt(), MemoryError(), MissingExtra("needs more")):
        monkeypatch.setattr(reading, "_made", fails(raised))
        with pytest.raises(type(raised)):
            list(read(Source(name="a.txt", data=b"x"), Reading()))
