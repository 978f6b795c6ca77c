"""Bytes are read as what they were written in: told by marks, zeros, labels, UTF-8's form, and at last by detection."""

import subprocess
import sys
import unicodedata
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from colibri.files.kinds import detection
from colibri.files.kinds.encodings import decode
from colibri.files.text import Unreadable
from colibri.machine import install_command
from files.kinds.sentences import PAIRS, commented, encoded, sample

chardet = pytest.importorskip("chardet")


def is_read(text: str, encoding: str) -> bool:
    text, data = encoded(text, encoding)
    return unicodedata.normalize("NFC", decode(data).text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(("characters", "samples"), [(200, 6), (5_000, 2)])
def test_nearly_all_samples_of_every_pair_of_encoding_and_language_are_read(characters: int, samples: int) -> None:
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for encoding, language in PAIRS:
        for seed in range(samples):
            right[encoding, language].append(is_read(sample(language, characters, seed), encoding))
    answers = [answer for pair in right.values() for answer in pair]
    assert len(right) > 44
    assert sum(answers) >= 0.97 * len(answers), {pair: sum(found) for pair, found in right.items() if not all(found)}


def test_nearly_all_source_code_with_short_comments_is_read() -> None:
    answers = [
        is_read(commented(sample(language, 200, seed)), encoding) for encoding, language in PAIRS for seed in range(5)
    ]
    assert sum(answers) >= 0.93 * len(answers)


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        ("Straße".encode("utf-8-sig"), "Straße", "utf-8"),
        ("Straße".encode("utf-16"), "Straße", "utf-16-le"),
        (b"\xfe\xff" + "日本語".encode("utf-16-be"), "日本語", "utf-16-be"),
        ("Straße".encode("utf-32"), "Straße", "utf-32-le"),
        (b"\0\0\xfe\xff" + "日本語".encode("utf-32-be"), "日本語", "utf-32-be"),
        ("\ufeff仓库".encode("gb18030"), "仓库", "gb18030"),
        ("Straße 7\n".encode("utf-16-le"), "Straße 7\n", "utf-16-le"),
        ("Склад 7\n".encode("utf-16-be"), "Склад 7\n", "utf-16-be"),
        ("本一冊。次の本。".encode("utf-16-be"), "本一冊。次の本。", "utf-16-be"),
        ("𝄞 ist ein Schlüssel".encode("utf-16-le"), "𝄞 ist ein Schlüssel", "utf-16-le"),
        ("Oslo".encode("utf-32-be"), "Oslo", "utf-32-be"),
        (b"", "", "utf-8"),
        (b"plain", "plain", "utf-8"),
        ("図書館は月曜日に休みます。".encode("iso2022_jp"), "図書館は月曜日に休みます。", "iso2022_jp"),
        ("仓库的温度".encode("hz"), "仓库的温度", "hz"),
        (b'(format t "~{id~}~%" x)', '(format t "~{id~}~%" x)', "utf-8"),
        ("①番の本、㈱山田です".encode("euc_jis_2004"), "①番の本、㈱山田です", "euc_jis_2004"),
    ],
)
def test_what_tells_an_encoding_without_detection(data: bytes, text: str, encoding: str) -> None:
    found = decode(data, "euc-jp" if encoding == "euc_jis_2004" else None)
    assert (found.text, found.encoding, found.remark) == (text, encoding, None)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("café crème", "cp1252"),
        ("Größe: 5 Äpfel für Jürgen", "cp437"),
        ("¿Qué es esto?", "cp1252"),
        ("ÉCOLE PUBLIQUE ÉTÉ", "cp1252"),
        ("He said “no”—and left…", "cp1252"),
        ("The cats’ home isn’t ‘here’.", "cp1252"),
        ("costs 5 €", "cp1252"),
        ("l’été", "cp1252"),
        ("canción", "mac-roman"),
        ("Łódź", "cp1250"),
        ("Москва", "koi8-r"),
        ("日本", "cp932"),
        ("图书", "gbk"),
    ],
)
def test_a_few_words_are_read_by_how_they_are_written(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


def test_few_broken_bytes_are_replaced_and_counted_where_the_rest_is_utf8() -> None:
    text = "Bücher über Vögel"
    found = decode(text.encode() + b"\xa0!")
    assert (found.text, found.remark) == (f"{text}\ufffd!", "1 broken byte in utf-8 text")
    assert decode(b"5\xa0" + "€".encode()).text == "5\ufffd€"
    assert decode(b"\xef\xbb\xbfab\xff\xfe").remark == "2 broken bytes in utf-8 text"
    assert decode(b"caf\xe9 cr\xe8me").text == "café crème"


def test_one_broken_byte_of_a_guessed_encoding_is_replaced_and_counted() -> None:
    text, data = encoded(sample("de", 400, 1), "cp1252")
    found = decode(data + b"\x81")
    assert (found.text, found.remark) == (f"{text}\ufffd", "1 broken byte in cp1252 text")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            b"before" * 20 + b"\0after a zero the lynx hunts again",
            "before" * 20 + "\0after a zero the lynx hunts again",
        ),
        (b"lies" * 50 + b"\0ein b\xfccherregal", "lies" * 50 + "\0ein bücherregal"),
        ("图书馆星期一休息".encode() * 10 + b"ab\0c", "图书馆星期一休息" * 10 + "ab\0c"),
    ],
)
def test_a_stray_zero_makes_no_chinese_of_it(data: bytes, text: str) -> None:
    """Two small letters are a sign of UTF-16, whichever they are, and a zero beside a letter is that letter."""
    assert len(data) % 2 == 0
    assert decode(data).text == text


def test_few_letters_with_a_zero_are_refused_not_misread() -> None:
    with pytest.raises(Unreadable, match="is binary"):
        decode(b"before\0after nul the lynx hunts\n.")


def test_a_cut_or_broken_utf16_file_with_a_mark_keeps_the_rest() -> None:
    found = decode("Brücke".encode("utf-16") + b"\x00")
    assert found.text.startswith("Brücke")
    assert found.remark == "1 broken byte in utf-16-le text"


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        (b"\x93quoted\x94 costs \x805", "iso-8859-1", "“quoted” costs €5"),
        ("镕炉".encode("gbk"), "gb2312", "镕炉"),
        (b"Refunds take thirty days", "utf-16", "Refunds take thirty days"),
        ("Straße für Mäuse".encode(), "iso-8859-1", "Straße für Mäuse"),
        ("Straße".encode("utf-8-sig"), "koi8-r", "Straße"),
        ("Straße 7".encode("utf-16-le"), "utf-8", "Straße 7"),
        ("Птица".encode("cp1251"), "windows-1251", "Птица"),
        ("Птица поёт, а вечер тих.".encode("cp1251"), "utf-8", "Птица поёт, а вечер тих."),
        ("Склад должен держать температуру".encode("cp1251"), "gb2312", "Склад должен держать температуру"),
        ("„Šťastný“ – život".encode("cp1250"), "iso-8859-2", "„Šťastný“ – život"),
        ("Šťastný život".encode("iso-8859-2"), "iso-8859-2", "Šťastný život"),
        (b"caf\xe9", "x-user-defined", "café"),
        ("温度".encode("utf-16-le"), "utf-16", "温度"),
        ("Straße".encode(), "utf-16", "Straße"),
        ("図書館は月曜日に休み".encode(), "shift_jis", "図書館は月曜日に休み"),
        ("Änderungen für Mäuse, Größe ½ Öl".encode(), "gb2312", "Änderungen für Mäuse, Größe ½ Öl"),
        ("元没".encode("gbk"), "gb2312", "元没"),  # bytes that are two letters in UTF-8
        (b"Hi +AOQ-", "utf-7", "Hi ä"),
        (b"caf\xe9 cr\xe8me", "unknown-8bit", "café crème"),
    ],
)
def test_a_label_counts_unless_the_bytes_speak_against_it(data: bytes, label: str, text: str) -> None:
    assert decode(data, label).text == text


def test_a_labelled_text_with_one_broken_byte_keeps_its_label() -> None:
    data = "图书馆除了星期一以外，每天上午九点到下午六点开放。".encode("gb18030")
    found = decode(data + b"\xff", "gbk")
    assert found.encoding == "gb18030"
    assert found.text.endswith("开放。\ufffd")
    assert found.remark == "1 broken byte in gb18030 text"


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01\x00",
        b"a\0b",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00",
        bytes(range(256)) * 8,
        b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + bytes(200),
    ],
)
def test_binary_data_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match="is binary"):
        decode(data)


def test_a_log_that_a_crash_filled_with_zeros_is_no_binary_data() -> None:
    assert decode(b"08:00 up\n" + bytes(512) + b"08:05 up again\n").text.endswith("08:05 up again\n")


def test_without_chardet_other_text_is_windows_1252_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "chardet", None)
    found = decode(b"caf\xe9 \x80")
    assert (found.text, found.encoding) == ("café €", "cp1252")
    assert found.remark is not None
    assert found.remark.endswith(f"need colibri-edge[files]: {install_command('files')}")


def test_nothing_of_the_extra_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys; from colibri.files.kinds import epub, fb2, html, plain; from colibri.files.source import Source; "
        "plain.read(Source(name='a.md', data=b'# \\xc3\\xbc')); "
        "print({'chardet', 'webencodings', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_only_a_start_of_a_long_file_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    original = chardet.detect_all

    def detect_all(data: bytes, **how: Any) -> Any:
        looked.append(len(data))
        return original(data, **how)

    monkeypatch.setattr(chardet, "detect_all", detect_all)
    text, data = encoded(sample("ru", 200_000, 1), "koi8-r")
    assert decode(data).text == text
    assert looked == [65_536]
    assert detection.detected(b"caf\xe9 cr\xe8me br\xfbl\xe9e") is not None


@given(st.binary(max_size=300))
@example(b"\xff\xfe")
@example(b"\x1b$B")
@example(b"~{" + b"!" * 20 + b"~}")
def test_any_bytes_are_text_or_binary(data: bytes) -> None:
    try:
        decode(data)
    except Unreadable as error:
        assert str(error) == "is binary"  # noqa: PT017 - either is right


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn", "Co")), min_size=1))
def test_utf8_is_read_as_it_is(text: str) -> None:
    assert decode(text.encode()).text == text.removeprefix("\ufeff")
