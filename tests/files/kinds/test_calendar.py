"""Events and contacts: each a document under its own name, in words."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from colibri.files.kinds.calendar import entries
from colibri.files.kinds.cards import components
from colibri.files.source import Source
from colibri.files.text import Part, Passed, Unreadable


def read(data: str | bytes) -> list[Part | Passed]:
    return list(entries(Source(name="a.ics", data=data.encode() if isinstance(data, str) else data)))


def one(data: str | bytes) -> Part:
    (found,) = read(data)
    assert isinstance(found, Part)
    return found


CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Europe/Oslo
BEGIN:STANDARD
DTSTART:19961027T030000
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:7@example.org
DTSTART;TZID=Europe/Oslo:20240503T140000
DTEND;TZID=Europe/Oslo:20240503T153000
SUMMARY:Boiler service\\, yearly
LOCATION:Cellar\\; left door
DESCRIPTION:Bring the key.\\nAsk for the b
 ill\\\\receipt.
ORGANIZER;CN="Lee, Ann":mailto:ann@example.org
ATTENDEE;CN=Bob;ROLE=REQ-PARTICIPANT:MAILTO:bob@example.org
ATTENDEE:mailto:cat@example.org
CATEGORIES:house,heat\\,ing
CREATED:20240401T080000Z
LAST-MODIFIED:20240402T080000Z
RRULE:FREQ=YEARLY
BEGIN:VALARM
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
begin:vtodo
SUMMARY:Buy salt
DUE;VALUE=DATE:20240601
end:vtodo
BEGIN:VJOURNAL
DTSTART;VALUE=DATE:20240602
DESCRIPTION:It rained.
END:VJOURNAL
END:VCALENDAR
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_events_tasks_and_notes(end: str, codec: str) -> None:
    event, task, note = read(CALENDAR.replace("\n", end).encode(codec))
    assert isinstance(event, Part)
    assert isinstance(task, Part)
    assert isinstance(note, Part)
    assert event.content.text == (
        "Boiler service, yearly\n2024-05-03 14:00 Europe/Oslo – 2024-05-03 15:30 Europe/Oslo\nCellar; left door\n"
        "Lee, Ann <ann@example.org>\nBob <bob@example.org>, cat@example.org\nhouse, heat,ing\n\n"
        "Bring the key.\nAsk for the bill\\receipt."
    )
    assert (event.name, event.line, event.content.title) == ("7@example.org", 9, "Boiler service, yearly")
    assert event.content.author == "Lee, Ann <ann@example.org>"
    assert (event.content.created, event.content.modified) == ("2024-04-01T08:00:00+00:00", "2024-04-02T08:00:00+00:00")
    assert event.fields == {
        "kind": "event",
        "start": "2024-05-03T14:00:00 Europe/Oslo",
        "end": "2024-05-03T15:30:00 Europe/Oslo",
        "location": "Cellar; left door",
        "rule": "FREQ=YEARLY",
    }
    assert (task.name, task.content.text, task.fields["kind"]) == ("28", "Buy salt\n2024-06-01", "task")
    assert (note.name, note.content.text) == ("32", "2024-06-02\n\nIt rained.")


def event(*lines: str) -> str:
    return "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["DTSTART;VALUE=DATE:20240503", "DTEND;VALUE=DATE:20240504"], "2024-05-03"),
        (["DTSTART;VALUE=DATE:20240503", "DTEND;VALUE=DATE:20240506"], "2024-05-03 – 2024-05-05"),
        (["DTSTART:20240503T140000Z", "DURATION:PT1H30M"], "2024-05-03 14:00 UTC – 2024-05-03 15:30 UTC"),
        (["DTSTART:20240503T140005", "DURATION:P1W"], "2024-05-03 14:00:05 – 2024-05-10 14:00:05"),
        (["DTSTART:20240503T140000", "DURATION:nonsense"], "2024-05-03 14:00"),
        (["DTSTART:99999999T140000", "DURATION:P9999999W"], "9999-99-99 14:00"),
        (["DTSTART:soon"], ""),
    ],
)
def test_times_as_they_are_shown(lines: list[str], shown: str) -> None:
    assert one(event("SUMMARY:s", *lines)).content.text == f"s\n{shown}".strip()


def test_a_description_in_html_is_read_as_a_page() -> None:
    assert one(event("SUMMARY:s", "DESCRIPTION:<p>one</p><b>two</b>")).content.text == "s\n\none\n\ntwo"
    assert one(event("SUMMARY:s", "X-ALT-DESC;FMTTYPE=text/html:<p>one</p>")).content.text == "s\n\none"
    assert one(event("SUMMARY:s", "DESCRIPTION:a <b@c> 1 < 2")).content.text == "s\n\na <b@c> 1 < 2"


def test_of_one_uid_the_last_stays_and_moved_ones_of_a_series_too() -> None:
    found = read(
        event("UID:u", "SUMMARY:old")
        + "\n"
        + event("UID:u", "SUMMARY:new")
        + "\n"
        + event("UID:u", "RECURRENCE-ID:20240503", "SUMMARY:moved")
    )
    assert found[0] == Passed(name="line 2", why="its UID 'u' stands again in line 8, which is kept")
    assert [(part.name, part.content.title) for part in found if isinstance(part, Part)] == [
        ("u", "new"),
        ("u/20240503", "moved"),
    ]


def test_an_event_that_does_not_end_is_read_and_said() -> None:
    part = one("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:cut\nno colon here\nDESCR")
    assert (part.content.text, part.content.remarks) == ("cut", ("the event of line 2 does not end",))
    assert read("BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VALARM\nEND:VEVENT\nEND:VCALENDAR") == [
        Passed(name="line 2", why="event without text")
    ]


OLD_CARD = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=windows-1251;ENCODING=QUOTED-PRINTABLE:=CF=E5=F2=F0=EE=E2;=C8=E2=E0=ED
FN;CHARSET=UTF-8;QUOTED-PRINTABLE:=D0=98=D0=B2=D0=B0=D0=BD =D0=9F=D0=B5=
=D1=82=D1=80=D0=BE=D0=B2
TEL;HOME;VOICE:+47 12 34
EMAIL;INTERNET:ivan@example.org
NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0Atwo
ORG:Harbour;
  Office
PHOTO;ENCODING=BASE64;TYPE=JPEG:
 /9j/4AAQSkZJRgABAQ
 AAAQABAAD

END:VCARD
"""


def test_a_card_of_version_2_1() -> None:
    card = one(OLD_CARD.encode("ascii"))
    assert card.content.text == "Иван Петров\nHarbour, Office\nivan@example.org\n+47 12 34\n\none\ntwo"
    assert (card.name, card.line, card.content.title) == ("1", 1, "Иван Петров")
    assert card.fields == {"kind": "contact", "email": ["ivan@example.org"], "phone": ["+47 12 34"]}


def test_bytes_of_a_card_in_the_charset_it_names() -> None:
    data = "BEGIN:VCARD\nVERSION:2.1\nFN;CHARSET=koi8-r:Иван\nEND:VCARD\n".encode("koi8_r")
    assert one(data).content.text == "Иван"


NEW_CARD = """BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:7
FN:Ann Lee
N:Lee;Ann;Mary,Sue;Dr.;
item1.EMAIL;TYPE=work:ann@example.org
item1.X-ABLABEL:Work
TEL;VALUE=uri;TYPE="voice,home":tel:+47-12
ADR;LABEL="Quay 1":;;Quay 1\\, left;Bergen;;5003;Norway
BDAY:19800102
ORG:Harbour\\; Ltd;Keys
TITLE:Keeper
NOTE:Likes gulls\\nand terns.
PHOTO:data:image/jpeg;base64,MIICajCCAdOgAwIBAgICBEUw
REV:20240503T090807Z
END:VCARD
"""


def test_a_card_of_version_4() -> None:
    card = one(NEW_CARD)
    assert card.content.text == (
        "Ann Lee\nDr. Ann Mary,Sue Lee\nKeeper\nHarbour; Ltd, Keys\nann@example.org\n+47-12\n"
        "Quay 1, left, Bergen, 5003, Norway\n1980-01-02\n\nLikes gulls\nand terns."
    )
    assert (card.name, card.content.modified) == ("urn:uuid:7", "2024-05-03T09:08:07+00:00")


def test_cards_one_after_another() -> None:
    cards = "".join(f"BEGIN:VCARD\nVERSION:3.0\nN:;Bob {number}\nEND:VCARD\n" for number in range(3))
    assert [part.name for part in read(cards)] == ["1", "5", "9"]
    assert [part.content.title for part in read(cards) if isinstance(part, Part)] == ["Bob 0", "Bob 1", "Bob 2"]


@pytest.mark.parametrize("data", ["", "plain", "BEGIN:NOTHING\nEND:NOTHING"])
def test_what_is_neither_says_so(data: str) -> None:
    with pytest.raises(Unreadable, match="no calendar"):
        read(data)
    assert read("BEGIN:VCALENDAR\nEND:VCALENDAR") == []


@given(
    st.text(st.characters(exclude_categories=["C"]), min_size=1),
    st.integers(1, 40),
    st.sampled_from([b"\r\n ", b"\n\t"]),
)
@example("0\xa0 ", 1, b"\r\n ")
@example("a  b", 1, b"\n\t")
def test_lines_folded_anywhere_are_put_together(text: str, width: int, fold: bytes) -> None:
    line = b"SUMMARY:x" + text.encode()
    # Also between the bytes of one letter.
    folded = line[:12] + b"".join(fold + line[at : at + width] for at in range(12, len(line), width))
    (found,) = [
        part for part in components(b"BEGIN:VEVENT\r\n" + folded + b"\r\nEND:VEVENT\r\n") if part.kind == "VEVENT"
    ]
    assert [entry.raw for entry in found.properties if entry.name == "SUMMARY"] == [line[8:]]


@given(st.text('BEGINVCARDT:;="\\,\nND0129PTZ<br> ', max_size=200))
def test_any_text_is_entries_or_none(data: str) -> None:
    for whole in (data, event(data), f"BEGIN:VCARD\n{data}\nEND:VCARD", event("DTSTART:" + data, "DTEND;" + data)):
        try:
            found = read(whole)
        except Unreadable:
            continue
        assert all(isinstance(entry, Part | Passed) for entry in found)


def test_long_lines_take_no_long_time() -> None:
    for part in (";a", ':"', "\\", "\n x", "<b ", ";=", '"'):
        assert read(event("SUMMARY:s", "DESCRIPTION" + part * 50_000, "LOCATION:" + part * 50_000))
    data = f"BEGIN:VCARD\nNOTE;ENCODING=QUOTED-PRINTABLE:x{'=' * 10}" + "=\nab" * 20_000 + "\nEND:VCARD"
    assert read(data)
