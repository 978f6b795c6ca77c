"""What this machine has, and what every wing may use: cores, memory, a progress bar, and how a wing's door opens.

In comes nothing, out go counts and small helpers. It stands on nothing: it must never import another part of Colibri.
"""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any


def door(
    wing: str, rooms: Mapping[str, str], others: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a wing's `__init__` (PEP 562): a name loads its room when it is first used.

    wing    the package's name
    rooms   room -> the names it hands on, separated by blanks; none may be a room's own name, which Python sets itself
    others  the same for names that users find here, and that other modules own
    """
    owners = {f"{wing}.{room}": names for room, names in rooms.items()} | dict(others or {})
    homes = {name: owner for owner, names in owners.items() for name in names.split()}

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {wing!r} has no attribute {name!r}")
        __import__(homes[name])  # what import_module loads, `python -X importtime` does not list
        found = getattr(sys.modules[homes[name]], name)
        setattr(sys.modules[wing], name, found)  # asked for once
        return found

    return find, lambda: sorted(homes)


if TYPE_CHECKING:
    from colibri.machine.another import another_python
    from colibri.machine.bar import Bar
    from colibri.machine.cores import available_cores, few_cpus, keep_off_this_cpu, physical_cores
    from colibri.machine.counting import counted
    from colibri.machine.frozen import frozen_by, program
    from colibri.machine.homes import can_be, home, temporary_folder, user_config, user_data, why_no_home
    from colibri.machine.installed import install_command
    from colibri.machine.locking import try_lock, unlock
    from colibri.machine.memory import give_back
    from colibri.machine.priority import give_way, give_way_a_little
    from colibri.machine.progress import Progress, progress_bar
    from colibri.machine.served import Served, announce, find
    from colibri.machine.unseen import not_known
    from colibri.machine.viewer import open_file, runs, show_in_folder
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "another": "another_python",
            "bar": "Bar",
            "cores": "available_cores few_cpus keep_off_this_cpu physical_cores",
            "counting": "counted",
            "frozen": "frozen_by program",
            "homes": "can_be home temporary_folder user_config user_data why_no_home",
            "installed": "install_command",
            "locking": "try_lock unlock",
            "memory": "give_back",
            "priority": "give_way give_way_a_little",
            "progress": "Progress progress_bar",
            "served": "Served announce find",
            "unseen": "not_known",
            "viewer": "open_file runs show_in_folder",
        },
    )
