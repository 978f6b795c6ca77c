"""Which old encoding bytes that are no UTF-8 are in: by chardet, and where several are likely by what they read."""

import io
import re
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
_FEW_WORDS = 0.1  # a confidence below which they say little: then more are tried
_CLOSE_OF_FEW = 0.3
_FEW_SIGNS = 3
_ASCII = bytes(range(128))
_RARE = frozenset(
    "johab hp-roman8 mac-latin2 mac-iceland mac-greek mac-turkish iso8859-3 iso8859-4 iso8859-10 iso8859-13 iso8859-14 "  # noqa: SIM905
    "iso8859-16 kz1048 ptcp154 koi8-t cp856 cp1006 cp720 cp737 cp775 cp860 cp861 cp863 cp864 cp865 cp869".split()
)
# In "vac’as", "lleg— dos" and "se–or" of a Macintosh's Spanish the same bytes are letters.
_SURE_SIGNS = re.compile(
    r"(?<=\w)’(?=(?:s|t|d|m|re|ll|ve)\b)|(?<=\b[ldjmtscnLDJMTSCN])’(?=\w{3})|(?<=s)’(?=\s)|(?<=[^\w\s])’"
    r"|(?<!\w)[“„‘«‹€£§©°](?=[\w\s“‘]|$)|(?<=[^\s])[”»›…™®°€£](?!\w)|(?<=\s)[–—…](?=\s)|(?<=\d)[–—](?=\d)|(?<=\n)•"
)
_DASHES = re.compile(r"(?<=[^\W\d])[–—](?=\w)|(?<=[”’»…])[–—]|[–—](?=[“‘«])")
_QUOTED = re.compile(r"‘([^‘\n]{1,300}?)’(?!\w)")


def detected(data: bytes) -> list[str] | None:
    """Codecs that may have written it, the most likely first. None where chardet is not installed."""
    try:
        chardet = import_module("chardet")
    except ImportError:
        return None
    era = chardet.EncodingEra
    look = _look(data)
    if _has_only_punctuation(look):
        return ["cp1252"]
    found = chardet.detect_all(look, encoding_era=era.ALL & ~era.MAINFRAME, compat_names=False)
    confidences: dict[str, float] = {}
    for entry in found:
        if name := entry["encoding"]:
            confidences.setdefault(_WIDER.get(name, name), entry["confidence"] * (0.5 if name in _RARE else 1))
    names = sorted(confidences, key=lambda name: -confidences[name])
    return names if not names or names[0].startswith(MANY_BYTES) else _likeliest_first(names, confidences, look)


def _likeliest_first(names: list[str], confidences: dict[str, float], look: bytes) -> list[str]:
    """Of those that are close to the first, that whose text reads best comes first."""
    most = confidences[names[0]]
    least = most * (_CLOSE if most >= _FEW_WORDS else _CLOSE_OF_FEW)
    close = [name for name in names if confidences[name] >= least and not name.startswith(MANY_BYTES)]
    if most < _FEW_WORDS and "cp1252" not in close:
        close.append("cp1252")
    few = len(look.translate(None, _ASCII)) <= _FEW_SIGNS
    chosen = max(close, key=lambda name: (_score(look, name, few), confidences.get(name, 0)))
    return [chosen, *(name for name in names if name != chosen)]


def _score(data: bytes, name: str, few: bool) -> float:
    """How well this codec's text reads. few: where hardly anything tells, Windows-1252 is the likeliest."""
    return round(likeness(data.decode(name, "replace")) + (0.05 if few and name == "cp1252" else 0), 2)


def _has_only_punctuation(data: bytes) -> bool:
    """Whether it is English of Windows: nothing beyond ASCII but quotation marks, dashes and signs that stand well."""
    text, quoted = _QUOTED.subn(r"\1", data.decode("cp1252", "replace"))
    count = len(text) - len(text.encode("ascii", "ignore"))
    sure = len(_SURE_SIGNS.findall(text))
    return sure + quoted > 0 and count * 4 < len(text) and sure + len(_DASHES.findall(text)) == count


def _look(data: bytes) -> bytes:
    """The first lines that are not ASCII: of source code with a few comments the rest speaks for English."""
    lines, size = [], 0
    for line in io.BytesIO(data):
        if not line.isascii():
            lines.append(line)
            size += len(line)
            if size >= _LOOK_BYTES:
                break
    return b"".join(lines)[:_LOOK_BYTES]
