"""Whether a file is there, by the path that an index has of it."""

import os
import re
import unicodedata

_WRITTEN_OUT = re.compile(r"\\u(dc[89a-f][0-9a-f])")


def is_gone(path: str, new: str = "") -> bool:
    """Whether there surely is no such file: a folder that cannot be looked at may hold it. new: where it may be now,
    which is the same place where names differ by case or form alone and the file system does not tell them apart."""
    try:
        here = os.lstat(real(path))
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    if not new or _folded(path) != _folded(new) or path == new:
        return False
    try:
        return os.path.samestat(here, os.lstat(real(new))) and here.st_nlink == 1
    except OSError:
        return False


def real(path: str) -> str:
    """A path of `shown` as the system takes it: names that are not UTF-8 were written out."""
    undone = _WRITTEN_OUT.sub(lambda found: chr(int(found[1], 16)), path)
    return undone if undone != path and not os.path.lexists(path) else path


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
