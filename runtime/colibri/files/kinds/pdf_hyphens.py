"""Which hyphens at line ends were put there by the line, and which belong to the word, by the words of the document."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from colibri.files.kinds.pdf_glyphs import CUT

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LEFT = re.compile(r"[^\W_]+(?:[-\u2010\u2011][^\W_]+)*$")
_RIGHT = re.compile(r"[^\W_]+")
_LONGEST = 80  # characters of a word that are looked at


class Hyphens:
    """Decides for one document, whose pages these are."""

    def __init__(self, pages: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        pages = list(pages)
        if any(CUT in text for text in pages):
            for text in pages:
                # A figure between the halves of a cut word: together they are none that is asked for.
                plain = text.casefold().replace("\u2010", "-").replace("\u2011", "-").replace(CUT, "0")
                self._words.update(_WORD.findall(plain))

    def resolved(self, text: str) -> str:
        """The text with every CUT as a hyphen or as nothing."""
        parts, at = [], 0
        for i, keep in self.cuts(text):
            parts += [text[at:i], "-" if keep else ""]
            at = i + 1
        return "".join([*parts, text[at:]])

    def cuts(self, text: str) -> Iterator[tuple[int, bool]]:
        """Where they are, and whether the hyphen stays."""
        i = text.find(CUT)
        while i >= 0:
            left, right = _LEFT.search(text[max(0, i - _LONGEST) : i]), _RIGHT.match(text, i + 1, i + _LONGEST)
            yield i, left is None or right is None or self._bound(left[0], right[0])
            i = text.find(CUT, i + 1)

    def _bound(self, left: str, right: str) -> bool:
        """Whether the hyphen belongs to the word."""
        if "-" in left or not (left[-1].isalpha() and right[0].isalpha()):
            return True  # a word with hyphens is cut at one of them
        if right[0].isupper() and not left.isupper():
            return True
        left, right = left.casefold(), right.casefold()
        whole, bound = self._words[left + right], self._words[f"{left}-{right}"]
        if whole != bound:
            return bound > whole
        if len(left) == 1 and left.isascii():
            return True  # e-mail, x-rays: no rule leaves one letter alone, but that of Greek
        # Neither stands elsewhere: two words that both do are more likely bound than torn.
        return min(len(left), len(right)) > 3 and self._words[left] > 0 and self._words[right] > 0
