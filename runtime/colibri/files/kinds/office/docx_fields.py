"""Fields of Word: which text is their code, and what a list to choose from shows.

Taken: the entry of w:ddList that is chosen (Word stores no result of FORMDROPDOWN). Left: what else w:ffData says.
"""

from xml.etree.ElementTree import Element

from colibri.files.kinds.office.docx_styles import value
from colibri.files.kinds.office.names import child, name


class Fields:
    """The fields that are open. Text between begin and separate is code, that of fields within it too."""

    def __init__(self) -> None:
        self._codes: list[bool] = []

    @property
    def in_code(self) -> bool:
        return any(self._codes)

    def mark(self, kind: str | None) -> None:
        """A w:fldChar."""
        if kind == "begin":
            self._codes.append(True)
        elif self._codes and kind == "separate":
            self._codes[-1] = False
        elif self._codes and kind == "end":
            self._codes.pop()

    def end_codes(self) -> None:
        """A field that never ends must not swallow what follows its paragraph."""
        self._codes = [False] * len(self._codes)

    def chosen(self, data: Element) -> str:
        """What the w:ffData of the field that just began shows; "" for other fields, and within a code."""
        options = child(data, "w:ddList")
        if options is None or any(self._codes[:-1]):
            return ""
        entries = [value(one) for one in options if name(one.tag) == "w:listEntry"]
        marks = (child(options, "w:result"), child(options, "w:default"))
        at = next((value(one) for one in marks if one is not None), "0")
        return entries[int(at)] if at.isdecimal() and int(at) < len(entries) else ""
