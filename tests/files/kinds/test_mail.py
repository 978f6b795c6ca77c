"""Messages as they are read in a mail program: headers, the text, what lies within and what is attached."""

import base64
import mailbox
import quopri
import tempfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.headers import from_base64, header_text, iso_date
from colibri.files.kinds.mail import messages, page
from colibri.files.kinds.mailbox import split
from colibri.files.source import Source
from colibri.files.text import Member, Part, Passed, Unreadable


def read(data: str | bytes) -> list[Part | Member | Passed]:
    data = data.encode() if isinstance(data, str) else data
    return list(messages(Source(name="a.eml", data=data)))


def texts(found: list[Part | Member | Passed]) -> list[str]:
    """Of each message, without its headers."""
    return [one.content.text.partition("\n\n")[2] for one in found if isinstance(one, Part)]


def members(found: list[Part | Member | Passed]) -> list[tuple[str, bytes]]:
    return [(one.name, one.data) for one in found if isinstance(one, Member)]


LETTER = """Received: by mail.example
From: Ann Lee <ann@example.org>
To: "Keeper, The" <keeper@example.org>,
 =?utf-8?q?J=C3=B6rg?= <joerg@example.org>
Subject: =?iso-8859-1?Q?Caf=E9?= and
 kettle
Date: Fri, 03 May 2024 09:08:07 +0200
Message-ID: <7@example.org>
MIME-Version: 1.0
"""


def test_a_plain_letter_with_its_headers() -> None:
    (part,) = read(LETTER + "\nThe boiler is\nserviced in March.\n")
    assert isinstance(part, Part)
    assert part.content.text == (
        "Subject: Café and kettle\nFrom: Ann Lee <ann@example.org>\n"
        'To: "Keeper, The" <keeper@example.org>, Jörg <joerg@example.org>\nDate: Fri, 03 May 2024 09:08:07 +0200\n\n'
        "The boiler is\nserviced in March."
    )
    assert (part.name, part.line) == ("", 1)
    assert (part.content.title, part.content.author) == ("Café and kettle", "Ann Lee <ann@example.org>")
    assert part.content.created == "2024-05-03T09:08:07+02:00"
    assert part.fields["message_id"] == "7@example.org"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("=?utf-8?B?UG9zdCDDvGJlciBOYWNodA==?=", "Post über Nacht"),
        ("=?UTF-8?Q?=E5=9B=B3=E6=9B?= =?UTF-8?Q?=B8=E9=A4=A8?=", "図書館"),  # a character cut between two words
        ("=?iso-2022-jp?B?GyRCP14wbDRbGyhC?=", "図一館"),
        ("=?koi8-r?B?8NLJ18XU?=, =?windows-1251?B?7Ojw?=", "Привет, мир"),
        ("=?utf-8?Q?two words_here?=", "two words here"),  # blanks that RFC 2047 forbids
        ("=?utf-8?B?UG9zdA?=", "Post"),  # without its padding
        ("=?utf-8?Q?half", "=?utf-8?Q?half"),
        ("=?no-such-charset?Q?caf=C3=A9?=", "café"),
        ("=?unknown-8bit?Q?caf=E9?=", "café"),
        ("=?utf-8*de?Q?=C3=BC?=", "ü"),
        ("=?utf-8?q?what=3F_is_it??=", "what? is it?"),
        ("a =?utf-8?q?b?= c =?utf-8?q?d?=\r\n\t=?utf-8?q?e?= f", "a b c de f"),
        (b"caf\xc3\xa9".decode("ascii", "surrogateescape"), "café"),
        (b"caf\xe9".decode("ascii", "surrogateescape"), "café"),
        ("=??Q?x?=", "x"),
        ("", ""),
    ],
)
def test_subjects_right_and_broken(raw: str, text: str) -> None:
    assert header_text(raw) == text


def test_bytes_in_headers_that_nobody_encoded() -> None:
    found = read(b"Subject: caf\xc3\xa9 \xd0\xbf\nFrom: J\xf6rg <a@b>\n\nx\n")[0]
    assert isinstance(found, Part)
    assert (found.content.title, found.content.author) == ("café п", "Jörg <a@b>")


@pytest.mark.parametrize(
    ("date", "iso"),
    [
        ("Fri, 03 May 2024 09:08:07 -0000", "2024-05-03T09:08:07+00:00"),
        ("3 May 2024 09:08", "2024-05-03T09:08:00+00:00"),
        ("Fri, 33 May 2024 09:08:07 +0200", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(date: str, iso: str | None) -> None:
    assert iso_date(date) == iso


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("utf-8", "utf-8", "Straße für Mäuse, 5 €"),
        ("iso-8859-1", "cp1252", "“quoted” costs €5"),
        ("windows-950", "cp950", "圖書館每週一休息"),
        ("gb2312", "gb18030", "镕炉 仓库"),
        ("ks_c_5601-1987", "cp949", "도서관은 뷁"),
        ("Shift_JIS", "cp932", "図書館①"),
        ("iso-2022-jp", "iso2022_jp", "図書館は休みます"),
        ("KOI8-R", "koi8_r", "Склад"),
        ("unknown-8bit", "utf-8", "ünknown"),
        ("x-nonsense", "utf-8", "ünknown"),
        ("us-ascii", "utf-8", "ünknöwn"),
        ('"utf-8"', "utf-8", "ü"),
        ("utf-16", "ascii", "plain"),
    ],
)
@pytest.mark.parametrize("coding", ["8bit", "base64", "quoted-printable", "BASE64 ", "x-odd"])
def test_charsets_and_transfer_encodings(charset: str, codec: str, text: str, coding: str) -> None:
    data = (text + "\n").encode(codec)
    data = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}.get(coding.strip().lower(), bytes)(
        data
    )
    head = f"Subject: s\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {coding}\n\n"
    assert texts(read(head.encode() + data)) == [text]


def test_lines_of_quoted_printable_are_joined() -> None:
    head = "Subject: s\nContent-Transfer-Encoding: quoted-printable\n\n"
    assert texts(read(head + "a long li=\nne with caf=C3=\n=A9 and = sign=3D")) == ["a long line with café and = sign="]


def test_broken_base64_gives_what_it_holds() -> None:
    assert from_base64("Ym9p\n!!\nbGVy\n-- \nA") == b"boiler"
    assert from_base64("") == b""


def test_flowed_lines_are_one() -> None:
    head = "Subject: s\nContent-Type: text/plain; format=flowed\n\n"
    assert texts(read(head + "One \nsentence.\n\n> quoted \n> more\n-- \nAnn")) == [
        "One sentence.\n\n> quoted \n> more\n-- \nAnn"
    ]


def multi(kind: str, *parts: str, before: str = "Subject: s\n") -> str:
    mark = f"B{len(''.join(parts))}"
    body = "".join(f"--{mark}\n{part}\n" for part in parts)
    return f'{before}Content-Type: multipart/{kind}; boundary="{mark}"\n\nno text\n{body}--{mark}--\n'


HTML = "Content-Type: text/html; charset=utf-8\n\n<p>Shown <b>once</b> &amp; only<style>p {}</style>\n"
PLAIN = "Content-Type: text/plain\n\nPlain words\n"
PICTURE = "Content-Type: image/png; name=logo.png\nContent-ID: <l>\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n"
PDF = (
    "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
    "Content-Disposition: attachment; filename*=utf-8''pl%C3%A4ne.pdf\n\nJVBERi0=\n"
)


@pytest.mark.parametrize(
    ("letter", "wanted"),
    [
        (multi("alternative", PLAIN, HTML), ["Plain words"]),
        (multi("alternative", HTML, PLAIN), ["Plain words"]),
        (multi("alternative", "Content-Type: text/plain\n\n \n", HTML), ["Shown once & only"]),
        (multi("alternative", PLAIN, multi("related", HTML, PICTURE, before="")), ["Plain words"]),
        (
            multi("alternative", "Content-Type: text/plain\n\n\n", multi("related", HTML, PICTURE, before="")),
            ["Shown once & only"],
        ),
        (multi("mixed", PLAIN, HTML), ["Plain words\n\nShown once & only"]),
        (multi("signed", PLAIN, "Content-Type: application/pgp-signature; name=s.asc\n\n-----BEGIN"), ["Plain words"]),
        ("Subject: s\n" + HTML, ["Shown once & only"]),
        ("Subject: s\nContent-Type: multipart/mixed\n\nno boundary", ["no boundary"]),
        ("Subject: s\nContent-Type: nonsense\n\nstill text", ["still text"]),
        (multi("mixed", PLAIN).rpartition("--B")[0], ["Plain words"]),
        (
            multi("report", PLAIN, "Content-Type: message/delivery-status\n\nStatus: 5.1.1\n"),
            ["Plain words\n\nStatus: 5.1.1"],
        ),
    ],
)
def test_which_text_is_read(letter: str, wanted: list[str]) -> None:
    found = read(letter)
    assert texts(found) == wanted
    assert not members(found)


def test_what_is_attached_comes_as_files() -> None:
    invite = "Content-Type: text/calendar\n\nBEGIN:VCALENDAR\n"
    notes = "Content-Type: text/plain\nContent-Disposition: attachment; filename=../notes.txt\n\nnote\n"
    photo = PICTURE.replace(
        "Content-ID: <l>", 'Content-Disposition: attachment; filename="=?utf-8?q?h=C3=BCtte=2Epng?="'
    )
    found = read(multi("mixed", PLAIN, PDF, notes, PICTURE, photo, multi("alternative", HTML, invite, before="")))
    assert members(found) == [
        ("pläne.pdf", b"%PDF-"),
        ("notes.txt", b"note\n"),
        ("hütte.png", b"\x89PNG\r\n\x1a\n"),
        ("attachment 4.ics", b"BEGIN:VCALENDAR\n"),
    ]
    assert texts(found) == ["Plain words\n\nShown once & only"]


def test_a_message_within_is_one_of_its_own() -> None:
    inner = multi("mixed", "Content-Type: text/plain\n\nForwarded words\n", PDF, before="Subject: inner\n")
    found = read(multi("mixed", PLAIN, f"Content-Type: message/rfc822\n\n{inner}", before="Subject: outer\n"))
    assert [(one.name, one.content.title) for one in found if isinstance(one, Part)] == [("", "outer"), ("1", "inner")]
    assert texts(found) == ["Plain words", "Forwarded words"]
    assert [name for name, _ in members(found)] == ["1/pläne.pdf"]


def test_what_cannot_be_read_is_said() -> None:
    tnef = "Content-Type: application/ms-tnef; name=winmail.dat\n\nx\n"
    found = read(multi("mixed", PLAIN, tnef))
    assert found[1:] == [Passed(name="winmail.dat", why="is packed by Outlook (TNEF), which is not read")]
    for letter in (multi("encrypted", PLAIN), "Subject: s\nContent-Type: application/pkcs7-mime\n\nx"):
        (part,) = read(letter)
        assert isinstance(part, Part)
        assert part.content.remarks == ("the text is encrypted",)
    with pytest.raises(Unreadable, match="no header"):
        read("")


def test_what_programs_put_before_a_message() -> None:
    letter = "Subject: s\n\nwords\n"
    for data in (b"\xef\xbb\xbf" + letter.encode(), b"\r\n\n" + letter.encode(), letter.encode("utf-16")):
        assert texts(read(data)) == ["words"]
    assert texts(read(f"{len(letter)}       \n{letter}<?xml version='1.0'?><plist/>")) == ["words"]


MBOX = """From ann@example.org Fri May  3 09:08:07 2024
Subject: one
Message-ID: <1@x>

>From here on it rains.
>>From quoted.

From now on it is dry.

From bob@example.org Sat May  4 09:08:07 2024
Subject: two
Content-Type: multipart/mixed; boundary=B

--B
Content-Disposition: attachment; filename=a.txt

attached
--B--

From - Sun May  5 09:08:07 2024

From cat@example.org Mon May  6 09:08:07 2024
Subject: three
Message-ID: <1@x>

last"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_mailbox_of_many(end: str) -> None:
    found = read(MBOX.replace("\n", end))
    parts = [one for one in found if isinstance(one, Part)]
    assert [(one.name, one.line, one.content.title) for one in parts] == [
        ("1@x", 1, "one"),
        ("message 2", 10, "two"),
        ("1@x (2)", 22, "three"),
    ]
    assert texts(found) == ["From here on it rains.\n>From quoted.\n\nFrom now on it is dry.", "", "last"]
    assert members(found) == [("message 2/a.txt", b"attached")]
    assert [one for one in found if isinstance(one, Passed)] == [
        Passed(name="line 20", why="no header of a message follows")
    ]


def saved(root: str = "") -> str:
    frame = "Content-Type: text/html; charset=utf-8\nContent-ID: <f>\n\n<p>frame</p>\n"
    main = (
        "Content-Type: text/html; charset=windows-1251\nContent-ID: <m>\n"
        "Content-Transfer-Encoding: quoted-printable\n\n"
        '<meta charset=3D"utf-8"><title>T</title><p>=D1=EA=EB=E0=\n=E4\n'
    )
    letter = multi(
        "related", *((frame, main) if root else (main, frame)), PICTURE, before="Subject: =?utf-8?q?=C3=9Cber?=\n"
    )
    return letter.replace("multipart/related;", f'multipart/related; type="text/html";{root}')


def test_a_saved_page_is_its_main_one_in_its_charset() -> None:
    for root in ("", ' start="<m>";'):
        found = page(Source(name="a.mhtml", data=saved(root).encode()))
        assert "Склад" in found.text
        assert "frame" not in found.text
        assert found.title == "Über"
    with pytest.raises(Unreadable, match="no HTML within"):
        page(Source(name="a.mht", data=b"Subject: x\n\nplain"))


def test_many_levels_do_not_end_the_program() -> None:
    for kind in ("mixed", "alternative"):
        letter = PLAIN
        for _ in range(60):
            letter = multi(kind, letter, before="")
        found = read("Subject: deep\n" + letter)
        assert isinstance(found[0], Part)
    letter = "Subject: in\n\nx"
    for _ in range(40):
        letter = f"Subject: out\nContent-Type: message/rfc822\n\n{letter}"
    found = read(letter)
    assert isinstance(found[-1], Passed)
    assert "messages deep" in found[-1].why


LINE = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30) | st.sampled_from(
    ["", "From here", ">From x"]
)


@given(st.lists(st.lists(LINE, max_size=5), min_size=1, max_size=5))
def test_a_mailbox_splits_as_the_standard_library_wrote_it(letters: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        box = mailbox.mbox(Path(folder) / "box")
        for number, lines in enumerate(letters):
            message = mailbox.mboxMessage(f"Subject: {number}\n\n" + "\n".join(lines) + "\n")
            message.set_from("ann@example.org", True)
            box.add(message)
        box.flush()
        wanted = [message.as_bytes().replace(b"\n>From ", b"\nFrom ").rstrip() for message in box]
        box.close()
        data = (Path(folder) / "box").read_bytes()
    assert [message.replace(b"\n>From ", b"\nFrom ").rstrip() for _, message in split(data)] == wanted


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["utf-8", "utf-16", "iso-2022-jp-2", "gb18030"]))
def test_what_the_standard_library_writes_is_read(subject: str, body: str, charset: str) -> None:
    subject = " ".join(subject.encode("utf-8", "replace").decode().split())
    message = EmailMessage()
    try:
        message["Subject"] = "".join(letter for letter in subject if letter.isprintable())
        message.set_content("".join(letter for letter in body if letter.isprintable()), charset=charset)
        data = message.as_bytes()
    except (UnicodeError, LookupError, ValueError, IndexError):
        return
    (part,) = read(data)
    assert isinstance(part, Part)
    assert (part.content.title or "") == " ".join(str(message["Subject"]).split())
    if charset != "utf-16":
        assert " ".join(str(message.get_content()).split()) in " ".join(part.content.text.split())


@given(st.binary(max_size=300) | st.text("a:=?bqBQ \n-From>;/", max_size=200).map(str.encode))
def test_any_bytes_are_messages_or_none(data: bytes) -> None:
    for whole in (
        data,
        b"From a 09:08 2024\nSubject: " + data,
        b"Content-Type: multipart/mixed; boundary=-\n\n--\n" + data,
    ):
        try:
            found = read(whole)
        except Unreadable:
            continue
        assert all(isinstance(one, Part | Member | Passed) for one in found)


def test_a_page_in_a_mail_may_say_its_own_charset() -> None:
    markup = '<meta charset="koi8-r"><p>Склад'.encode("koi8_r")
    assert texts(read(b"Subject: s\nContent-Type: text/html\n\n" + markup)) == ["Склад"]


def test_a_message_within_may_be_packed() -> None:
    inner = base64.encodebytes(b"Subject: inner\n\nForwarded words\n").decode()
    letter = multi("mixed", PLAIN, f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}")
    assert texts(read(letter)) == ["Plain words", "Forwarded words"]


def test_two_files_of_one_name_are_both_kept() -> None:
    assert [name for name, _ in members(read(multi("mixed", PLAIN, PDF, PDF)))] == ["pläne.pdf", "pläne (2).pdf"]
