"""Labels mean what browsers and mail programs mean by them."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.labels import codec_of, in_page, in_xml


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("ISO-8859-1", "cp1252"),
        ("latin1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("gb2312", "gb18030"),
        ("GBK", "gb18030"),
        ("shift_jis", "cp932"),
        ("euc-kr", "cp949"),
        ("ks_c_5601-1987", "cp949"),
        ("big5", "big5hkscs"),
        ("tis-620", "cp874"),
        ("iso-8859-9", "cp1254"),
        ("x-user-defined", "cp1252"),
        ("utf8mb4", "utf-8"),
        ("windows-950", "cp950"),
        ("cp-850", "cp850"),
        ("IBM00858", "cp858"),
        ("win-1251", "cp1251"),
        ("macintosh", "mac_roman"),
        ("x-mac-ce", "mac_latin2"),
        ("hz-gb-2312", "hz"),
        ("iso-8859-8-i", "iso8859-8"),
        (' "utf-8"; ', "utf-8"),
        ("unknown-8bit", None),
        ("x-unknown", None),
        ("base64", None),
        ("rot13", None),
        ("idna", None),
        ("", None),
        ("a\0b", None),
    ],
)
@pytest.mark.parametrize("standard", [True, False])
def test_what_a_label_means_with_and_without_webencodings(
    label: str, codec: str | None, standard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not standard:
        monkeypatch.setitem(sys.modules, "webencodings", None)
    found = codec_of(label)
    assert found is None if codec is None else found is not None
    if codec is not None and found is not None:
        assert found.replace("-", "_") == codec.replace("-", "_")


def test_every_label_of_the_standard_has_a_codec() -> None:
    webencodings = pytest.importorskip("webencodings")
    no_codec = {"iso-2022-cn", "iso-2022-cn-ext", "replacement"}  # browsers replace these by a single U+FFFD
    assert {label for label in webencodings.LABELS if codec_of(label) is None} == no_codec


def test_pages_and_xml_say_their_encoding() -> None:
    assert in_page(b'<html><meta http-equiv=Content-Type content="text/html; charset=KOI8-R">') == "KOI8-R"
    assert in_page(b"<meta charset = 'utf-8' >") == "utf-8"
    assert in_page(b"<!-- <meta charset=gbk> --><META CHARSET=big5>") == "big5"
    assert in_page(b'<?xml version="1.0" encoding="windows-1251"?><html>') == "windows-1251"
    assert in_page(b" " * 20_000 + b"<meta charset=gbk>") is None
    assert in_xml(b"\xef\xbb\xbf<?xml version='1.0' encoding='koi8-r' standalone='no'?>") == "koi8-r"
    assert in_xml(b"<p>encoding='koi8-r'</p>") is None


@given(st.text())
def test_any_label_is_known_or_not(label: str) -> None:
    found = codec_of(label)
    assert found is None or isinstance(b"a".decode(found, "replace"), str)
