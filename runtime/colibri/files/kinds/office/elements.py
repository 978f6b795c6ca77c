"""XML parts as streams of elements: nothing outside is fetched, entities stay small, and memory stays flat."""

from collections.abc import Callable, Iterator
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

from colibri.files.kinds.office.names import name
from colibri.files.kinds.office.prolog import Readable, prepared
from colibri.files.text import Unreadable

START, END = "start", "end"
_EVENTS: tuple[Literal["start"], Literal["end"]] = ("start", "end")
Event = tuple[str, str, Element]
"""START or END, the element's name with the prefix that its specification uses ("w:t"), the element."""
NOTHING: frozenset[str] = frozenset()
_DEEPEST = 256  # walks of a kept element recurse, two calls a level; tables in tables of Word end far below


def walk(
    opener: Callable[[], Readable], part: str, *, left: frozenset[str] = NOTHING, whole: frozenset[str] = NOTHING
) -> Iterator[Event]:
    """The elements of a part, each forgotten once its end has been handed out.

    left   names of elements passed over, with all that they hold
    whole  names of elements handed out at their end only, with all that they hold

    Of alternatives the first is taken. Raises Unreadable where the part is damaged.
    """
    opened: list[Element] = []
    chosen: list[bool] = []
    kept = skipped = 0
    for event, element in _parsed(opener, part):
        if len(opened) + kept > _DEEPEST:
            raise Unreadable(f"{part} nests elements deeper than {_DEEPEST}")
        if kept:
            kept += 1 if event == START else -1
            if kept:
                continue
            yield END, name(element.tag), element
        elif event == START:
            tag = name(element.tag)
            if not skipped and tag in whole and tag not in left:
                kept = 1
                continue
            opened.append(element)
            if skipped or tag in left or _other_choice(tag, chosen):
                skipped += 1
            else:
                yield START, tag, element
            continue
        else:
            opened.pop()
            if skipped:
                skipped -= 1
            else:
                yield END, _ended(name(element.tag), chosen), element
        if opened:
            del opened[-1][:]


def _other_choice(tag: str, chosen: list[bool]) -> bool:
    """Whether this is an alternative after one was taken: a text box has its words in both."""
    if tag == "mc:AlternateContent":
        chosen.append(False)
    elif tag in {"mc:Choice", "mc:Fallback"} and chosen:
        before, chosen[-1] = chosen[-1], True
        return before
    return False


def _ended(tag: str, chosen: list[bool]) -> str:
    if tag == "mc:AlternateContent":
        chosen.pop()
    return tag


def _parsed(opener: Callable[[], Readable], part: str) -> Iterator[tuple[str, Element]]:
    try:
        stream, parser = prepared(opener, part)
        yield from ElementTree.iterparse(stream, _EVENTS, parser)
    except Unreadable:
        raise
    except (ElementTree.ParseError, expat.ExpatError, ValueError, LookupError) as error:
        raise Unreadable(f"{part} is damaged ({error})") from error
