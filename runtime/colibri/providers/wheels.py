"""Where pip finds no wheel of onnxruntime, and what works there.

No marker of a requirement can tell musl from glibc (PEP 508), so `[cpu]` asks for onnxruntime everywhere: where there
is none pip ends with an error of its own, and who goes on without is told here.
"""

import platform
import sys
import sysconfig
from dataclasses import dataclass

LAST_FOR_INTEL_MACS = "1.23.2"
"""Its wheels are for macOS 13 and newer, Python 3.10 to 3.13; 1.24 to 1.32 have none (asked of pip)."""

_HAVE = {
    "linux": {"x86_64", "amd64", "aarch64", "arm64"},
    "darwin": {"arm64", "x86_64"},
    "win32": {"x86_64", "amd64", "arm64"},
}
_WORKS = "scoring, indexes of ready vectors and rows of your own work here without"


@dataclass(frozen=True, kw_only=True)
class Host:
    """What decides which wheels fit."""

    system: str  # as sys.platform
    machine: str  # as platform.machine()
    soabi: str  # how CPython calls its ABI: cpython-312-x86_64-linux-musl; empty where it does not say
    python: tuple[int, int]


def this_host() -> Host:
    """The one that runs this."""
    soabi = sysconfig.get_config_var("SOABI") or ""
    return Host(system=sys.platform, machine=platform.machine(), soabi=soabi, python=sys.version_info[:2])


def no_wheel(host: Host) -> str | None:
    """Why pip finds no onnxruntime for it, what works without, and what to do; None: it finds one."""
    if host.system == "linux" and "musl" in host.soabi:
        return (
            f"it has no wheels for musl (Alpine), and pip finds none; {_WORKS}. To encode texts: a system with "
            "glibc, such as the image python:3.12-slim, or an onnxruntime that was built for this one"
        )
    if host.machine.lower() not in _HAVE.get(host.system, set()):
        return (
            f"it has no wheels for {host.system} on {host.machine or 'an unknown processor'}, and pip finds none; "
            f"{_WORKS}. To encode texts: another machine, or an onnxruntime that was built for this one"
        )
    if host.system == "darwin" and host.machine.lower() == "x86_64" and host.python > (3, 13):
        return (
            f"{LAST_FOR_INTEL_MACS} was the last with wheels for macOS on x86-64, and has none for Python "
            f"{'.'.join(map(str, host.python))}; {_WORKS}. To encode texts: Python 3.11 to 3.13 on macOS 13 or newer"
        )
    return None
