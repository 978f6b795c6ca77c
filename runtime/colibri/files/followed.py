"""Whether a program follows the folders of an index: it holds a lock file in the index's folder."""

import os
from pathlib import Path

from colibri.errors import StoreError, StoreLocked
from colibri.index import by_one_alone

LOCK = "follow.lock"


def is_followed(place: Path) -> bool:
    """Of the index in a folder; one that died follows nothing. Where the folder cannot be written, nobody can know,
    and this user's programs do not."""
    if not os.path.lexists(place / LOCK):
        return False
    try:
        with by_one_alone(place / LOCK, ""):
            return False
    except StoreLocked:
        return True
    except StoreError:
        return False
