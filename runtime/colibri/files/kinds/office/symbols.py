"""Characters of fonts that have their own order: Symbol's, and the boxes and arrows of Wingdings that forms use.

Word writes them as U+F000 and more (w:sym). Those of Symbol are Adobe's, those of Wingdings from its table in Unicode.
"""

_SYMBOL = (
    "!∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼",
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑",
)
_WINGDINGS = {
    0x28: "☎", 0x29: "✆", 0x2A: "✉", 0x4A: "☺", 0x4C: "☹", 0x6C: "●", 0x6E: "■", 0x6F: "□", 0xA7: "▪", 0xA8: "◻",
    0xE0: "→", 0xDF: "←", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
}  # fmt: skip
_FONTS = {
    "symbol": {0x21 + i: c for i, c in enumerate(_SYMBOL[0])} | {0xA0 + i: c for i, c in enumerate(_SYMBOL[1])},
    "wingdings": _WINGDINGS,
}


def symbol(font: str, code: str) -> str:
    """What a font shows for a code in hexadecimal digits; "" for a picture without a letter."""
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    table = _FONTS.get(font.strip().lower())
    if 0xF000 <= number <= 0xF0FF:
        return (table or {}).get(number - 0xF000, "")
    if table and number < 0x100:
        return table.get(number, "")
    return chr(number) if 0x20 <= number < 0xD800 or 0xF900 <= number < 0x110000 else ""
