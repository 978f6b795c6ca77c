"""UTF-16 and UTF-32 without a mark, and data that is no text at all: told by bytes that other text does not have."""

import unicodedata
from collections import Counter

_LOOK_BYTES = 65_536
_WIDE_BYTES = 16_384
# Of the control characters text has tab, line ends, form feed, backspace (man pages) and escape (terminals).
_CONTROLS = bytes({*range(32), 0x7F} - set(b"\t\n\v\f\r\b\x1b"))
_ZEROS = 8  # a block of them in a log is what a crash left, not binary data
_BLOCKS = (
    (0x0000, 0x0300, "latin"),
    (0x0300, 0x0370, "any"),
    (0x0370, 0x0400, "greek"),
    (0x0400, 0x0530, "cyrillic"),
    (0x0590, 0x0600, "hebrew"),
    (0x0600, 0x0780, "arabic"),
    (0x1E00, 0x1F00, "latin"),
    (0x1F00, 0x2000, "greek"),
    (0x2000, 0x2C00, "any"),
    (0x3000, 0x3040, "any"),
    (0x3040, 0x3200, "han"),
    (0x4E00, 0xA000, "han"),
    (0xAC00, 0xD7B0, "hangul"),
    (0xFB1D, 0xFB50, "hebrew"),
    (0xFB50, 0xFE00, "arabic"),
    (0xFE00, 0xFE70, "any"),
    (0xFE70, 0xFEFF, "arabic"),
    (0xFF00, 0xFFF0, "any"),
    (0x1F000, 0x20000, "any"),
)
_LETTERS = bytes(range(ord("a"), ord("z") + 1)) + b" "
_ANCHORS = frozenset(map(chr, range(0x20, 0x7F))) | frozenset("\t\n\r、。，：？！「」（）")


def without_mark(data: bytes) -> tuple[str, str] | None:
    """The text and the codec of UTF-16 or UTF-32 without a byte order mark, None for everything else."""
    start = data[:_WIDE_BYTES]
    # A blank, a digit or a line end is two bytes of which one is 0, a Chinese full stop has a 2: no other text does.
    if len(data) < 4 or len(start.translate(None, _CONTROLS)) == len(start):
        return None
    for codec, width in (("utf-32-le", 4), ("utf-32-be", 4), ("utf-16-le", 2), ("utf-16-be", 2)):
        if len(data) % width == 0 and (width == 2 or len(data) >= 8) and _wins(start, codec, width):
            try:
                return data.decode(codec), codec
            except UnicodeDecodeError:
                return data.decode(codec, "replace"), codec
    return None


def is_binary(data: bytes) -> bool:
    """Whether more than one byte in fifty is a control character that text does not have (a short one may ring)."""
    start = data[:_LOOK_BYTES]
    while b"\0" * _ZEROS in start:
        start = start.replace(b"\0" * _ZEROS, b"")
    controls = _CONTROLS.translate(None, b"\x0e\x0f") if b"\x1b$)C" in start else _CONTROLS
    if data and not start:
        return True
    count = len(start) - len(start.translate(None, controls))
    return count * 50 > len(start) + (0 if b"\0" in start else 150)


def _wins(start: bytes, codec: str, width: int) -> bool:
    """Whether the start reads as text of one script in this codec, and as less in that of the other byte order."""
    other = codec.replace("-le", "-be") if codec.endswith("-le") else codec.replace("-be", "-le")
    found = _plausible(start, codec)
    return found > 0 and (width == 4 or found > _plausible(start, other))


def _plausible(start: bytes, codec: str) -> int:
    """How many signs are there that most texts have; 0 where the whole is no text of one script."""
    try:
        text = _decoded(start, codec)
    except UnicodeDecodeError:
        return 0
    scripts = Counter(map(_script, text))
    strange, common = scripts.pop("", 0), scripts.pop("any", 0) + scripts.pop("latin", 0)
    most = max(scripts.values(), default=0)
    if strange * 200 > len(text) or (common + most) * 20 < len(text) * 19:
        return 0
    if scripts["han"] > common and _is_narrow(start):
        return 0
    return sum(sign in _ANCHORS for sign in text)


def _is_narrow(start: bytes) -> bool:
    """Whether what reads as Chinese is other text with a zero somewhere: any two small letters are a Chinese sign.

    Of the bytes of Chinese and Japanese in UTF-16 a fifth are small letters or blanks, and some can't stand in UTF-8.
    """
    if (len(start) - len(start.translate(None, _LETTERS))) * 2 > len(start):
        return True
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(start) - 4 and error.reason == "unexpected end of data"
    return True


def _decoded(start: bytes, codec: str) -> str:
    """The start of a file, whose last sign may be cut."""
    try:
        return start.decode(codec)
    except UnicodeDecodeError as error:
        if error.start < len(start) - 4:
            raise
        return start[: error.start].decode(codec)


def _script(sign: str) -> str:
    point = ord(sign)
    if sign in "\t\n\r\f":
        return "any"
    if unicodedata.category(sign) in {"Cc", "Cn", "Co", "Cs"}:
        return ""
    for first, end, name in _BLOCKS:
        if first <= point < end:
            return name
    return f"{point >> 7:x}"
