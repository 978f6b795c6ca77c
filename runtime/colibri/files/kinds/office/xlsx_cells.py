"""What a cell of a workbook shows: its string, or its number by the format of its style.

Taken of sharedStrings: x:t of x:si and of x:r; of styles: x:numFmts and x:cellXfs; of a cell: x:v, x:is. Left: x:rPh
and x:phoneticPr (readings), x:f (the cached value stands for a formula), fonts and fills.
"""

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from colibri.files.kinds.office.elements import END
from colibri.files.kinds.office.formats import shown_number
from colibri.files.kinds.office.names import attributes, child, name
from colibri.files.kinds.office.package import Package, unescaped

_DATE, _MONEY = "yyyy-mm-dd", "#,##0.00;(#,##0.00)"
# ECMA-376 part 1, 18.8.30. Those that follow the system's region (14, 22, 27-36, 50-58) as ISO 8601 dates.
_BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 14: _DATE, 15: "d-mmm-yy",
    16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: f"{_DATE} h:mm",
    37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: _MONEY, 40: _MONEY, 41: "#,##0;(#,##0)", 42: "#,##0;(#,##0)",
    43: _MONEY, 44: _MONEY, 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
} | dict.fromkeys((*range(27, 37), *range(50, 59)), _DATE)  # fmt: skip
_LEFT = frozenset({"x:fonts", "x:fills", "x:borders", "x:cellStyleXfs", "x:cellStyles", "x:dxfs", "x:tableStyles"})


@dataclass
class Cells:
    """strings: shared ones. codes: of number formats, by style."""

    strings: list[str] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)
    from_1904: bool = False

    def read_strings(self, package: Package, part: str) -> None:
        for kind, tag, element in package.walk(part, whole=frozenset({"x:si"})):
            if kind == END and tag == "x:si":
                self.strings.append(rich(element))

    def read_styles(self, package: Package, part: str) -> None:
        codes = dict(_BUILT_IN)
        for kind, tag, element in package.walk(part, left=_LEFT):
            if kind == END and tag == "x:numFmt":
                about = attributes(element)
                codes[number(about.get("numFmtId"))] = about.get("formatCode", "")
            elif kind == END and tag == "x:xf":
                self.codes[str(len(self.codes))] = codes.get(number(element.get("numFmtId")), "")

    def text(self, cell: Element) -> str:
        """As shown, "" for an empty one."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = child(cell, "x:is")
            return "" if inline is None else rich(inline)
        found = child(cell, "x:v")
        raw = "" if found is None else found.text or ""
        if kind == "n":
            code = self.codes.get(cell.get("s", "0"), "")
            return raw if not code and raw.isdigit() else shown_number(raw, code, from_1904=self.from_1904)
        if kind == "s":
            at = number(raw) if raw.isdigit() else len(self.strings)
            return self.strings[at] if at < len(self.strings) else ""
        if kind == "b":
            return {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}.get(raw.strip(), raw)
        if kind == "d":
            return raw.removesuffix("T00:00:00").replace("T", " ")
        return unescaped(raw)


def rich(element: Element) -> str:
    """The text of a string, of all its runs; without the readings of its characters."""
    pieces = []
    for one in element:
        tag = name(one.tag)
        if tag == "x:t":
            pieces.append(one.text or "")
        elif tag == "x:r":
            pieces += [inner.text or "" for inner in one if name(inner.tag) == "x:t"]
    return unescaped("".join(pieces)).replace("\u00ad", "")


def number(digits: str | None) -> int:
    """0 for what is none."""
    return int(digits) if digits and digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
