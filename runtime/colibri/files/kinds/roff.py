"""Escapes of roff as the characters that they print (groff_char(7), groff(7)), and arguments of its requests."""

import re
import unicodedata

from colibri.files.kinds.accents import accented

_ESCAPE = re.compile(
    r"\\(?:(?P<comment>[\"#].*)|\*(?P<string>\[[^\]\n]{0,60}\]|\(..|.)|[(](?P<two>..)|\[(?P<named>[^\]\n]{0,60})\]"
    r"|C'(?P<quoted>[^'\n]{0,200})'|N'(?P<number>\d{1,7})'|[oZ]'(?P<over>[^'\n]{0,200})'|[hvwlLDbAXRBxS]'[^'\n]{0,200}'"
    r"|(?:[fFmMngkVY]|s)(?=[\[(])(?:\[[^\]\n]{0,60}\]|\(..)|s[-+]?'[^'\n]{0,200}'|s[-+]?\(\d\d|s(?:[-+]\d|[123]\d|\d)?"
    r"|[fFmMkY].|n[-+]?(?:\[[^\]\n]{0,60}\]|\(..|.)|\$(?:\[[^\]\n]{0,60}\]|\(..|.)|(?P<sign>.)|$)",
    re.DOTALL,
)
_SIGNS = {
    "e": "\\", "E": "\\", "~": " ", "0": " ", " ": " ", "t": "\t", "a": "\t", "'": "'", "`": "`", "-": "-", "_": "_",
    **dict.fromkeys("&|^%:/,!?)dupryz{}@c\n", ""),
}  # fmt: skip
_GLYPHS = {
    "em": "—", "en": "–", "hy": "-", "bu": "•", "co": "©", "rg": "®", "tm": "™", "aq": "'", "dq": '"', "lq": "“",
    "rq": "”", "oq": "‘", "cq": "’", "Bq": "„", "bq": "‚", "Fo": "«", "Fc": "»", "fo": "‹", "fc": "›", "rs": "\\",
    "ti": "~", "ha": "^", "ga": "`", "aa": "´", "at": "@", "sh": "#", "Do": "$", "Eu": "€", "eu": "€", "ct": "¢",
    "Po": "£", "Ye": "¥", "sl": "/", "ul": "_", "ru": "_", "ba": "|", "bv": "|", "br": "│", "lB": "[", "rB": "]",
    "lC": "{", "rC": "}", "la": "⟨", "ra": "⟩", "pl": "+", "mi": "−", "eq": "=", "mu": "×", "di": "÷", "+-": "±",
    "<=": "≤", ">=": "≥", "!=": "≠", "~~": "≈", "~=": "≅", "==": "≡", "->": "→", "<-": "←", "<>": "↔", "ua": "↑",
    "da": "↓", "rA": "⇒", "lA": "⇐", "de": "°", "fm": "′", "sd": "″", "sc": "§", "ps": "¶", "dg": "†", "dd": "‡",
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "/o": "ø", "/O": "Ø", "o/": "ø", "O/": "Ø", "/l": "ł",
    "/L": "Ł", "-D": "Ð", "Sd": "ð", "Tp": "þ", "TP": "Þ", ".i": "ı", "r!": "¡", "r?": "¿", "12": "½", "14": "¼",
    "34": "¾", "S1": "¹", "S2": "²", "S3": "³", "if": "∞", "pd": "∂", "gr": "∇", "sr": "√", "*a": "α", "*b": "β",
    "*g": "γ", "*d": "δ", "*e": "ε", "*l": "λ", "*m": "μ", "*p": "π", "*s": "σ", "*w": "ω", "*W": "Ω", "*D": "Δ",
    "ts": "ς", "mc": "µ", "sq": "□", "ci": "○", "lz": "◊", "CR": "↵", "OK": "✓", "no": "¬", "AN": "∧", "OR": "∨",
}  # fmt: skip
_ACCENTS = {"'": "'", "`": "`", "^": "^", ":": '"', "~": "~", ",": "c", "v": "v", "o": "r", "-": "="}
STRINGS = {
    "Aq": "'", "lq": "“", "rq": "”", 'L"': "“", 'R"': "”", "C`": "", "C'": "", "--": "—", "PI": "π", "R": "®",
    "Tm": "™", "Gt": ">", "Lt": "<", "Am": "&", "Ba": "|", "Le": "≤", "Ge": "≥", "q": '"', "``": "“", "''": "”",
}  # fmt: skip
"""Strings that macro packages and converters define before the text."""


def printed(text: str, strings: dict[str, str]) -> str:
    """What a line prints. strings: what stands behind the names of \\*, without escapes of their own."""

    def shown(found: re.Match[str]) -> str:
        kind = found.lastgroup
        if kind == "string":
            return strings.get(_name(found["string"]), "")
        if kind in {"two", "named", "quoted"}:
            return _glyph(found[kind])
        if kind == "number":
            return chr(number) if (number := int(found["number"])) < 0xD800 else ""
        if kind == "over":
            return printed(found["over"], strings) if "\\" not in found["over"][2:] else ""
        return _SIGNS.get(found["sign"], found["sign"]) if kind == "sign" else ""

    return _ESCAPE.sub(shown, text)


def arguments(text: str) -> list[str]:
    """Arguments of a request, those in quotes with their blanks. A comment ends them."""
    text = re.sub(r"(?<!\\)((?:\\\\)*)\\[\"#].*", r"\1", text)
    found = re.findall(r'"((?:[^"]|"")*)(?:"|$)|((?:\\.|[^\s\\])+|\\$)', text)
    return [quoted.replace('""', '"') if quoted or not plain else plain for quoted, plain in found]


def _name(text: str) -> str:
    return text.strip("[]") if text.startswith("[") else text.removeprefix("(") if len(text) > 1 else text


def _glyph(name: str) -> str:
    if name in _GLYPHS:
        return _GLYPHS[name]
    if found := re.fullmatch(r"u([0-9A-Fa-f]{4,6})((?:_[0-9A-Fa-f]{4,6})*)", name):
        codes = [int(code, 16) for code in (found[1] + found[2]).split("_")]
        letters = [chr(code) for code in codes if code < 0x110000 and not 0xD800 <= code < 0xE000]
        return unicodedata.normalize("NFC", "".join(letters))
    if len(name) == 2 and name[0] in _ACCENTS and name[1].isalpha():
        return accented(_ACCENTS[name[0]], name[1])
    if re.fullmatch(r"[A-Za-z] .{1,2}", name):  # a letter and what stands on it
        return accented({"ad": '"', "aa": "'", "ga": "`", "ac": "c", "ao": "r"}.get(name[2:], name[2]), name[0])
    return name if len(name) == 1 else ""
