"""Zip files without their directory: documents are read as far as they go, archives by the headers of members."""

import io
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.errors import ColibriError
from colibri.files.reading import Item, Read, Reading, read
from colibri.files.source import Budget, Source
from colibri.files.text import Passed
from colibri.files.zip_rescue import names_by_headers, with_directory

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
WORDS = [f"gull{number * number}" for number in range(4_000)]


class OneWay(io.RawIOBase):
    """A file that cannot be gone back in, so that sizes stand behind the members."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += bytes(data)
        return len(data)


def packed(members: dict[str, str], *, one_way: bool = False, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file, stream = io.BytesIO(), OneWay()
    with zipfile.ZipFile(stream if one_way else file, "w", method) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return bytes(stream.written) if one_way else file.getvalue()


def letter() -> dict[str, str]:
    paragraphs = "".join(f"<w:p><w:r><w:t>{word}</w:t></w:r></w:p>" for word in WORDS)
    main = f'<Relationship Id="a" Type="{KINDS}/officeDocument" Target="word/document.xml"/>'
    return {
        "[Content_Types].xml": f'<Types><Override PartName="/word/document.xml" ContentType="{MAIN}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}">{main}</Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body>{paragraphs}</w:body></w:document>',
        "word/media/picture.bin": "".join(WORDS),
    }


def items(data: bytes, name: str = "a.docx") -> list[Item]:
    return list(read(Source(name=name, data=data, budget=Budget()), Reading()))


def document(data: bytes) -> Read:
    (found,) = items(data)
    assert isinstance(found, Read)
    return found


@pytest.mark.parametrize("one_way", [False, True])
def test_a_document_that_lost_its_directory_has_all_of_its_text(one_way: bool) -> None:
    data = packed(letter(), one_way=one_way)
    found = document(data[: data.index(b"PK\x01\x02")])
    assert found.reader.startswith("Word ")
    assert found.part.content.text.split() == WORDS
    assert found.part.content.remarks == ("its end is lost: it was read as far as it goes",)


@pytest.mark.parametrize("one_way", [False, True])
def test_a_document_that_ends_within_its_text_has_what_there_is_of_it(one_way: bool) -> None:
    data = packed(letter(), one_way=one_way)
    content = document(data[: data.index(b"word/document.xml") + 4_000]).part.content
    words = content.text.split()
    assert 100 < len(words) < len(WORDS)
    assert words == WORDS[: len(words)]
    assert len(content.remarks) == 2
    assert "word/document.xml is damaged" in content.remarks[0]


@pytest.mark.parametrize("end", [b"PK\x01\x02", b"[Content_Types].xml", b"ContentType"])
def test_types_may_stand_last_and_be_lost(end: bytes) -> None:
    members = letter()
    members["[Content_Types].xml"] = members.pop("[Content_Types].xml")  # as LibreOffice has them
    data = packed(members, method=zipfile.ZIP_STORED)
    found = document(data[: data.index(end)])
    assert found.reader.startswith("Word ")
    assert found.part.content.text.split() == WORDS


@pytest.mark.parametrize("one_way", [False, True])
def test_an_archive_that_lost_its_directory_is_read_by_headers(one_way: bool) -> None:
    data = packed({"a.txt": "seven gulls", "b.txt": "eight boats"}, one_way=one_way)
    *read_ones, said = items(data[: data.index(b"PK\x01\x02")], "a.zip")
    assert [one.part.content.text for one in read_ones if isinstance(one, Read)] == ["seven gulls", "eight boats"]
    assert isinstance(said, Passed)
    assert "members are read by their own headers" in said.why


def test_a_directory_is_made_as_it_was() -> None:
    members = {"mimetype": "x", "ä.txt": "seven gulls" * 9, "empty": ""}
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        data = packed(members, method=method)
        again = with_directory(data[: data.index(b"PK\x01\x02")], Budget())
        assert again is not None
        with zipfile.ZipFile(io.BytesIO(again)) as archive:
            assert {name: archive.read(name).decode() for name in archive.namelist()} == members
    assert names_by_headers(data) == set(members)
    assert with_directory(b"PK\x03\x04", Budget()) is None


def test_what_would_unpack_to_too_much_is_not_measured_to_its_end() -> None:
    data = packed({"[Content_Types].xml": "a" * 5_000_000, "b": "b"}, one_way=True)
    again = with_directory(data, Budget(total_bytes=1 << 20))
    assert again is not None
    with zipfile.ZipFile(io.BytesIO(again)) as archive:
        assert archive.infolist()[0].file_size < 2 << 20


@given(st.booleans(), st.integers(0, 30_000), st.integers(0, 255))
def test_wherever_it_is_cut_or_changed_it_is_read_or_damaged(one_way: bool, end: int, change: int) -> None:
    data = bytearray(packed(letter(), one_way=one_way)[:end])
    if data:
        data[end * 7 % len(data)] ^= change
    try:
        items(bytes(data))
    except ColibriError:
        return
