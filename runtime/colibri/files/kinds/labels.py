"""Names of encodings as pages, XML files and mails give them, to the codec of Python that reads what was meant."""

import codecs
import re
from importlib import import_module

# What browsers read under these names (https://encoding.spec.whatwg.org/#names-and-labels): mostly the larger sets of
# Windows, in which texts with these labels are written. This short list stands where `webencodings`, which knows all
# 228, is not installed; the rest are names of mails and files that neither the standard nor Python knows.
_LABELS = {
    "cp1252": "ascii us-ascii ansi ansi_x3.4-1968 iso-8859-1 iso8859-1 latin1 latin-1 l1 x-user-defined",
    "cp1254": "iso-8859-9 iso8859-9 latin5 l5",
    "cp874": "tis-620 iso-8859-11 iso8859-11 dos-874",
    "gb18030": "gb2312 gb_2312-80 gbk x-gbk cp936 ms936 windows-936 euc-cn chinese csgb2312",
    "cp932": "shift_jis shift-jis sjis x-sjis ms_kanji windows-31j cswindows31j ms932 cp932 windows-932",
    "cp949": "euc-kr korean ks_c_5601-1987 ksc5601 windows-949 cp949 uhc",
    "big5hkscs": "big5 big5-hkscs cn-big5 x-x-big5",
    "utf-8": "utf8mb4 utf8mb3 utf-8-mac utf8-mac unicode-1-1-utf-8 x-unicode20utf8 cp65001 utf-8-sig",
    "cp950": "cp950 windows-950",
    "hz": "hz-gb-2312",
    "iso8859-8": "iso-8859-8-i iso-8859-8-e",
    "iso8859-6": "iso-8859-6-i iso-8859-6-e",
    "euc_jp": "x-euc-jp",
    "euc_jis_2004": "cp51932",
    "iso2022_jp_ext": "cp50220 cp50221",
    "mac_roman": "x-mac-roman macintosh",
    "mac_cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "mac_latin2": "x-mac-ce",
    "mac_greek": "x-mac-greek",
    "mac_turkish": "x-mac-turkish",
    "koi8_r": "cp20866",
    "koi8_u": "cp21866",
    "utf-16": "ucs-2 iso-10646-ucs-2",
    "utf-16-le": "windows-1200 cp1200",
    "utf-16-be": "windows-1201 cp1201",
    "utf-32": "ucs-4 iso-10646-ucs-4",
}
_MEANT = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252", "euc_kr": "cp949"}
_NO_TEXT = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "charmap"}
)
_NUMBERED = re.compile(r"(?:x-)?(?:cp|windows|win|ibm|ms|dos|ansi|microsoft-cp)[-_]?(\d{3,5})")
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(rb"<meta\b[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:+-]{1,40})", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([\w.:+-]{1,40})[\"']")
_LOOK_BYTES = 16_384  # browsers look at 1,024 bytes first, and read on where they find no label


def codec_of(label: str) -> str | None:
    """The codec that reads what a label means: "iso-8859-1" is cp1252, "gb2312" gb18030, "windows-950" cp950.

    None for names that say nothing ("unknown-8bit", "x-unknown") and those that no codec here reads.
    """
    name = label.strip(" \t\r\n\f\"';").lower()
    for known in (name, name.replace("_", "-")):
        if known in _MEANT:
            return _MEANT[known]
    return _by_standard(name) or _by_python(name) or _by_number(name)


def in_page(data: bytes) -> str | None:
    """The label that an HTML or XHTML page gives itself near its start, outside of comments."""
    start = _COMMENT.sub(b"", data[:_LOOK_BYTES])
    return in_xml(start) or _label(_META.search(start))


def in_xml(data: bytes) -> str | None:
    """The label in an XML declaration."""
    return _label(_XML.match(data[:_LOOK_BYTES].removeprefix(codecs.BOM_UTF8)))


def _label(found: re.Match[bytes] | None) -> str | None:
    return found[1].decode("ascii", "replace") if found else None


def _by_standard(name: str) -> str | None:
    try:
        webencodings = import_module("webencodings")
    except ImportError:
        return None
    found = webencodings.lookup(name)
    if found is None or found.name in {"replacement", "x-user-defined"}:
        return None
    codec: str = found.codec_info.name
    return _WIDER.get(codec, codec)


def _by_python(name: str) -> str | None:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # The codecs of bytes to bytes (base64, zip) give no text: https://bugs.python.org/issue20404.
    if not getattr(found, "_is_text_encoding", True) or found.name in _NO_TEXT:
        return None
    return _WIDER.get(found.name, found.name)


def _by_number(name: str) -> str | None:
    """Such as "cp-850", "IBM00858", "win-1251"."""
    found = _NUMBERED.fullmatch(name)
    return None if found is None else _by_python(f"cp{int(found[1])}")
