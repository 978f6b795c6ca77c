"""Files to texts: what is found in folders (`walk`), what is in a file (`reading`), read in a process of its own
(`room`), an index kept up to date with both (`sync`), the folders that it remembers (`refresh`), and where in its file
a hit stands (`place`).

In come paths, out go documents with the places their text stood in. It stands on `index` and `tokens`. A reader of a
kind must never import a model or an index.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.files.configuration import coming_back, configured, first_there
    from colibri.files.follow.follower import Follower
    from colibri.files.follow.state import State
    from colibri.files.followed import is_followed
    from colibri.files.holdings import Holdings, what_is_held
    from colibri.files.known import ALSO, NOT_READ, READ, Kind, kind_of_reader, words_of
    from colibri.files.looking import owner
    from colibri.files.lost import Gone, why_gone
    from colibri.files.places import HitPlace, numbers_lines, place, shown_passage
    from colibri.files.presence import is_gone, real
    from colibri.files.rebuild import beside, left_beside, lengths, make_anew
    from colibri.files.refresh import Refresh
    from colibri.files.removal import Removal, remove
    from colibri.files.room.memory import how_memory_is_limited
    from colibri.files.roots import Root, noted_roots
    from colibri.files.summary import Summary
    from colibri.files.sync import Sync
    from colibri.files.syncing import sync_files
    from colibri.files.walk import refuse_own_folder, shown
    from colibri.files.wanted import Wanted, shown_options
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "configuration": "coming_back configured first_there",
            "followed": "is_followed",
            "follow.follower": "Follower",
            "follow.state": "State",
            "holdings": "Holdings what_is_held",
            "known": "ALSO NOT_READ READ Kind kind_of_reader words_of",
            "places": "HitPlace numbers_lines place shown_passage",
            "presence": "is_gone real",
            "looking": "owner",
            "lost": "Gone why_gone",
            "rebuild": "beside left_beside lengths make_anew",
            "refresh": "Refresh",
            "removal": "Removal remove",
            "room.memory": "how_memory_is_limited",
            "roots": "Root noted_roots",
            "summary": "Summary",
            "sync": "Sync",
            "syncing": "sync_files",
            "walk": "refuse_own_folder shown",
            "wanted": "Wanted shown_options",
        },
    )
