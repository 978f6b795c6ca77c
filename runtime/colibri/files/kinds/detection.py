"""Which old encoding bytes that are no UTF-8 are in: by chardet, and where several are likely by what they read."""

from importlib import import_module

from colibri.files.kinds.likeness import likeness

MANY_BYTES = ("utf", "gb", "big5", "cp932", "cp949", "cp950", "shift", "euc", "iso2022", "hz", "johab")
"""How the names of codecs begin that take more than one byte a sign."""

_LOOK_BYTES = 65_536
# Python's codecs for the sets of 2000 and 2004 read "\" as a yen sign; the plain ones read all that is older.
_WIDER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "shift_jis_2004": "cp932",
    "euc_jis_2004": "euc_jp",
    "iso2022_jp_2004": "iso2022_jp",
    "tis-620": "cp874",
}
_CLOSE = 0.8  # of the confidence of the first: with a few words in code, chardet's figures differ by hundredths


def detected(data: bytes) -> list[str] | None:
    """Codecs that may have written it, the most likely first. None where chardet is not installed."""
    try:
        chardet = import_module("chardet")
    except ImportError:
        return None
    era = chardet.EncodingEra
    look = _look(data)
    found = chardet.detect_all(look, encoding_era=era.ALL & ~era.MAINFRAME, compat_names=False)
    likely = [entry for entry in found if entry["encoding"]]
    names = list(dict.fromkeys(_WIDER.get(entry["encoding"], entry["encoding"]) for entry in likely))
    if not names or names[0].startswith(MANY_BYTES):
        return names
    close = {entry["encoding"] for entry in likely if entry["confidence"] >= likely[0]["confidence"] * _CLOSE}
    close = {_WIDER.get(name, name) for name in close}
    chosen = _likeliest(look, [name for name in names if name in close and not name.startswith(MANY_BYTES)])
    return [chosen, *(name for name in names if name != chosen)]


def _likeliest(data: bytes, names: list[str]) -> str:
    """The one whose text looks most like writing; the first of equals."""
    return max(names, key=lambda name: round(likeness(data.decode(name, "replace")), 2))


def _look(data: bytes) -> bytes:
    """The lines that are not ASCII: of source code with a few comments the rest speaks for English."""
    return b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_LOOK_BYTES]
