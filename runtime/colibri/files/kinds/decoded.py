"""Bytes as characters, for kinds that say their own charset (mail, calendars, translations) or none."""

import codecs

from colibri.files.markup import declared_encoding, page_text

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Labels mean the larger set wherever one holds the other, as browsers read them (https://encoding.spec.whatwg.org).
_LARGER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "shift_jis": "cp932", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs",
}  # fmt: skip
_OF_ASCII_BYTES = ("iso2022", "utf-7", "hz", "utf-16", "utf-32")  # valid UTF-8, and another text
_NAMES = {"unicode-1-1-utf-7": "utf-7", "ks_c_5601-1987": "cp949", "x-sjis": "cp932", "x-gbk": "gb18030"}


def decoded(data: bytes, declared: str | None = None) -> str:
    """By the byte order mark, else UTF-8, else as declared, else Windows-1252. A label nobody knows is no label."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    named = codec_named(declared)
    if named and named.startswith(_OF_ASCII_BYTES) and (b"\0" in data or not named.startswith(("utf-16", "utf-32"))):
        return data.decode(named, "replace")
    # Before a declared single-byte set: none of these refuses any bytes, and UTF-8 is hardly met by chance.
    for codec in ("utf-8", named or "cp1252"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    return data.decode(named or "cp1252", "replace")


def codec_named(label: str | None) -> str | None:
    """Python's name of the codec that a label of a mail or a file means, None where nobody knows it."""
    named = (label or "").strip().strip("\"'").lower()
    named = _NAMES.get(named, named)
    for name in (named, named.replace("windows-", "cp"), named.removeprefix("x-")):
        try:
            found = codecs.lookup(name)
        except (LookupError, ValueError):
            continue
        # Only codecs of characters: "rot13", "zlib" and the like are looked up too.
        return _LARGER.get(found.name, found.name) if found._is_text_encoding else None
    return None


def without_tags(markup: str) -> str:
    """What a page says that lies inside another kind."""
    return page_text(markup)


def page(data: bytes, declared: str | None) -> str:
    """What a page says. declared: outside of it, which counts more than what it says itself."""
    return page_text(decoded(data, declared or declared_encoding(data)))
