"""Whether a folder that was found, and not named, may be used: whoever owns an index reads what goes into it, and says
which model is loaded for it. In /tmp, or in a folder of several people, anybody can leave one.

As git does for repositories since 2.35.2 (safe.directory, CVE-2022-24765), but that root's are used: root can do
anything as it is, and one index of a machine's documentation is of use to all. Windows' owners are not looked at.
"""

import os
from collections.abc import Iterable
from pathlib import Path


def why_not_trusted(place: Path, trusted: Iterable[Path] = ()) -> str | None:
    """Whose a folder is, in words, where it is neither this user's nor root's; None: it may be used.

    A link is looked at as what it is, and then followed; one that leads nowhere is its owner's. trusted: folders in
    which anybody's may be used. With sudo, the user who called it counts as this one.
    """
    if not hasattr(os, "geteuid"):
        return None
    user = os.geteuid()
    ours = {0, user}
    called = os.environ.get("SUDO_UID", "")
    if user == 0 and called.isascii() and called.isdecimal():
        ours.add(int(called))
    owners = [place.lstat().st_uid]
    if place.exists():
        owners.append(place.stat().st_uid)
    strange = [owner for owner in owners if owner not in ours]
    if not strange or any(_holds(folder, place) for folder in trusted):
        return None
    return f"belongs to {_called(strange[0])}"


def _holds(folder: Path, place: Path) -> bool:
    """By where both really are: a link in a trusted folder leads out of it."""
    return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(folder))


def _called(number: int) -> str:
    import pwd  # Windows has none

    try:
        return f"{pwd.getpwuid(number).pw_name} (user {number})"
    except KeyError:
        return f"user {number}"
