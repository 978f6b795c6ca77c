"""Choosing files by their kind, in the words of `colibri search --kind`: "PDF", "code", "excel", or an ending, ".md".

The ending decides, so that no file is opened to be left out; of one whose ending says nothing its first bytes do.
"""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path, PurePath

from colibri.errors import ColibriError, InputError
from colibri.files.known import ALSO, BY_ENDING, BY_NAME, NOT_READ, READ, by_ending, words_of
from colibri.files.magic import HEAD
from colibri.files.packed_kinds import EMPTY_ZIP, OLE, ZIP
from colibri.files.recognise import recognise


def checked_kinds(words: Iterable[str], nearest: Callable[[str, Collection[str]], str | None]) -> tuple[str, ...]:
    """The same words as `is_chosen` takes them, each once. nearest: what was meant by one that there is not.

    Raises InputError for what names no kind that is read.
    """
    found: list[str] = []
    for word in words:
        plain = word.strip().casefold()
        ending = plain if plain in BY_ENDING or plain.startswith(".") else f".{plain}"
        known = BY_ENDING.get(ending)
        kinds = [kind.name for kind in READ if plain in words_of(kind.name)]
        if kinds or plain in ALSO:
            found += [one.casefold() for one in (*kinds, *ALSO.get(plain, ()))]
        elif known in NOT_READ or plain in {kind.name.casefold() for kind in NOT_READ}:
            raise InputError(f"{word!r} is not read (`colibri index --kinds`)")
        elif known is not None or plain.startswith("."):  # a text may have any ending
            found.append(ending)
        else:
            names = {kind.name for kind in READ} | {one.lstrip(".") for one in BY_ENDING} | ALSO.keys()
            close = nearest(plain, names)
            raise InputError(
                f"{word!r} is no kind of file{f'; the nearest is {close!r}' if close else ''} (`colibri index --kinds`)"
            )
    return tuple(dict.fromkeys(found))


def is_chosen(path: Path, words: Collection[str]) -> bool:
    """Whether a file is of one of some kinds. A file that cannot be opened is, so that it is said."""
    name = PurePath(path.name.lower())
    if name.suffix in words or name.name in words:
        return True
    kind = by_ending(path.name)
    if kind is None:
        try:
            with path.open("rb") as file:
                data = file.read(HEAD)
                if data.startswith((ZIP, EMPTY_ZIP, OLE)):  # their directory may be at the end
                    data += file.read()
            kind = recognise(path.name, data)
        except (OSError, ColibriError):
            return True
    return kind.name.casefold() in words


def shown_kinds(words: Iterable[str]) -> str:
    """As in "PDF, .md"."""
    names = {name.casefold(): name for name in BY_NAME}
    return ", ".join(names.get(word, word) for word in words)
