"""Word, PowerPoint and Excel files of old: texts with headings, slides and cells, and what is wrong with one, told.

The files in cases/legacy were saved by LibreOffice 7.4 from invented texts (the .ppt without its preview picture).
"""

import contextlib
import io
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colibri.errors import MissingExtra
from colibri.files.kinds import legacy
from colibri.files.source import Budget, Source
from colibri.files.text import Unreadable
from colibri.machine import install_command
from compound_file import Storage, compound
from rounds import rounds

CASES = Path(__file__).parents[1] / "cases" / "legacy"
WANTED = f"binary Office files need colibri-edge[files-all]: {install_command('files-all')}"
olefile = pytest.importorskip("olefile", reason=WANTED)
pytest.importorskip("office_oxide", reason=WANTED)


def case(name: str) -> Source:
    return Source(name=name, data=(CASES / name).read_bytes())


def streams(name: str) -> Storage:
    with olefile.OleFileIO(io.BytesIO((CASES / name).read_bytes())) as found:
        return {entry[0]: found.openstream(entry).read() for entry in found.listdir() if len(entry) == 1}


def test_a_word_file_has_its_headings_as_places() -> None:
    found = legacy.read(case("keeper.doc"))
    assert found.text.split("\n\n") == [
        "The keeper's book",
        "The lighthouse keeper counts gulls before breakfast, für Köln.\nLamp oil\tnine barrels",
        "Storms",
        "Смотритель зажигает лампу. 灯台守は毎朝カモメを数える。",
        "The last storm took the blue door.",
        "It was found in May.",
    ]
    assert [(found.text[p.start :].split("\n")[0], p.label) for p in found.places] == [
        ("The keeper's book", "The keeper's book"),
        ("Storms", "The keeper's book > Storms"),
    ]
    assert (found.title, found.author) == ("Keeper's book", "Ida Holm")


def test_a_workbook_has_sheets_and_rows_as_places() -> None:
    found = legacy.read(case("costs.xls"))
    assert [(found.text[p.start :].split("\n")[0], p.label) for p in found.places] == [
        ("Costs", "Costs"),
        ("Boiler service\t18460", "Costs!A1"),
        ("Chimney\t12.5\t2024-03-09", "Costs!A6"),
        ("Gäste", "Gäste"),
        ("Ida Holm brings the lamp", "Gäste!A1"),
    ]


def test_slides_are_places() -> None:
    found = legacy.read(case("talk.ppt"))
    assert [(found.text[p.start :].split("\n")[0], p.label) for p in found.places] == [
        ("Gulls of the harbour", "slide 1"),
        ("Nests on the pier", "slide 2"),
    ]
    assert found.text.endswith("Möwen zählen im Mai\n\nSay thanks to Ida.")  # which are the second slide's notes


@pytest.mark.parametrize(
    ("name", "stream", "at", "value"),
    [
        ("keeper.doc", "WordDocument", 11, bytes([0x13])),
        ("talk.ppt", "Current User", 12, struct.pack("<I", 0xF3D1C4DF)),
        ("costs.xls", "Workbook", 0, struct.pack("<HHIHH", 0x809, 4, 0x600, 0x2F, 2)),
    ],
)
def test_an_encrypted_file_is_named(name: str, stream: str, at: int, value: bytes) -> None:
    found = streams(name)
    data = found[stream]
    assert isinstance(data, bytes)
    found[stream] = data[:at] + value + data[at + len(value) :]
    with pytest.raises(Unreadable, match=r"^is encrypted$"):
        legacy.read(Source(name=name, data=compound(found)))


def test_an_encrypted_package_of_a_newer_kind_is_named() -> None:
    sealed = compound({"EncryptedPackage": bytes(5_000), "EncryptionInfo": bytes(100)})
    with pytest.raises(Unreadable, match=r"^is encrypted$"):
        legacy.read(Source(name="a.xlsb", data=sealed))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is damaged"),
        (b"<html>a page that is named .doc</html>", "is damaged .does not begin as a DOC file"),
        (compound({"Something": b"else"}), "holds no document that is known"),
        (b"PK\3\4 no zip", "is damaged"),
        (compound({"WordDocument": bytes(4_000)}), "is damaged"),
    ],
)
def test_what_is_no_such_file_is_told(data: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        legacy.read(Source(name="a.doc", data=data))


def record(number: int, data: bytes = b"") -> bytes:
    """A record of a binary workbook, [MS-XLSB] 2.1.4."""

    def varint(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])

    return varint(number) + varint(len(data)) + data


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def binary_workbook(padding: int = 0) -> bytes:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    link = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    )
    sheet = record(129) + record(145) + record(0, struct.pack("<IIHHBI", 2, 0, 300, 0, 0, 0))
    sheet += record(6, struct.pack("<II", 1, 0) + wide("Lamp öl")) + record(5, struct.pack("<IId", 2, 0, 12.5))
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'{link}Type="{office}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
        "xl/_rels/workbook.bin.rels": f'{link}Type="{office}/worksheet" Target="worksheets/sheet1.bin"/>'
        "</Relationships>",
        "xl/workbook.bin": record(131)
        + record(143)
        + record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("Costs"))
        + record(144)
        + record(132),
        "xl/worksheets/sheet1.bin": sheet + record(146) + record(130),
        "padding.bin": bytes(padding),
    }
    with zipfile.ZipFile(packed := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return packed.getvalue()


def test_a_binary_workbook_has_its_sheets_as_places() -> None:
    found = legacy.read(Source(name="costs.xlsb", data=binary_workbook()))
    assert found.text == "Costs\nLamp öl\t12.5"
    assert [place.label for place in found.places] == ["Costs"]


def test_what_a_binary_workbook_unpacks_to_is_bounded() -> None:
    given_source = Source(name="a.xlsb", data=binary_workbook(padding=3 << 20), budget=Budget(part_bytes=2 << 20))
    with pytest.raises(Unreadable, match=r"padding.bin unpacks to more than 2 MB"):
        legacy.read(given_source)


def test_another_zip_is_no_binary_workbook() -> None:
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        archive.writestr("word/document.xml", b"")
    with pytest.raises(Unreadable, match="no binary workbook"):
        legacy.read(Source(name="a.xlsb", data=packed.getvalue()))


@pytest.mark.parametrize(("name", "missing"), [("keeper.doc", "office_oxide"), ("costs.xls", "olefile")])
def test_a_missing_package_is_named(name: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra, match=r"files need colibri-edge\[files-all\]: pip install "):
        legacy.read(case(name))


def test_nothing_is_loaded_before_such_a_file_comes() -> None:
    code = "import sys; import colibri.files.kinds.legacy; print({'olefile', 'office_oxide'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@given(
    st.sampled_from(["keeper.doc", "costs.xls", "talk.ppt"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=30),
)
@settings(max_examples=rounds(quick=30, soak=100), deadline=None)
def test_a_damaged_file_is_read_or_refused(name: str, changes: list[tuple[float, int]]) -> None:
    data = bytearray((CASES / name).read_bytes())
    for place, value in changes:
        data[int(place * len(data))] = value
    with contextlib.suppress(Unreadable):
        legacy.read(Source(name=name, data=bytes(data)))


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed: nothing to save files with")
@pytest.mark.parametrize(("made", "kind"), [("doc", "Word"), ("xls", "Excel")])
def test_what_libreoffice_saves_comes_back(made: str, kind: str, tmp_path: Path) -> None:
    given_path = tmp_path / ("page.html" if made == "doc" else "page.csv")
    given_path.write_text("Der Wärter,zählt Möwen\nпри свете,лампы\n", encoding="utf-8")
    filters = {"doc": "doc:MS Word 97", "xls": "xls:MS Excel 97"}[made]
    into = {"doc": "Text (encoded):UTF8", "xls": "CSV:44,34,76,1"}[made]
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [
        "soffice",
        profile,
        "--headless",
        f"--infilter={into}",
        "--convert-to",
        filters,
        "--outdir",
        str(tmp_path),
    ]
    subprocess.run([*command, str(given_path)], check=True, capture_output=True, timeout=180)
    found = legacy.read(Source(name=f"page.{made}", data=(tmp_path / f"page.{made}").read_bytes()))
    for word in ("Wärter", "zählt Möwen", "при свете", "лампы"):
        assert word in found.text, kind
