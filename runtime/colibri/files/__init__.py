"""Files to texts: what is found in folders (`walk`), what is in a file (`readers`), and an index kept up to date with
both (`sync`).

In come paths, out go documents with the places their text stood in. It stands on `index` and `tokens`. A reader of a
kind must never import a model or an index.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.files.sync import Summary, Sync, Wanted
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "sync": "Summary Sync Wanted",
        },
    )
