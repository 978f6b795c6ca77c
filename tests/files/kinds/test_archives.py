"""Archives give their members, whatever wrote the names, and what is damaged costs only itself."""

import bz2
import gzip
import io
import lzma
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.errors import MissingExtra
from colibri.files.kinds.archives import members
from colibri.files.kinds.names import label, texts_of
from colibri.files.source import Budget, Source
from colibri.files.text import Member, Passed, Unreadable

FILES = [("notes/a.txt", b"the keeper counts gulls"), ("b.md", b"# Boil vinegar"), ("empty.txt", b"")]


def zipped(files: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return file.getvalue()


def taped(files: Iterable[tuple[str, bytes]], mode: str = "w", form: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def zstandard(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        zstd = pytest.importorskip("backports.zstd")
    packed: bytes = zstd.compress(data)
    return packed


PACKERS = [gzip.compress, bz2.compress, lzma.compress, lambda data: lzma.compress(data, lzma.FORMAT_ALONE), zstandard]


def read(data: bytes, name: str = "a.zip", budget: Budget | None = None) -> list[Member | Passed]:
    return list(members(Source(name=name, data=data, budget=budget or Budget())))


def files(found: list[Member | Passed]) -> list[tuple[str, bytes]]:
    return [(one.name, one.data) for one in found if isinstance(one, Member)]


def passed(found: list[Member | Passed]) -> list[str]:
    return [f"{one.name} {one.why}" for one in found if isinstance(one, Passed)]


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
def test_members_of_a_zip(method: int) -> None:
    assert read(zipped(FILES, method)) == [Member(name=name, data=data) for name, data in FILES]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_members_of_a_tar(mode: str, form: int) -> None:
    assert files(read(taped(FILES, mode, form))) == FILES
    assert not passed(read(taped(FILES, mode, form)))


@pytest.mark.parametrize("pack", PACKERS)
def test_a_packed_file_has_its_name_without_the_last_ending(pack) -> None:  # type: ignore[no-untyped-def]
    text = b"the keeper counts gulls\n" * 10_000
    for name, inner in (("x/notes.txt.gz", "notes.txt"), ("NOTES.ZST", "NOTES"), ("c:\\a\\b.xz", "b"), ("odd", "odd")):
        assert read(pack(text), name) == [Member(name=inner, data=text)]
    assert files(read(pack(taped(FILES)), "x.bin")) == FILES


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = zstandard(b"x")
    for name in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"colibri-edge\[files\]"):
        read(data)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("図書館の報告.txt", "cp932"),
        ("テスト.csv", "cp932"),
        ("ひらがな/メモ.txt", "cp932"),
        ("Отчет за май.txt", "cp866"),
        ("Протокол собрания.doc", "cp866"),
        ("Отчет за май.txt", "cp1251"),
        ("Größe/Übersicht.txt", "cp437"),
        ("café à la crème.txt", "cp437"),
        ("café à la crème.txt", "cp1252"),
        ("château été.txt", "cp437"),
        ("会議資料.xlsx", "cp932"),
        ("仓库温度记录.txt", "gb18030"),
        ("도서관 안내.txt", "cp949"),
        ("図書館.txt", "utf-8"),
        ("plain.txt", "ascii"),
    ],
)
def test_old_names_are_read_in_the_code_page_of_their_machine(name: str, codec: str) -> None:
    assert texts_of([name.encode(codec), b"x.txt"]) == [name, "x.txt"]
    raw = name.encode(codec)
    placeholder = "~" * len(raw)
    data = zipped([(placeholder, b"text")]).replace(placeholder.encode(), raw)
    assert files(read(data)) == [(name, b"text")]
    tape = taped([("~" * len(raw), b"text")], form=tarfile.GNU_FORMAT)
    header = bytearray(tape[:512].replace(placeholder.encode(), raw))
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    assert files(read(bytes(header) + tape[512:])) == [(name, b"text")]


def test_names_that_say_that_they_are_utf_8_and_names_beside_old_ones() -> None:
    assert files(read(zipped([("図書館.txt", b"a"), ("naïve.txt", b"b")]))) == [
        ("図書館.txt", b"a"),
        ("naïve.txt", b"b"),
    ]
    info = zipfile.ZipInfo("caf_.txt")
    name = "café €.txt".encode()
    info.extra = struct.pack("<HHBI", 0x7075, 5 + len(name), 1, zlib.crc32(b"caf_.txt")) + name
    assert files(read(zipped([(info, b"text")]))) == [("café €.txt", b"text")]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/srv/x", "srv/x"),
        ("C:\\Users\\x.txt", "Users/x.txt"),
        ("a/./b/../c", "a/b/c"),
        ("..", "unnamed"),
        ("a\x1b[2J\nb", "a\ufffd[2J\ufffdb"),
    ],
)
def test_a_name_is_a_label_that_leads_nowhere(name: str, shown: str) -> None:
    assert label(name) == shown
    assert files(read(taped([(name, b"x")]))) == [(shown, b"x")]


def test_of_one_name_all_members_are_kept() -> None:
    listed = [("a.txt", b"1"), ("a.txt", b"2"), ("a (2).txt", b"3"), ("./a.txt", b"4")]
    wanted = [("a.txt", b"1"), ("a (2).txt", b"2"), ("a (2) (2).txt", b"3"), ("a (3).txt", b"4")]
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(listed)
    assert files(read(data)) == wanted
    assert files(read(taped(listed))) == wanted


def test_links_devices_and_files_of_macos_are_counted() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, kind in (
            ("l", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("d", tarfile.CHRTYPE),
            ("f", tarfile.FIFOTYPE),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        for name in ("dir/", "x/._a.txt", ".DS_Store", "a.txt"):
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE if name == "dir/" else tarfile.REGTYPE
            archive.addfile(entry)
    found = read(file.getvalue())
    assert files(found) == [("a.txt", b"")]
    assert passed(found) == [
        "2 links left out",
        "2 devices left out",
        "2 files of macOS left out",
    ]
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    found = read(zipped([(link, b"/etc/passwd"), ("__MACOSX/._b.txt", b"x"), ("b.txt", b"y")]))
    assert files(found) == [("b.txt", b"y")]
    assert passed(found) == ["1 link left out", "1 file of macOS left out"]


def test_archives_within_are_members() -> None:
    inner = zipped(FILES)
    assert files(read(taped([("inner.zip", inner)], "w:gz"))) == [("inner.zip", inner)]


def test_an_encrypted_member_is_named_and_the_rest_is_read() -> None:
    data = bytearray(zipped([("secret.txt", b"x"), ("open.txt", b"y")]))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    found = read(bytes(data))
    assert (files(found), passed(found)) == ([("open.txt", b"y")], ["secret.txt is encrypted"])


def test_a_damaged_member_of_a_zip_is_named_and_the_rest_is_read() -> None:
    data = zipped([("a.txt", b"one" * 50), ("b.txt", b"two"), ("c.txt", b"three")], zipfile.ZIP_STORED)
    found = read(
        data.replace(b"oneone", b"one1ne", 1).replace(b"PK\x03\x04", b"PK\x03\x05", 2).replace(b"\x05", b"\x04", 1)
    )
    assert files(found) == [("c.txt", b"three")]
    assert [said.split(" (")[0] for said in passed(found)] == ["a.txt is damaged", "b.txt is damaged"]


def test_a_method_that_is_not_read_is_named() -> None:
    data = bytearray(zipped([("a.txt", b"one"), ("b.txt", b"two")]))
    for at in (8, data.index(b"PK\x01\x02") + 10):
        data[at : at + 2] = b"\x09\x00"
    found = read(bytes(data))
    assert (files(found), passed(found)) == ([("b.txt", b"two")], ["a.txt is packed by deflate64, not read"])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_of_a_zip_that_is_cut_off_the_members_before_are_read(method: int) -> None:
    text = bytes(range(256)) * 40
    data = zipped([("a.txt", b"one"), ("b.txt", text), ("c.txt", text)], method)
    found = read(data[: data.rindex(b"PK\x03\x04") + 60])
    assert files(found)[:2] == [("a.txt", b"one"), ("b.txt", text)]
    assert passed(found)[-1].startswith("the directory is damaged")


def test_a_zip_written_to_a_pipe_is_salvaged_too() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES:
            archive.writestr(name, data)
    assert files(read(pipe.data)) == FILES
    assert files(read(pipe.data[: pipe.data.index(b"PK\x01\x02")])) == FILES


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_of_a_tar_that_is_cut_off_the_members_before_are_read(mode: str) -> None:
    text = bytes(i * i * 7 % 251 for i in range(300_000))
    data = taped([("a.txt", b"one"), *((f"{i}.bin", text[i:]) for i in range(5)), ("z.txt", b"z")], mode)
    found = read(data[: len(data) * 3 // 4])
    assert files(found)[0] == ("a.txt", b"one")
    assert ("z.txt", b"z") not in files(found)
    assert passed(found)


def test_a_damaged_header_within_a_tar_costs_its_member_alone() -> None:
    data = bytearray(taped([("a.txt", b"one"), ("b.txt", b"two"), ("c.txt", b"three")]))
    data[data.index(b"b.txt")] ^= 0xFF
    found = read(bytes(data))
    assert files(found) == [("a.txt", b"one"), ("c.txt", b"three")]
    assert passed(found) == ["after a.txt 1,024 bytes are damaged"]
    data[data.index(b"c.txt")] ^= 0xFF
    assert passed(read(bytes(data))) == ["after a.txt the archive is damaged (no entry)"]


def test_archives_one_after_another() -> None:
    found = read(taped(FILES) + taped([("z.txt", b"z")]))
    assert files(found) == [*FILES, ("z.txt", b"z")]
    assert not passed(found)
    assert read(gzip.compress(b"one ") + gzip.compress(b"two"), "a.txt.gz") == [Member(name="a.txt", data=b"one two")]


@pytest.mark.parametrize("pack", PACKERS)
def test_of_a_packed_file_that_is_cut_off_the_beginning_is_read(pack) -> None:  # type: ignore[no-untyped-def]
    text = b"".join(b"%d gulls, " % (i * i) for i in range(20_000))
    data = pack(text)
    (member, said) = read(data[: len(data) - 10], "a.txt.gz")
    assert isinstance(member, Member)
    assert isinstance(said, Passed)
    assert text.startswith(member.data)
    assert "is damaged after its first" in said.why
    with pytest.raises(Unreadable, match="damaged"):
        read(data[:13], "a.txt.gz")


@pytest.mark.parametrize("pack", PACKERS)
def test_what_unpacks_to_too_much_is_refused(pack) -> None:  # type: ignore[no-untyped-def]
    data = pack(bytes(5 << 20))
    with pytest.raises(Unreadable, match="unpacks to more than 1 MB"):
        read(data, "a.txt.gz", Budget(part_bytes=1 << 20))
    with pytest.raises(Unreadable, match="unpacks to more than 2 MB"):
        read(data, "a.txt.gz", Budget(total_bytes=2 << 20))


@pytest.mark.parametrize("archive", [zipped, taped])
def test_a_large_member_is_named_and_takes_nothing(archive) -> None:  # type: ignore[no-untyped-def]
    budget = Budget(part_bytes=1 << 20, total_bytes=8 << 20)
    found = read(archive([("large.txt", bytes(5 << 20)), ("a.txt", b"x")]), budget=budget)
    assert (files(found), passed(found)) == ([("a.txt", b"x")], ["large.txt unpacks to more than 1 MB"])
    assert budget.used_bytes == 1


@pytest.mark.parametrize("archive", [zipped, taped])
def test_after_too_much_in_all_the_rest_is_named(archive) -> None:  # type: ignore[no-untyped-def]
    budget = Budget(part_bytes=2 << 20, total_bytes=3 << 20)
    found = read(archive([("1", bytes(2 << 20)), ("2", bytes(2 << 20)), ("3", b"x")]), budget=budget)
    assert [name for name, _ in files(found)] == ["1"]
    assert passed(found)[0].endswith("unpacks to more than 3 MB")


def test_a_member_that_lies_about_its_size_is_stopped() -> None:
    data = bytearray(zipped([("a.txt", bytes(4 << 20)), ("b.txt", b"x")]))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    budget = Budget(part_bytes=1 << 20)
    found = read(bytes(data), budget=budget)
    assert files(found) == [("b.txt", b"x")]
    assert budget.used_bytes <= 2 << 20


@pytest.mark.parametrize("data", [zipped(FILES), taped(FILES), taped(FILES, "w:gz")])
def test_what_is_not_wanted_is_not_unpacked(data: bytes) -> None:
    source = Source(name="a", data=data)
    found = list(members(source, lambda name: name.endswith(".md")))
    assert found == [Member(name="b.md", data=b"# Boil vinegar")]
    assert source.budget.used_bytes == 14


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"7z\xbc\xaf\x27\x1c....", "7z archive, which is not read"),
        (b"Rar!\x1a\x07\x00", "RAR archive"),
        (b"", "no archive that is read"),
        (b"plain text", "no archive that is read"),
        (b"PK\x03\x04", "damaged"),
        (b"PK\x05\x06" + bytes(5), "damaged"),
    ],
)
def test_what_is_no_archive_says_so(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read(data)


def test_empty_archives() -> None:
    assert [read(data) for data in (zipped([]), taped([]))] == [[], []]


NAMES = st.text(st.characters(exclude_categories=["C"], exclude_characters="/\\:"), min_size=1, max_size=20)


@given(st.dictionaries(NAMES.filter(lambda name: label(name) == name), st.binary(max_size=2_000), max_size=5))
def test_any_members_come_back(listed: dict[str, bytes]) -> None:
    wanted = [(name, data) for name, data in listed.items() if not name.startswith("._") and name != ".DS_Store"]
    for data in (zipped(listed.items()), taped(listed.items()), taped([*listed.items(), ("z", b"")], "w:gz")):
        assert [one for one in files(read(data)) if one[0] in listed] == wanted


WHOLE = [
    zipped(FILES),
    zipped(FILES, zipfile.ZIP_STORED),
    *(taped(FILES, mode) for mode in ("w", "w:gz", "w:bz2", "w:xz")),
]


@given(
    st.sampled_from(WHOLE),
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 255)), max_size=5),
    st.integers(0, 3_000),
)
def test_any_damage_gives_members_or_reasons(whole: bytes, changes: list[tuple[int, int]], end: int) -> None:
    data = bytearray(whole)
    for at, value in changes:
        data[at % len(data)] = value
    try:
        found = read(bytes(data[: end or None]))
    except Unreadable as error:
        assert str(error)  # noqa: PT017 - either is right
    else:
        assert all(isinstance(one, Member | Passed) for one in found)


@given(st.binary(max_size=400))
def test_any_bytes_are_an_archive_or_none(data: bytes) -> None:
    for prefix in (b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0"):
        try:
            read(prefix + data)
        except Unreadable:
            continue


def test_folders_of_windows_are_no_members() -> None:
    assert files(read(zipped([("dir\\", b""), ("dir\\a.txt", b"x")]))) == [("dir/a.txt", b"x")]
