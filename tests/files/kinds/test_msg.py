"""Outlook's messages: what a mail program shows, attachments as files, messages within as messages."""

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colibri.files.kinds import legacy, msg
from colibri.files.kinds.msg_rtf import unpacked, words
from colibri.files.source import Budget, Source
from colibri.files.text import Member, Part, Passed, Unreadable
from compound_file import Storage, compound
from rounds import rounds

pytest.importorskip("olefile", reason=".msg files need pip install 'colibri-edge[files-all]'")

Values = dict[int, "str | bytes | int | datetime"]


def storage(values: Values, header: int, codec: str = "") -> Storage:
    """Properties as [MS-OXMSG] lays them out. codec: of strings, which are Unicode without one."""
    found: Storage = {}
    fixed = bytearray(header)
    for number, value in values.items():
        if isinstance(value, str):
            kind, data = (0x1E, value.encode(codec)) if codec else (0x1F, value.encode("utf-16-le"))
            found[f"__substg1.0_{number:04X}{kind:04X}"] = data
            fixed += struct.pack("<HHIII", kind, number, 6, len(data), 0)
        elif isinstance(value, bytes):
            found[f"__substg1.0_{number:04X}0102"] = value
            fixed += struct.pack("<HHIII", 0x102, number, 6, len(value), 0)
        elif isinstance(value, int):
            fixed += struct.pack("<HHIiI", 3, number, 6, value, 0)
        else:
            ticks = int((value - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
            fixed += struct.pack("<HHIQ", 0x40, number, 6, ticks)
    found["__properties_version1.0"] = bytes(fixed)
    return found


def source(root: Storage) -> Source:
    return Source(name="note.msg", data=compound(root))


def literal(rtf: bytes) -> bytes:
    """RTF "compressed" without a single repetition."""
    body = b"".join(b"\0" + rtf[at : at + 8] for at in range(0, len(rtf), 8))
    return struct.pack("<II4sI", len(body) + 12, len(rtf), b"LZFu", 0) + body


HEADERS: Values = {
    0x0037: "Gulls für Köln",
    0x0C1A: "Ida Holm",
    0x5D01: "ida@example.org",
    0x0039: datetime(2024, 3, 9, 7, 30, tzinfo=UTC),
    0x0E04: "only where no recipients are kept",
}


def recipient(name: str, address: str, kind: int) -> Storage:
    return storage({0x3001: name, 0x39FE: address, 0x0C15: kind}, 8)


def test_what_a_mail_program_shows() -> None:
    root = storage({**HEADERS, 0x1000: "The keeper counts gulls.\r\n\r\nBefore breakfast.\r\n"}, 32)
    root["__recip_version1.0_#00000000"] = recipient("Ole Berg", "ole@example.org", 1)
    root["__recip_version1.0_#00000001"] = recipient("pier@example.org", "pier@example.org", 1)
    root["__recip_version1.0_#00000002"] = recipient("Nia", "/O=PIER/CN=NIA", 2)
    found = msg.read(source(root))
    assert found.text == (
        "Subject: Gulls für Köln\nFrom: Ida Holm <ida@example.org>\nTo: Ole Berg <ole@example.org>; pier@example.org\n"
        "Cc: Nia\nDate: 2024-03-09T07:30:00Z\n\nThe keeper counts gulls.\n\nBefore breakfast."
    )
    assert (found.title, found.author) == ("Gulls für Köln", "Ida Holm <ida@example.org>")
    assert found.created == "2024-03-09T07:30:00Z"
    assert not found.remarks


def test_strings_that_are_no_unicode_have_the_files_code_page() -> None:
    root = storage({0x0037: "Смотритель", 0x1000: "зажигает лампу", 0x3FFD: 1251}, 32, "cp1251")
    assert msg.read(source(root)).text == "Subject: Смотритель\n\nзажигает лампу"
    unknown = storage({0x0037: "lamp", 0x3FFD: 7}, 32, "cp1252")
    assert msg.read(source(unknown)).title == "lamp"


@pytest.mark.parametrize(
    ("page", "codec", "head"),
    [(28592, "iso8859_2", ""), (65001, "utf-8", ""), (20127, "cp1250", '<meta charset="windows-1250">')],
)
def test_a_page_is_read_by_what_it_says_and_else_by_the_messages_code_page(page: int, codec: str, head: str) -> None:
    html = f"<html><head>{head}</head><body><p>Łódź <b>liczy</b> mewy</p></body></html>".encode(codec)
    assert msg.read(source(storage({0x1013: html, 0x3FDE: page}, 32))).text == "Łódź liczy mewy"


def test_rtf_is_the_last_resort_and_a_page_wrapped_in_it_shows_what_the_page_did() -> None:
    rtf = (
        rb"{\rtf1\ansi\ansicpg1251\fromhtml1{\fonttbl{\f0 Arial;}}"
        rb"{\*\htmltag64 <p>}\htmlrtf {\f0 \htmlrtf0 The lamp \'ea\'ee\'f2 \u9731? burns\htmlrtf\par}\htmlrtf0"
        rb"{\*\htmltag72 </p>}}"
    )
    assert msg.read(source(storage({0x1009: literal(rtf)}, 32))).text == "The lamp кот ☃ burns"
    both = storage({0x1009: literal(rtf), 0x1000: "Plain."}, 32)
    assert msg.read(source(both)).text == "Plain."


def test_rtf_is_unpacked_as_its_specification_shows() -> None:
    """[MS-OXRTFCP] 3.2.1 and 3.2.2."""
    plain = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c090020627705b06c647d0a800fa0"
    )
    assert unpacked(plain, Budget()) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    crossing = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert unpacked(crossing, Budget()) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert unpacked(struct.pack("<II4sI", 16, 4, b"MELA", 0) + b"{\\rt", Budget()) == b"{\\rt"


@pytest.mark.parametrize("data", [b"", b"short", struct.pack("<II4sI", 16, 4, b"ABCD", 0)])
def test_a_broken_body_is_a_remark_and_the_rest_is_read(data: bytes) -> None:
    found = msg.read(source(storage({0x0037: "Lamp", 0x1009: data}, 32)))
    assert found.text == "Subject: Lamp"
    assert found.remarks[0].startswith("the message's RTF is damaged")


def test_words_of_rtf_beyond_the_basic_plane_and_deep_groups() -> None:
    assert words(rb"{\rtf1\uc1 \u-10179?\u-9203? a\tab b\par c\{\}}") == "🐍 a\tb\nc{}"
    assert words(rb"{\rtf1\u-10179? alone}") == "� alone"
    assert words(b"{" * 5_000 + b"x" + b"}" * 9_000) == ""


def test_attachments_are_files_and_messages_within_are_messages() -> None:
    inner = storage({0x0037: "Within", 0x1000: "An older note."}, 24)
    inner["__attach_version1.0_#00000000"] = storage({0x3707: "map.png", 0x3701: b"\x89PNG"}, 8)
    root = storage({**HEADERS, 0x1000: "See the plan."}, 32)
    root["__attach_version1.0_#00000000"] = storage(
        {0x3707: "the plan.pdf", 0x3704: "THEPLA~1.PDF", 0x3701: b"%PDF-"}, 8
    )
    root["__attach_version1.0_#00000001"] = {**storage({0x3001: "Within", 0x3705: 5}, 8), "__substg1.0_3701000D": inner}
    root["__attach_version1.0_#00000002"] = storage({0x3707: "far away.doc", 0x3705: 2}, 8)
    found = list(legacy.messages(source(root)))
    assert [(type(one), one.name) for one in found] == [
        (Part, ""),
        (Member, "the plan.pdf"),
        (Part, "1"),
        (Member, "1/map.png"),
        (Passed, "far away.doc"),
    ]
    assert isinstance(found[1], Member)
    assert found[1].data == b"%PDF-"
    assert isinstance(found[2], Part)
    assert found[2].content.text == "Subject: Within\n\nAn older note."
    assert legacy.read(source(root)).text.endswith("See the plan.")


def test_a_file_without_a_name_has_a_number() -> None:
    root = storage({0x1000: "See."}, 32)
    root["__attach_version1.0_#00000000"] = storage({0x3701: b"x"}, 8)
    root["__attach_version1.0_#0000000A"] = storage({0x3707: " ", 0x3704: "", 0x3701: b"y"}, 8)
    assert [one.name for one in msg.messages(source(root))] == ["", "attachment 1", "attachment 2"]


def test_what_is_attached_counts_against_the_budget() -> None:
    root = storage({0x1000: "See."}, 32)
    root["__attach_version1.0_#00000000"] = storage({0x3707: "large.bin", 0x3701: bytes(3 << 20)}, 8)
    given_source = Source(name="a.msg", data=compound(root), budget=Budget(part_bytes=2 << 20))
    assert list(msg.messages(given_source))[1] == Passed(name="large.bin", why="large.bin unpacks to more than 2 MB")


def test_an_encrypted_message_is_named() -> None:
    found = msg.read(source(storage({0x0037: "Sealed", 0x001A: "IPM.Note.SMIME"}, 32)))
    assert found.remarks == ("the message is encrypted; its headers alone were read",)


def whole() -> bytes:
    root = storage({**HEADERS, 0x1000: "The keeper counts gulls. " * 300, 0x1009: literal(b"{\\rtf1 x}")}, 32)
    inner = storage({0x0037: "Within"}, 24)
    root["__attach_version1.0_#00000000"] = storage({0x3707: "plan.pdf", 0x3701: b"%PDF-" * 2_000}, 8)
    root["__attach_version1.0_#00000001"] = {**storage({}, 8), "__substg1.0_3701000D": inner}
    root["__recip_version1.0_#00000000"] = recipient("Ole Berg", "ole@example.org", 1)
    return compound(root)


WHOLE = whole()


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=20), st.integers(0, len(WHOLE))
)
@settings(max_examples=rounds(quick=75, soak=300), deadline=None)
def test_a_damaged_message_is_read_or_refused(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(WHOLE)
    for at, value in changes:
        data[at] = value
    for whole in (bytes(data), bytes(data[:length])):
        try:
            for one in legacy.messages(Source(name="a.msg", data=whole)):
                assert isinstance(one, Part | Member | Passed)
        except Unreadable:
            continue
