"""Characters that no search finds and that steer a terminal: taken out of every text, its lines and places kept."""

import re
from dataclasses import replace
from itertools import pairwise

from colibri.files.text import FileText, Place

# https://invisible-island.net/xterm/ctlseqs/ctlseqs.html: CSI; OSC; DCS, PM, APC and SOS; and the two-letter ones.
_TERMINAL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]{1,40}[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[PX^_][^\x1b\n]{0,4096}\x1b\\|\x1b[#%()*+./-][0-~]|\x1b[0-Z\\^-~]"
)
_STRUCK = re.compile(r"[^\n\x08]\x08")  # man pages write bold letters twice, and underline by "_" and a step back
_BLANKS = re.compile("[\v\f\x1c-\x1f\x85]")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]")


def cleaned(text: str) -> str:
    """Without control characters but tab and newline, lone surrogates, U+FEFF, U+FFFE and their like.

    Lines end with \\n, as many as there were. Of a letter struck over, the last stays.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(sign in text for sign in "\x1b\x9b\x9d"):
        text = _TERMINAL.sub("", text)
    if "\x08" in text:
        text = _STRUCK.sub("", text)
    return _UNSEEN.sub("", _BLANKS.sub(" ", text))


def tidied(content: FileText) -> FileText:
    """A reader's text cleaned, with its places where they were in it."""
    starts = [0, *(place.start for place in content.places), len(content.text)]
    parts = [cleaned(content.text[start:end]) for start, end in pairwise(starts)]
    places: list[Place] = []
    length = 0
    for place, part in zip(content.places, parts, strict=False):
        length += len(part)
        if places and places[-1].start == length:  # nothing is left of the text there
            places.pop()
        places.append(Place(length, cleaned(place.label)))
    title, author = (value and cleaned(value) for value in (content.title, content.author))
    return replace(content, text="".join(parts), places=tuple(places), title=title, author=author)
