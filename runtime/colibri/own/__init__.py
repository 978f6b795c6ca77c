"""What is the user's own: which index is meant where none is named, those kept by name, and what they configured.

In come names, variables and the current folder, out go paths with the reason for each, and settings. It stands on
`machine` and opens nothing: it must never import an index, a model, or what reads files.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.own.alike import nearest
    from colibri.own.configuration import Settings, configuration_file, configured_names, settings_of
    from colibri.own.finding import FOLDER, VARIABLE, Which, which
    from colibri.own.keeping import DEFAULT, checked_name, make_room, name_of, named_indexes, own_index
    from colibri.own.trust import why_not_trusted
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "configuration": "Settings configuration_file configured_names settings_of",
            "finding": "FOLDER VARIABLE Which which",
            "keeping": "DEFAULT checked_name make_room name_of named_indexes own_index",
            "alike": "nearest",
            "trust": "why_not_trusted",
        },
    )
