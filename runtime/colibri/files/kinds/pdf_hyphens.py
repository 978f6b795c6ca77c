"""Which hyphens at line ends were put there by the line, and which belong to the word, by the words of the document."""

import re
from collections import Counter
from collections.abc import Iterable

from colibri.files.kinds.pdf_glyphs import CUT

_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011'’][^\W\d_]+)*")
_CUT = re.compile(rf"([^\W_]+(?:[-\u2010\u2011][^\W_]+)*){CUT}(?=([^\W_]+))")


class Hyphens:
    """Decides for one document, whose pages these are."""

    def __init__(self, pages: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        for text in pages:
            self._words.update(word.casefold().replace("\u2010", "-").replace("\u2011", "-") for word in _words(text))

    def resolved(self, text: str) -> str:
        """The text with every CUT as a hyphen or as nothing."""
        kept = self.kept(text)
        return "".join(char for char, keep in zip(text, kept, strict=True) if keep).replace(CUT, "-")

    def kept(self, text: str) -> list[bool]:
        """Which characters stay."""
        kept = [True] * len(text)
        for found in _CUT.finditer(text):
            kept[found.end() - 1] = self._bound(found[1], found[2])
        return kept

    def _bound(self, left: str, right: str) -> bool:
        """Whether the hyphen belongs to the word."""
        if "-" in left or len(left) == 1 or not (left[-1].isalpha() and right[0].isalpha()):
            return True  # a word with hyphens is cut at one of them, and no rule leaves one letter alone
        if right[0].isupper() and not left.isupper():
            return True
        left, right = left.casefold(), right.casefold()
        whole, bound = self._words[left + right], self._words[f"{left}-{right}"]
        if whole != bound:
            return bound > whole
        # Neither stands elsewhere: two words that both do are more likely bound than torn.
        return min(len(left), len(right)) > 3 and self._words[left] > 0 and self._words[right] > 0


def _words(text: str) -> Iterable[str]:
    """Whole ones: the halves at a CUT are none."""
    for found in _WORD.finditer(text):
        if text[found.end() : found.end() + 1] != CUT and text[found.start() - 1 : found.start()] != CUT:
            yield found[0]
