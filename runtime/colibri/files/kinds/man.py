"""Manual pages (roff with the macros man or mdoc) as the text that a terminal shows, sections as places.

Left: layout, fonts, comments, pictures. A macro that the page defines itself is run.
"""

import re
from collections.abc import Callable

from colibri.files.kinds.decoded import decoded
from colibri.files.kinds.mdoc import CALLED, GLUE, joined, line_of
from colibri.files.kinds.roff_lines import RoffLines
from colibri.files.source import Source
from colibri.files.text import Builder, FileText

_CODING = re.compile(rb"-\*-.{0,80}?coding:[ \t]*([\w.-]+)")
_ISO = re.compile(r"\d{4}-\d\d-\d\d")


def read(source: Source) -> FileText:
    """What a page shows."""
    coding = _CODING.search(source.data[:300])
    text = decoded(source.data, coding[1].decode("ascii") if coding else None)
    return _Page(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).read()


class _Page:
    """Walks through the lines of a page."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = RoffLines(lines)
        self._builder = Builder()
        self._words: list[str] = []
        self._filled = True
        self._tag = False  # the next line of text is one, and what follows stands below it
        self._heading = ""  # the macro of one whose words stand in the next line
        self._section = ""
        self._title = ""
        self._date: str | None = None
        self._name = ""
        self._link = ""
        self._list = ""

    def read(self) -> FileText:
        while line := self._lines.next():
            if line.request is not None:
                self._request(line.request, line.words)
            elif line.text.strip():
                self._text(line.text, line.glued)
            elif self._filled:
                self._paragraph()
            else:
                self._words.append("\n")
        self._flush()
        for remark in self._lines.remarks:
            self._builder.remark(remark)
        return self._builder.done(title=self._title or None, modified=self._date)

    def _request(self, name: str, words: list[str]) -> None:
        if name in _ACTIONS:
            _ACTIONS[name](self, name, words)
        elif name in CALLED:
            if name == "Nm" and words and not self._name:
                self._name = words[0]
            self._text(line_of(name, words, self._name))

    def _text(self, text: str, glued: bool = False) -> None:
        """A line of text. glued: the next one follows without a blank."""
        if self._heading:
            self._head(self._heading, [text])
            return
        text = text.replace(GLUE + " ", GLUE) if self._filled else text
        self._words += [text, "" if glued else "\n" if self._tag or not self._filled else " "]
        self._tag = False

    def _head(self, macro: str, words: list[str]) -> None:
        title = " ".join(joined(" ".join(words)).split())
        self._heading = "" if title else macro
        if not title:
            return
        self._flush()
        if macro in {"SH", "Sh"}:
            self._section = title
        self._builder.place(title if macro in {"SH", "Sh"} or not self._section else f"{self._section} > {title}")
        self._builder.block(title)
        self._filled = True

    def _titled(self, macro: str, words: list[str]) -> None:
        name, section = [*words, "", ""][:2]
        self._title = f"{name}({section})" if section else name
        if macro == "TH" and len(words) > 2 and (date := _ISO.fullmatch(words[2].strip())):
            self._date = date[0]
        self._builder.block(self._title)

    def _paragraph(self) -> None:
        self._words.append("\f")
        self._tag = False

    def _flush(self) -> None:
        text = joined("".join(self._words))
        self._words = []
        text = re.sub(r"\t +", "\t", re.sub(r"[ \n]*\v[ ]*", "\n", text))
        for block in text.split("\f"):
            lines = [line.rstrip() for line in block.split("\n")]
            self._builder.block("\n".join(lines).strip(" \n") if self._filled else "\n".join(lines))

    def _break(self, _macro: str, _words: list[str]) -> None:
        self._words.append("\v")

    def _gap(self, macro: str, words: list[str]) -> None:
        self._paragraph()
        if macro in {"IP", "TP", "HP"}:
            self._filled = True
        self._tag = macro == "TP"
        if macro == "IP" and words and words[0].strip():
            # A bullet stands in the line of its text.
            self._words += [words[0], " " if len(words[0]) == 1 else "\n"]

    def _again(self, _macro: str, _words: list[str]) -> None:
        self._words.append("\v")
        self._tag = True

    def _font(self, macro: str, words: list[str]) -> None:
        # Two letters take turns from word to word, without a blank between.
        if words:
            self._text(("" if len(macro) == 2 and macro not in {"SM", "SB"} else " ").join(words))

    def _as_it_is(self, macro: str, words: list[str]) -> None:
        self._filled = macro in {"fi", "EE", "Ed"} or (macro == "Bd" and not {"-literal", "-unfilled"} & set(words))
        self._words.append("\f" if macro in {"Bd", "Ed", "EX", "EE"} else "\v")

    def _address(self, macro: str, words: list[str]) -> None:
        if macro in {"UR", "MT"}:
            self._link = words[0] if words else ""
        elif macro in {"URL", "MTO"} and words:
            self._text(f"{words[1] if len(words) > 1 else ''} <{words[0]}>{''.join(words[2:])}")
        else:
            self._text(f"<{self._link}>{words[0] if words else ''}" if self._link else "")
            self._link = ""

    def _option(self, _macro: str, words: list[str]) -> None:
        self._text(f"[{' '.join(words)}]")

    def _reference(self, _macro: str, words: list[str]) -> None:
        self._text(f"{words[0]}({words[1]}){''.join(words[2:])}" if len(words) > 1 else " ".join(words))

    def _elsewhere(self, _macro: str, words: list[str]) -> None:
        if words:
            self._builder.remark(f"the text stands in {words[0]}")

    def _table(self, _macro: str, _words: list[str]) -> None:
        """Cells with tabs between; what says how they look goes."""
        self._paragraph()
        tab, formats, inside = "\t", True, False
        for line in self._lines.until("TE"):
            if formats:
                if found := re.search(r"\btab[ \t]*\((.)\)", line):
                    tab = found[1]
                formats = not line.rstrip().endswith(".")
            elif line.startswith(".T&"):
                formats = True
            elif line[:1] not in {".", "'"} and line.strip("_= \t"):
                cells = self._lines.printed(re.sub(r"T\{|T\}", "", line)).replace(tab, "\t")
                inside = line.rstrip().endswith("T{") or (inside and "T}" not in line)
                self._words += [cells.strip(" "), " " if inside else "\v"]
        self._paragraph()

    def _formula(self, macro: str, _words: list[str]) -> None:
        for line in self._lines.until("EN" if macro == "EQ" else "P[EF]"):
            if macro == "EQ":
                self._text(line)

    def _begin_list(self, macro: str, words: list[str]) -> None:
        self._list = words[0] if macro == "Bl" and words else ""
        self._paragraph()

    def _item(self, _macro: str, words: list[str]) -> None:
        self._words.append("\v" if "-compact" in self._list or self._list == "-column" else "\f")
        tag = line_of("No", words, self._name) if words else ""
        if self._list in {"-bullet", "-dash", "-hyphen", "-enum", "-item"}:
            self._words.append("• " if self._list == "-bullet" else "")
            return
        self._words += [tag.replace(" \t ", "\t"), "\v" if tag else ""]

    def _displayed(self, _macro: str, words: list[str]) -> None:
        self._words.append("\v")
        self._text(line_of("No", words, self._name))
        self._words.append("\v")

    def _standing(self, macro: str, words: list[str]) -> None:
        names = ", ".join(word for word in words if not word.startswith("-")) or self._name
        if macro == "Ex":
            self._text(f"The {names} utility exits 0 on success, and >0 if an error occurs.")
        else:
            self._text(
                f"The {names}() function returns the value 0 if successful; otherwise the value -1 is returned and the "
                "global variable errno is set to indicate the error."
            )


_Action = Callable[[_Page, str, list[str]], None]
_ACTIONS: dict[str, _Action] = {
    **dict.fromkeys(("SH", "SS", "Sh", "Ss"), _Page._head),
    **dict.fromkeys(("TH", "Dt"), _Page._titled),
    **dict.fromkeys(("PP", "P", "LP", "Pp", "Lp", "sp", "TP", "IP", "HP", "SY", "YS", "Sp"), _Page._gap),
    **dict.fromkeys(("br", "RS", "RE", "in", "ti", "ce"), _Page._break),
    "TQ": _Page._again,
    **dict.fromkeys(("B", "I", "R", "SM", "SB", "BR", "RB", "BI", "IB", "IR", "RI"), _Page._font),
    **dict.fromkeys(("nf", "fi", "EX", "EE", "Bd", "Ed"), _Page._as_it_is),
    **dict.fromkeys(("UR", "UE", "MT", "ME", "URL", "MTO"), _Page._address),
    "OP": _Page._option,
    "MR": _Page._reference,
    "so": _Page._elsewhere,
    "TS": _Page._table,
    **dict.fromkeys(("EQ", "PS"), _Page._formula),
    **dict.fromkeys(("Bl", "El"), _Page._begin_list),
    "It": _Page._item,
    **dict.fromkeys(("D1", "Dl"), _Page._displayed),
    **dict.fromkeys(("Ex", "Rv"), _Page._standing),
}
