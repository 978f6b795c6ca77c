"""A process's memory: limited by the system where that works, else watched from outside."""

import subprocess
import sys

LIMITED = sys.platform.startswith(("linux", "freebsd"))
"""Whether the system limits a process's memory. Windows has no such call, and macOS takes RLIMIT_AS but allows more."""
WATCH_SECONDS = 0.25
NO_MEMORY = 12
"""The exit code of a process that had too little to say so: ENOMEM."""
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1 << 10
"""Of one unit of ru_maxrss."""


def limit(memory_bytes: int | None) -> None:
    """From now on this process gets so much more than it has; None: it is watched. It never writes a core."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - there is none on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes is not None:
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        wanted = memory_bytes + _mapped_bytes()
        soft = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_AS, (soft, most))


def limit_seconds(seconds: float) -> None:
    """Should nothing else end it, the system does once it has worked far longer than this: on several cores a file may
    take more of them than of time."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415

    usage = resource.getrusage(resource.RUSAGE_SELF)
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    wanted = int(usage.ru_utime + usage.ru_stime + 4 * seconds) + 60
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def _mapped_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - pathlib is not loaded here
            return int(file.read().split()[0]) * 4_096
    except (OSError, ValueError, IndexError):
        return 256 << 20


def peak_bytes() -> int:
    """The most memory that this process had, and on Linux the one that started it, whose figure it takes over; 0 where
    nobody knows."""
    if sys.platform == "win32":
        return 0
    import resource  # noqa: PLC0415

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES


def resident_bytes(process: int) -> int:
    """What a process has in memory; 0 where nobody knows."""
    if sys.platform == "win32":
        return _working_set(process)
    try:
        if sys.platform.startswith("linux"):
            with open(f"/proc/{process}/statm", "rb") as file:  # noqa: PTH123
                return int(file.read().split()[1]) * 4_096
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], capture_output=True, check=False, timeout=5)
        return int(said.stdout or 0) << 10
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return 0


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class _Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS."""

        _fields_ = (
            ("cb", wintypes.DWORD),
            ("faults", wintypes.DWORD),
            *((name, ctypes.c_size_t) for name in ("peak", "resident", "a", "b", "c", "d", "pagefile", "e")),
        )

    def _working_set(process: int) -> int:
        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, process)  # PROCESS_QUERY_LIMITED_INFORMATION
        if not handle:
            return 0
        try:
            found = _Counters(cb=ctypes.sizeof(_Counters))
            done = ctypes.windll.psapi.GetProcessMemoryInfo(wintypes.HANDLE(handle), ctypes.byref(found), found.cb)
            return max(found.resident, found.pagefile) if done else 0
        finally:
            ctypes.windll.kernel32.CloseHandle(wintypes.HANDLE(handle))


def how_memory_is_limited() -> str:
    """Of the process that reads files, in words."""
    if LIMITED:
        return "limited by the system"
    return f"watched every {WATCH_SECONDS:g} s: this system has no limit for a process's memory that holds"
