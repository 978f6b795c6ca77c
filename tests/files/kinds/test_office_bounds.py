"""What hurts: large, deep, encrypted and broken office files end soon, with a reason."""

import struct
import time
import weakref
import zipfile
from contextlib import suppress
from io import BytesIO

import pytest

from colibri.files.kinds.office.archive import Archive
from colibri.files.kinds.office.elements import END, walk
from colibri.files.source import Budget, Counted
from colibri.files.text import Unreadable
from office_files import element, office, packed, source
from office_kinds import KINDS, read

MB = 1 << 20
EVERY = pytest.mark.parametrize("kind", KINDS)


@EVERY
def test_a_part_that_says_it_is_large_is_refused_without_unpacking(kind: str) -> None:
    data = KINDS[kind][1](" " * (120 * MB))
    assert len(data) < MB
    budget = Budget()
    begun = time.process_time()
    with pytest.raises(Unreadable, match="unpacks to more than 100 MB"):
        read(kind, data, budget)
    assert budget.used_bytes < MB
    assert time.process_time() - begun < 1


@EVERY
def test_what_is_unpacked_is_counted_whatever_the_file_says(kind: str) -> None:
    with pytest.raises(Unreadable, match=r"^unpacks to more than 2 MB"):
        read(kind, KINDS[kind][1](" " * (5 * MB)), Budget(total_bytes=2 * MB))


@EVERY
def test_a_part_whose_size_is_understated_ends_there(kind: str) -> None:
    data = bytearray(KINDS[kind][1]("word " * (4 * MB)))
    with zipfile.ZipFile(BytesIO(data)) as held:
        largest = max(held.infolist(), key=lambda entry: entry.file_size)
    for place in range(len(data) - 46):
        if data[place : place + 4] == b"PK\1\2" and struct.unpack_from("<I", data, place + 24)[0] == largest.file_size:
            struct.pack_into("<I", data, place + 24, 1_000)
    budget = Budget()
    with pytest.raises(Unreadable, match="is damaged"):
        read(kind, bytes(data), budget)
    assert budget.used_bytes < MB


@EVERY
def test_elements_in_elements_without_end_are_refused(kind: str) -> None:
    with pytest.raises(Unreadable, match="nests elements deeper than 256"):
        read(kind, KINDS[kind][1]("<a>" * 100_000 + "</a>" * 100_000))


@EVERY
def test_the_deepest_nesting_that_is_read_does_not_exhaust_the_stack(kind: str) -> None:
    assert read(kind, KINDS[kind][1]("<s>" * 240 + "</s>" * 240 + "deep")).remarks == ()


@EVERY
def test_an_encrypted_file_is_told_from_a_damaged_one(kind: str) -> None:
    if kind != "odt":
        ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
        with pytest.raises(Unreadable, match=r"^is encrypted$"):
            read(kind, ole + "EncryptedPackage".encode("utf-16-le"))
        with pytest.raises(Unreadable, match="older Office file"):
            read(kind, ole)
    locked = bytearray(KINDS[kind][1]("secret"))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = locked.find(mark)
        while place >= 0:
            locked[place + flags] |= 1
            place = locked.find(mark, place + 4)
    with pytest.raises(Unreadable, match=r"^is encrypted$"):
        read(kind, bytes(locked))


@EVERY
def test_every_cut_of_a_file_is_unreadable_or_read(kind: str) -> None:
    whole = KINDS[kind][1]("kept")
    for cut in range(0, len(whole), 97):
        with pytest.raises(Unreadable, match="is damaged"):
            read(kind, whole[:cut] if cut else b"PK")


@EVERY
def test_turned_bytes_never_end_in_another_error(kind: str) -> None:
    whole = KINDS[kind][1]("kept")
    for place in range(0, len(whole), 5):
        turned = bytearray(whole)
        turned[place] ^= 0x55
        with suppress(Unreadable):
            read(kind, bytes(turned))


def test_one_long_string_in_every_cell_is_refused() -> None:
    main = element("x:workbook", '<x:sheets><x:sheet name="S" r:id="r1"/></x:sheets>')
    cell = '<x:c t="s"><x:v>0</x:v></x:c>'
    cells = f"<x:row>{cell * 12_000}</x:row>"
    strings = element("x:sst", f"<x:si><x:t>{'a' * MB}</x:t></x:si>")
    parts = {"xl/s.xml": element("x:worksheet", cells), "xl/t.xml": strings}
    named = {"r1": ("worksheet", "s.xml"), "r2": ("sharedStrings", "t.xml")}
    with pytest.raises(Unreadable, match="shows more than 100 MB of text"):
        read("xlsx", office("xl/main.xml", main, named, dict(parts)))


def test_a_workbook_whose_strings_are_too_large_is_refused_unless_it_holds_numbers() -> None:
    main = element("x:workbook", '<x:sheets><x:sheet name="S" r:id="r1"/></x:sheets>')
    named = {"r1": ("worksheet", "s.xml"), "r2": ("sharedStrings", "t.xml")}
    strings = element("x:sst", f"<x:si><x:t>{' ' * (120 * MB)}</x:t></x:si>")

    def workbook(number: str) -> bytes:
        cells = f'<x:row><x:c t="s"><x:v>0</x:v></x:c>{number}</x:row>'
        return office("xl/m.xml", main, named, {"xl/s.xml": element("x:worksheet", cells), "xl/t.xml": strings})

    with pytest.raises(Unreadable, match=r"xl/t\.xml unpacks to more than 100 MB"):
        read("xlsx", workbook(""))
    found = read("xlsx", workbook("<x:c><x:v>7</x:v></x:c>"))
    assert (found.text, found.remarks) == ("S\n7", ("xl/t.xml unpacks to more than 100 MB",))


def test_rows_of_a_long_sheet_are_forgotten_once_they_were_handed_out() -> None:
    count = 200_000
    rows = "".join(f'<x:row r="{n}"><x:c r="A{n}"><x:v>{n}</x:v></x:c></x:row>' for n in range(count))
    data = element("x:worksheet", f"<x:sheetData>{rows}</x:sheetData>").encode()
    alive: weakref.WeakSet[object] = weakref.WeakSet()
    seen = most = 0
    root = None
    for kind, tag, one in walk(lambda: BytesIO(data), "sheet", whole=frozenset({"x:row"})):
        root = root if root is not None else one
        if kind == END and tag == "x:row":
            alive.add(one)
            seen += 1
            most = max(most, len(alive), len(root))
    assert seen == count
    assert most < 5


def test_a_counted_stream_stops_at_its_part_s_limit() -> None:
    budget = Budget(part_bytes=10 * MB)
    stream = Counted(BytesIO(b" " * (11 * MB)), "x", budget)
    assert len(stream.read(10 * MB)) == 10 * MB
    with pytest.raises(Unreadable, match="x unpacks to more than 10 MB"):
        stream.read(1)
    assert budget.used_bytes == 10 * MB + 1


def test_names_of_parts_are_compared_as_office_does() -> None:
    archive = Archive(source(packed({"Word\\Document.XML": "<a/>", "/x.xml": "<b/>"})))
    assert archive.has("word/document.xml")
    assert archive.has("X.xml")
    with pytest.raises(Unreadable, match=r"y\.xml is missing"):
        archive.open("y.xml")
