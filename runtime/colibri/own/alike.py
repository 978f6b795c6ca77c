"""What somebody may have meant."""

from collections.abc import Iterable

_ALIKE = 0.6  # difflib's own measure and default: "sufix" is 0.91 of "suffix", "wrok" 0.75 of "work"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like another, whatever their case; None: none is much like it."""
    import difflib  # for errors alone

    folded = {one.casefold(): one for one in sorted(known, reverse=True)}
    found = difflib.get_close_matches(word.casefold(), folded, 1, _ALIKE)
    return folded[found[0]] if found else None
