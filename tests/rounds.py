"""How many rounds of what is long: few in `run.py test`, all that an issue names in `run.py soak`."""

import sys
from typing import TypeVar

T = TypeVar("T")


def rounds(quick: T, soak: T) -> T:
    """One of the two, as `--hypothesis-profile` says."""
    return soak if any("hypothesis-profile=soak" in word for word in sys.argv) else quick
