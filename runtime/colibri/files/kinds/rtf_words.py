"""What the control words of RTF mean to a reader of its text (Rich Text Format Specification 1.9.1)."""

import codecs

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

CHARACTERS = {
    "tab": "\t", "cell": "\t", "nestcell": "\t", "line": "\n", "lbr": "\n", "softline": "\n",
    "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "emspace": " ", "enspace": " ", "qmspace": " ", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip

PARAGRAPHS = frozenset({"par", "sect", "page", "softpage", "column", "row", "nestrow"})
"""Words that end one."""

SYMBOLS = {"~": " ", "_": "-"}
"""Control symbols that show; "\\*" and "\\'" are the reader's."""

PASSED = frozenset(
    "fonttbl stylesheet colortbl pict nonshppict fldinst listtable listoverridetable revtbl rsidtbl filetbl fontemb "  # noqa: SIM905
    "fontfile xmlnstbl themedata colorschememapping latentstyles datastore generator pgptbl info bkmkstart bkmkend "
    "shprslt sn sv objdata objclass objname objalias template datafield formfield mmathPr mmathPict ftnsep ftnsepc "
    "ftncn aftnsep aftnsepc aftncn atnid atnauthor atndate atnref atnparent atrfstart atrfend upr operator keywords "
    "comment subject category company manager doccomm hlinkbase background private oldcprops oldpprops oldsprops "
    "oldtprops nonesttables tc tcn xe rxe txe panose falt leveltext levelnumbers".split()
)
"""Groups that are not shown where they stand."""

SHOWN = frozenset("nesttableprops shpinst shptxt dptxbxtext do shppict ud moMath moMathPara result".split())  # noqa: SIM905
"""Groups that are shown, or hold some that are, although a reader may ignore them ("\\*") or they lie in such."""

ASIDE = frozenset(
    "footnote annotation header headerl headerr headerf footer footerl footerr footerf shptxt dptxbxtext".split()  # noqa: SIM905
)
"""Groups whose text stands by itself: it follows that of the document."""


def file_encoding(page: int) -> str | None:
    """The codec of an \\ansicpg, None where Python has none."""
    name = {0: "cp1252", 10000: "mac_roman", 936: "gbk", 65001: "utf-8", 1361: "johab"}.get(page, f"cp{page}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None
