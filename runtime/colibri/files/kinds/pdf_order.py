"""The characters of a line by where they stand, for lines whose content draws them in another order.

A program that fills letters in from a second font draws a line of the first with gaps, then what belongs in them: of a
Vietnamese page .46 of the words come out whole in the order of its content.
"""

import unicodedata
from bisect import bisect
from itertools import pairwise
from typing import NamedTuple

_GAP = 0.18  # of the size: blanks of justified lines reach down to .2, letters that are set apart stay below .1
_MISSED = 0.22  # of the size: as wide as a blank, and none there

_FORWARD = frozenset({"L", "EN", "AN"})
_BACKWARD = frozenset({"R", "AL"})


class Glyph(NamedTuple):
    """A character with its box. made: a blank or line end that PDFium put in for a gap."""

    char: str
    number: int
    left: float
    bottom: float
    right: float
    top: float
    made: bool


def in_order(glyphs: list[Glyph], backward: bool, size: float) -> bool:
    """Whether each stands after the one before, marks on it, and blanks are where the gaps are."""
    before: Glyph | None = None
    reach = 0.0
    blank = False
    for glyph in glyphs:
        if glyph.made:
            blank = True
        elif _is_mark(glyph):
            middle = (glyph.left + glyph.right) / 2
            if before is not None and (blank or not before.left - size / 2 < middle < reach + size / 2):
                return False
            reach = _reached(reach, glyph, size)
        else:
            if before is not None:
                gap = _gap(before.left, reach, glyph)
                if gap < _GAP * size if blank else gap > _MISSED * size and " " not in (before.char, glyph.char):
                    return False
                step = before.left - glyph.left if backward or _kind(glyph) in _BACKWARD else glyph.left - before.left
                if step < -size / 4 and not (backward and _kind(glyph) in _FORWARD):
                    return False
            before, reach, blank = glyph, glyph.right, False
    return True


def overprinted(glyphs: list[Glyph]) -> bool:
    """Whether lines lie on each other (a shadow, a watermark): by place, their letters would come in turns."""
    drawn = sorted((g for g in glyphs if not g.made and not _is_mark(g) and g.char != " "), key=lambda g: g.left)
    over = 0
    for one, other in pairwise(drawn):
        width = min(one.right - one.left, other.right - other.left)
        # The letters of one glyph have one box.
        over += one.right - other.left > 0.6 * width and (one.left, one.right) != (other.left, other.right)
    return 8 * over > len(drawn)


def ordered(glyphs: list[Glyph], backward: bool, size: float) -> list[tuple[str, int]]:
    """Characters and their numbers in the order of reading, -1 for a blank that only a gap tells."""
    clusters = _clusters([glyph for glyph in glyphs if not glyph.made], size)
    # Stable, for the letters of one ligature have one box and come in their order.
    clusters.sort(key=lambda cluster: -cluster[0].left if backward else cluster[0].left)
    placed: list[tuple[str, int]] = []
    before: list[Glyph] = []
    for cluster in _turned(clusters, backward):
        glyph = cluster[0]
        if before and " " not in (glyph.char, before[0].char):
            right = before[0].right
            for mark in before[1:]:
                right = _reached(right, mark, size)
            if _gap(before[0].left, right, glyph) > _GAP * size:
                placed.append((" ", -1))
        if glyph.char != " " or (placed and placed[-1][0] != " "):
            placed += [(one.char, one.number) for one in cluster]
        before = cluster
    return placed


def _clusters(glyphs: list[Glyph], size: float) -> list[list[Glyph]]:
    """Characters with the marks on them: those of one glyph, else the character whose box holds the mark's middle."""
    bases: list[list[Glyph]] = []
    astray: list[tuple[int, Glyph]] = []
    reach = 0.0
    for glyph in glyphs:
        middle = (glyph.left + glyph.right) / 2
        if not _is_mark(glyph):
            bases.append([glyph])
            reach = glyph.right
        elif bases and (bases[-1][0].left <= middle <= reach or abs(glyph.left - reach) < size / 20):
            bases[-1].append(glyph)
            reach = _reached(reach, glyph, size)
        else:
            astray.append((len(bases), glyph))
    if not bases:
        return [[glyph] for glyph in glyphs]
    places = sorted((base[0].left, i) for i, base in enumerate(bases))
    for after, mark in astray:
        middle = (mark.left + mark.right) / 2
        near = bisect(places, (middle, 0))
        # Among equals the one that came last before it: a mark is written after what it stands on.
        _, home = min(
            places[max(0, near - 8) : near + 8],
            key=lambda place: (
                max(place[0] - middle, middle - bases[place[1]][0].right, 0.0),
                place[1] >= after,
                abs(place[1] - after),
            ),
        )
        bases[home].append(mark)
    return bases


def _turned(clusters: list[list[Glyph]], backward: bool) -> list[list[Glyph]]:
    """With runs of the other direction (numbers and Latin words among Hebrew, Hebrew among Latin) as they are read."""
    others = _FORWARD if backward else _BACKWARD
    done: list[list[Glyph]] = []
    run: list[list[Glyph]] = []
    waiting: list[list[Glyph]] = []

    def close() -> None:
        run.sort(key=lambda cluster: cluster[0].left if backward else -cluster[0].left)
        done.extend([*run, *waiting])
        run.clear()
        waiting.clear()

    for cluster in clusters:
        kind = _kind(cluster[0])
        if kind in others:
            run += [*waiting, cluster]
            waiting.clear()
        elif run and _joins(kind, run, backward):
            waiting.append(cluster)
        else:
            close()
            done.append(cluster)
    close()
    return done


def _joins(kind: str, run: list[list[Glyph]], backward: bool) -> bool:
    """Whether a sign or a blank may stand within the run: between words, and in a number only what numbers hold."""
    if backward and all(_kind(cluster[0]) != "L" for cluster in run):
        return kind in {"ES", "CS", "ET"}
    return kind in {"ES", "CS", "ET", "WS", "ON"}


def _reached(right: float, mark: Glyph, size: float) -> float:
    """How far a letter reaches with a mark behind it: the letters of one glyph share its width, marks too."""
    return mark.right if abs(mark.left - right) < size / 20 else right


def _gap(left: float, right: float, glyph: Glyph) -> float:
    return max(left, glyph.left) - min(right, glyph.right)


def _is_mark(glyph: Glyph) -> bool:
    return unicodedata.category(glyph.char) in {"Mn", "Me"}


def _kind(glyph: Glyph) -> str:
    """Its direction by Unicode (https://www.unicode.org/reports/tr9/#Bidirectional_Character_Types)."""
    return unicodedata.bidirectional(glyph.char)
