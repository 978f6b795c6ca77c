"""What this machine does not tell, where /proc or /sys is hidden or masked (Linux), and what follows from it."""

import sys
from collections.abc import Mapping
from pathlib import Path

_SOURCES: Mapping[str, str] = {
    "/proc/cpuinfo": "whether the processor has AVX-VNNI, which would be faster with the same results; onnxruntime's "
    "warnings of cpuinfo come from this as well",
    "/proc/self/cgroup": "CPU quotas of the groups this process is in, but for that of /sys/fs/cgroup itself; give "
    "threads and workers where there are others",
    "/proc/self/statm": "how much memory a process has: that of the process that reads files is limited by a guess",
    "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "which CPUs are halves of a core: each counts as one",
}


def not_known(sources: Mapping[str, str] = _SOURCES) -> list[str]:
    """A sentence for each file that cannot be read or is empty; none on systems that have no such files."""
    if sys.platform != "linux":
        return []
    return [f"{path} cannot be read: {what}" for path, what in sources.items() if not _says_something(Path(path))]


def _says_something(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return bool(file.read(1))
    except OSError:
        return False
