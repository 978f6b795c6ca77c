"""What there is to know of a kind of file."""

from dataclasses import dataclass
from importlib import util
from typing import Literal

Form = Literal["text", "document", "other"]
Takes = Literal["", "fields", "wanted"]

_PACKAGES = {"files": "pypdfium2", "files-all": "office_oxide"}
"""Extra -> a package that only it brings."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file.

    name      as it is shown and stored: "PDF"
    endings   of names, lower case, with their dot; whole names where there is none: "makefile"
    module    below `colibri.files.kinds`, loaded when needed; "" where nothing reads it
    function  of the module: Source -> FileText, or -> Parts, Members and what was Passed
    takes     what else it takes: "fields", which of a row hold the text and the id; "wanted", which members, by name
    only_if   another function of the module, Source -> bool: where it says no, the file is read as plain text
    extra     what has to be installed for it; "" nothing
    version   counted up when its texts change, so that files read before are read again
    form      "text": its bytes are text; "document": they are not, but a text with such a name (a page that a program
              called `.doc`) is read for what it is; "other": a text with such a name is passed by, too
    plain     whether its reader is a loop over lines, so that a small file needs no room of its own (`room`)
    """

    name: str
    endings: tuple[str, ...] = ()
    module: str = ""
    function: str = "read"
    takes: Takes = ""
    only_if: str = ""
    extra: str = ""
    version: int = 1
    form: Form = "other"
    plain: bool = False

    @property
    def read(self) -> bool:
        """Whether anything reads it."""
        return bool(self.module)

    @property
    def reader(self) -> str:
        """What read a file, as an index remembers it."""
        return f"{self.name} {self.version}"

    @property
    def installed(self) -> bool:
        """Whether what it needs is there."""
        return not self.extra or util.find_spec(_PACKAGES[self.extra]) is not None
