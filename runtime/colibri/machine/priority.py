"""Work that gives way to all else on the machine: for processes that only do what nobody waits for."""

import ctypes
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

_NICE_A_LITTLE, _NICE = 5, 10
"""At 10 Linux gives a process a tenth of what one at 0 gets beside it (sched(7)); at 19 some hundredth: with 25 others
on 2 processors it had 4 seconds in 12 minutes."""
_IO_LAST = (2 << 13) | 7  # IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7): after all others, yet not never as the idle class
_IOPRIO_SET = {"x86_64": 251, "AMD64": 251, "aarch64": 30, "riscv64": 30, "ppc64le": 273, "s390x": 282}
"""The number of the system call, which the C library has no function for (Linux, uapi/asm/unistd.h)."""
_BELOW_NORMAL_PRIORITY_CLASS, _IDLE_PRIORITY_CLASS = 0x4000, 0x40
_DARWIN_PROCESS, _DARWIN_BACKGROUND = 4, 0x1000


def give_way_a_little() -> None:
    """Have this process get less than others that want the processor as well, yet a fair part: for short work that
    somebody may wait for."""
    if sys.platform == "win32":
        _set_class(_BELOW_NORMAL_PRIORITY_CLASS)
        return
    with suppress(OSError):
        os.nice(_NICE_A_LITTLE)


def give_way() -> None:
    """Have this process, and what it starts, get little of the processor and the disk where others want them. For good:
    no process of an ordinary user gets its priority back. What a system does not know is left out.

    Linux groups processes by session (sched_autogroup) and shares the processor among the groups: to be nice counts
    within one's own alone. So it becomes a session, and its group is nice as well.
    """
    if sys.platform == "win32":
        _set_class(_IDLE_PRIORITY_CLASS)
        return
    with suppress(OSError):  # it leads a group of processes, as where a shell started it
        os.setsid()
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, max(os.getpriority(os.PRIO_PROCESS, 0), _NICE))
    if sys.platform == "darwin":
        with suppress(OSError, AttributeError):  # disk and network, too
            ctypes.CDLL(None).setpriority(_DARWIN_PROCESS, 0, _DARWIN_BACKGROUND)
    elif sys.platform == "linux":
        with suppress(OSError):  # a kernel without them
            Path("/proc/self/autogroup").write_text(str(_NICE), encoding="ascii")
        if (number := _IOPRIO_SET.get(platform.machine())) is not None:
            with suppress(OSError, AttributeError):
                ctypes.CDLL(None).syscall(number, 1, 0, _IO_LAST)


if sys.platform == "win32":

    def _set_class(number: int) -> None:
        with suppress(OSError, AttributeError):
            own = ctypes.windll.kernel32.GetCurrentProcess()
            ctypes.windll.kernel32.SetPriorityClass(own, number)
