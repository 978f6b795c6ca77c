"""What the control words of RTF mean to a reader of its text (Rich Text Format Specification 1.9.1)."""

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
