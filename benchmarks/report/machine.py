"""What a figure was measured on."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import TypedDict

PACKAGES = tuple(
    "numpy onnxruntime tokenizers sentencepiece click tqdm numba bm25s maxsim-cpu numkong".split()  # noqa: SIM905
)


class Machine(TypedDict):
    """cores: those this process may use. packages: name -> version, of those that are installed."""

    cpu: str
    cores: int
    os: str
    python: str
    packages: dict[str, str]


def describe() -> Machine:
    """CPU model, cores, Python and package versions. Imports none of the packages."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "os": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }


def busy_seconds() -> float:
    """CPU time of all processes since the machine started (Linux)."""
    user, nice, system, _, _, interrupts, soft_interrupts = Path("/proc/stat").read_text("ascii").split()[1:8]
    return sum(map(int, (user, nice, system, interrupts, soft_interrupts))) / os.sysconf("SC_CLK_TCK")


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines() if cpuinfo.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
