"""Two parts of a search at once."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


def at_once(here: Callable[[], T], beside: Callable[[], U]) -> tuple[T, U]:
    """What both give: one on this thread, the other on one of its own, which has ended by then, whatever happens.

    Raises what either raises; of two, what `here` does.
    """
    told: list[U] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            told.append(beside())
        except BaseException as error:  # it belongs to the caller
            failed.append(error)

    thread = threading.Thread(target=work, name="colibri-search", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no more threads, or the interpreter ends
        return here(), beside()
    try:
        found = here()
    finally:
        thread.join()
    if failed:
        raise failed[0]
    return found, told[0]
