"""Calls over a network: done again where that may help, explained where it does not.

What we ask may be asked twice: points are written and deleted by their ids.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from colibri.errors import StoreError

T = TypeVar("T")

_LONGEST_WAIT = 30.0  # seconds, whatever a server asks for


@dataclass(frozen=True)
class Fault:
    """What became of a call. again: whether it may be done again. after: seconds the server asked to wait."""

    why: str
    again: bool
    after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Retries:
    """count: how many times a call is done again. first: seconds before the first of them, doubled for each."""

    count: int = 5
    first: float = 0.25


def done(what: str, call: Callable[[], T], retries: Retries, explained: Callable[[Exception], Fault]) -> T:
    """The call's result. Raises StoreError that says what failed, how often, and why."""
    for turn in range(retries.count + 1):
        try:
            return call()
        except Exception as error:
            fault = explained(error)
            if not fault.again or turn == retries.count:
                times = f" {turn + 1} times" if turn else ""
                raise StoreError(f"{what}: failed{times}: {fault.why}") from error
            wait = retries.first * 2**turn * (0.75 + random.random() / 2) if fault.after is None else fault.after
        time.sleep(min(wait, _LONGEST_WAIT))
    raise AssertionError("unreachable")
