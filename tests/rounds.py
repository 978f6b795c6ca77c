"""How many rounds of what is long: few in `run.py test`, all that an issue names in `run.py soak`."""

from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")


def rounds(quick: T, soak: T) -> T:
    """One of the two, as `--hypothesis-profile` says. (Not read from sys.argv: xdist's workers have another one.)"""
    return soak if settings.get_current_profile_name() == "soak" else quick
