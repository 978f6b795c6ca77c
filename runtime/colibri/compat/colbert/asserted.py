"""What colbert-ai refuses by an assertion, and what is not where it was said to be."""

from collections.abc import Iterator
from contextlib import contextmanager

from colibri.errors import InputError, StoreError

OVERWRITE = (True, False, "reuse", "resume", "force_silent_overwrite")
"""What may become of an index that is there already."""


class Refused(InputError, AssertionError):
    """A value that colbert-ai's `assert` statements refuse: callers may catch AssertionError as they did."""


class NotThere(FileNotFoundError, StoreError):  # in this order errno, filename and the words are OSError's
    """An index folder or a file of it that is not there: (errno, what is said, path), as of any FileNotFoundError."""


def check(holds: object, said: str) -> None:
    """Raise Refused with these words unless it holds."""
    if not holds:
        raise Refused(said)


@contextmanager
def said_as(ours: str, theirs: str) -> Iterator[None]:
    """An InputError about the option `ours` names it as the caller knows it."""
    try:
        yield
    except InputError as error:
        said = str(error)
        if not said.startswith(f"{ours}: "):
            raise
        raise InputError(theirs + said.removeprefix(ours)) from error
