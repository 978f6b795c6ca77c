"""Marks that a writer may leave out, left out: vowels and the tatweel of Arabic, points and accents of Hebrew.

Nearly all text is written without them, and so was what a vocabulary's pieces were counted on: vocalised words fall
into letters and marks, four tokens for one, and answers rank below wrong ones without marks (nDCG@10 of verses for
their translations .44, without marks .82: benchmarks/NOTES.md). Hamza and madda (U+0653-U+0655) tell letters apart and
stay; the alef of the Koran's spelling that carries a wasla becomes an alef.
"""

import re

import numpy as np

from colibri.tokens.composition import Composed

# Of Unicode's Hebrew and Arabic blocks: accents and points without maqaf, paseq and sof pasuq, which separate words;
# tashkil, Koranic annotation signs and the tatweel.
_CLASS = (
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u0652\u0656-\u0658\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08d3-\u08e1\u08f0-\u08f3"
)
_WASLA, _ALEF = "\u0671", "\u0627"
_MARKS, _FOLDED = re.compile(f"[{_CLASS}]+"), re.compile(f"[{_CLASS}{_WASLA}]")
_IS_MARK = np.array([_MARKS.match(chr(i)) is not None for i in range(0x900)])


def fold(text: str, made: Composed | None = None) -> Composed | None:
    """The text without such marks, each of which lies in the character before it, or, where it begins a text, in the
    one after it; `made` where there is nothing to fold or nothing else in the text.

    made: what the text was composed from (`composition.compose`); None: it is the text that was given
    """
    if text.isascii() or not _FOLDED.search(text):
        return made
    folded = _MARKS.sub("", text).replace(_WASLA, _ALEF)
    if not folded or folded.isspace():
        return made
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    kept = np.flatnonzero((codes >= len(_IS_MARK)) | ~_IS_MARK[np.minimum(codes, len(_IS_MARK) - 1)])
    starts = np.arange(len(text)) if made is None else made.starts
    ends = np.arange(1, len(text) + 1) if made is None else made.ends
    begins = starts[kept]
    begins[0] = starts[0]
    return Composed(folded, begins, ends[np.append(kept[1:], len(text)) - 1])
