"""Which encoding the bytes of an RTF file are in: that of their font, else that of the file."""

import codecs
from dataclasses import dataclass, field

CHARSETS = {
    77: "mac_roman", 78: "cp932", 79: "cp949", 80: "gbk", 81: "cp950", 83: "iso8859_8", 84: "cp1256", 85: "mac_greek",
    86: "mac_turkish", 87: "cp874", 88: "mac_latin2", 89: "mac_cyrillic", 128: "cp932", 129: "cp949", 130: "johab",
    134: "gbk", 136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256",
    179: "cp1256", 180: "cp1256", 181: "cp1255", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
    254: "cp437", 255: "cp850",
}  # fmt: skip
"""\\fcharset of a font -> the encoding of its \\'xx; 0 is Windows-1252, and what is not here that of the file."""

SYMBOL = 2
"""\\fcharset of fonts that hold pictures; of their \\'xx only the bullets are known."""

FILE_ENCODINGS = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}


@dataclass
class Fonts:
    """The encodings of \\'xx. whole: that of the file, by \\ansi and \\ansicpg."""

    whole: str = "cp1252"
    default: int = 0
    charsets: dict[int, int] = field(default_factory=dict)
    pages: dict[int, str] = field(default_factory=dict)

    def encoding(self, number: int | None) -> str:
        number = self.default if number is None else number
        charset = self.charsets.get(number)
        if number in self.pages:
            return self.pages[number]
        # By the letter 0 is Windows-1252; files that name another code page and no font of it mean that one.
        if charset == 0 and self.whole not in {CHARSETS.get(one) for one in self.charsets.values()}:
            return self.whole
        return "cp1252" if charset in {0, SYMBOL} else CHARSETS.get(charset or 1, self.whole)


def file_encoding(page: int) -> str | None:
    """The codec of an \\ansicpg, None where Python has none."""
    name = {0: "cp1252", 10000: "mac_roman", 936: "gbk", 65001: "utf-8", 1361: "johab"}.get(page, f"cp{page}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None
