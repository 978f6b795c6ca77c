"""Files to texts: what is found in folders (`walk`), what is in a file (`reading`), read in a process of its own
(`room`), an index kept up to date with both (`sync`), and where in its file a hit stands (`place`).

In come paths, out go documents with the places their text stood in. It stands on `index` and `tokens`. A reader of a
kind must never import a model or an index.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.files.known import NOT_READ, READ, Kind
    from colibri.files.places import HitPlace, place, shown_passage
    from colibri.files.room.memory import how_memory_is_limited
    from colibri.files.summary import Summary
    from colibri.files.sync import Sync, Wanted
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "known": "NOT_READ READ Kind",
            "places": "HitPlace place shown_passage",
            "room.memory": "how_memory_is_limited",
            "summary": "Summary",
            "sync": "Sync Wanted",
        },
    )
