"""Bytes to text: by mark, by zero bytes, by what the file declares, as UTF-8, and where all that fails by detection."""

import codecs
import re
from dataclasses import dataclass

from colibri import machine
from colibri.files.kinds.detection import MANY_BYTES, detected
from colibri.files.kinds.labels import codec_of
from colibri.files.kinds.wide import is_binary, without_mark
from colibri.files.text import Unreadable

# UTF-32's little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
# Signs that files hold and Python's first codec for them lacks: the circled numbers of NEC, the euro of Big5.
_SIBLINGS = {
    "euc_jp": ("euc_jis_2004",),
    "iso2022_jp": ("iso2022_jp_ext", "iso2022_jp_2004"),
    "iso2022_jp_ext": ("iso2022_jp_2004",),
    "big5hkscs": ("cp950",),
    "cp932": ("shift_jis_2004",),
}
_ASCII_OR_BROKEN = re.compile("[\x00-\x7f\ufffd]+")
# ISO 8859 has control characters that no text has where these have quotation marks, dashes and letters.
_OF_WINDOWS = {
    "iso8859-1": "cp1252",
    "iso8859-15": "cp1252",
    "iso8859-2": "cp1250",
    "iso8859-6": "cp1256",
    "iso8859-7": "cp1253",
    "iso8859-8": "cp1255",
    "iso8859-9": "cp1254",
    "iso8859-13": "cp1257",
}
_CONTROLS = re.compile(rb"[\x80-\x84\x86-\x9f]")
# So many in valid UTF-8 are no accident: one in seven signs of Chinese in GB 2312, fewer in other sets, looks like one.
_SIGNS_OF_ONE_BYTE = 2
_SIGNS_OF_MANY_BYTES = 6
_ESCAPES = re.compile(rb"\x1b\$(?:[@B]|\)C|\([CDOPQ])")
_HZ = re.compile(rb"~\{((?:[\x21-\x77][\x21-\x7e])+)~\}")


@dataclass(frozen=True)
class Decoded:
    """A text, the codec that read it, and what is to be said of that, as a remark of FileText."""

    text: str
    encoding: str
    remark: str | None = None


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """The text of a file. declared: the label that the file gives itself or came with.

    A byte order mark counts more than what is declared, and that more than what the bytes look like; but a label of
    another encoding on valid UTF-8, or of UTF-16 on bytes without zeros, was left by a program that knew no better.
    Raises Unreadable for binary data.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return _replaced(data[len(mark) :], codec)
    if found := without_mark(data):
        return Decoded(*found)
    if is_binary(data):
        raise Unreadable("is binary")
    codec_declared = codec_of(declared) if declared else None
    return (
        (_as_declared(data, codec_declared) if codec_declared else None)
        or _seven_bits(data)
        or _utf8(data)
        or _guessed(data)
    )


def _as_declared(data: bytes, codec: str) -> Decoded | None:
    if codec.startswith("utf") and codec != "utf-7":
        # Without a zero anywhere hardly anything is UTF-16: Chinese of a few signs, and labels that mean UTF-8.
        return None if codec in {"utf-8", "utf-8-sig"} or _strictly(data, "utf-8") else _strictly(data, codec)
    codec = _without_controls(data, codec)
    enough = _SIGNS_OF_MANY_BYTES if codec.startswith(MANY_BYTES) else _SIGNS_OF_ONE_BYTE
    if (utf8 := _strictly(data, "utf-8")) and _beyond_ascii(utf8.text) >= enough:
        return utf8
    if found := _strictly(data, codec):
        return found
    return _with_few_broken(data, codec)


def _without_controls(data: bytes, codec: str) -> str:
    return _OF_WINDOWS.get(codec, codec) if _CONTROLS.search(data) else codec


def _with_few_broken(data: bytes, codec: str) -> Decoded | None:
    """None where more than one in twenty signs beyond ASCII is broken (of a few, one): then the codec is wrong."""
    found = _replaced(data, codec)
    return found if found.text.count("\ufffd") * 20 <= _beyond_ascii(found.text) + 15 else None


def _seven_bits(data: bytes) -> Decoded | None:
    """ISO 2022 and HZ, which look like ASCII."""
    if _ESCAPES.search(data):
        for codec in ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2004", "iso2022_kr"):
            if found := _strictly(data, codec):
                return found
    pairs = b"".join(_HZ.findall(data)) if b"~{" in data else b""
    # Lisp's "~{id~}" is no Chinese: at least four signs, nearly all of them of the common rows of GB 2312.
    common = sum(0x30 <= lead <= 0x57 or 0x21 <= lead <= 0x23 for lead in pairs[::2])
    return _strictly(data, "hz") if len(pairs) >= 8 and common * 10 >= len(pairs) * 4 else None


def _utf8(data: bytes) -> Decoded | None:
    """As UTF-8, also where a few bytes of it are broken: bytes of old encodings hardly ever look like it in a row."""
    if found := _strictly(data, "utf-8"):
        return found
    found = _replaced(data, "utf-8")
    broken = found.text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    signs = _ASCII_OR_BROKEN.sub("", found.text)
    following = len(signs.encode()) - len(signs)  # one of ü, two of €
    return found if following >= 2 and following >= 2 * broken else None


def _guessed(data: bytes) -> Decoded:
    codecs_found = detected(data)
    if codecs_found is None:
        remark = "not in UTF-8, read as Windows-1252; other encodings need colibri-edge[files]: "
        remark += machine.install_command("files")
        return Decoded(data.decode("cp1252", "replace"), "cp1252", remark)
    if not codecs_found:
        return _replaced(data, "cp1252")
    if found := _with_few_broken(data, _without_controls(data, codecs_found[0])):
        return found
    for codec in codecs_found[1:]:
        if _without_controls(data, codec) == codec and (found := _strictly(data, codec)):
            return found
    return _replaced(data, codecs_found[0])


def _strictly(data: bytes, codec: str) -> Decoded | None:
    for name in (codec, *_SIBLINGS.get(codec, ())):
        try:
            return Decoded(data.decode(name), name)
        except UnicodeError:
            continue
    return None


def _replaced(data: bytes, codec: str) -> Decoded:
    if found := _strictly(data, codec):
        return found
    text = data.decode(codec, "replace")
    count = text.count("\ufffd")
    return Decoded(text, codec, f"{count:,} broken {'byte' if count == 1 else 'bytes'} in {codec} text")


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))
