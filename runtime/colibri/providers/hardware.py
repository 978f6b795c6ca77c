"""What this machine has: an ONNX Runtime, and the CPU features that decide between graphs."""

import functools
import platform
import sys
from importlib import import_module, util
from pathlib import Path

from colibri import machine
from colibri.errors import MissingExtra

_CPUINFO = Path("/proc/cpuinfo")
_DEVICES = Path("/dev")


@functools.cache
def cpu_features() -> frozenset[str]:
    """Names this project uses for what multiplies u8 x s8 exactly: avx512_vnni, avx_vnni, neon. Also avx2.

    numpy asks the processor itself, which also answers rightly under emulation. It does not know AVX-VNNI, so that
    comes from Linux' /proc/cpuinfo, believed only where it agrees with the processor otherwise. A feature that is
    there but not seen, where /proc is hidden among others, costs speed, never correctness.
    """
    asked: dict[str, bool] = getattr(import_module("numpy._core._multiarray_umath"), "__cpu_features__", {})
    found = {ours for theirs, ours in (("AVX512VNNI", "avx512_vnni"), ("AVX2", "avx2")) if asked.get(theirs)}
    if platform.machine().lower() in {"arm64", "aarch64"}:
        found.add("neon")
    flags = cpu_flags()
    if "avx_vnni" in flags and ("avx512_vnni" in flags) == ("avx512_vnni" in found) and "avx2" in found:
        found.add("avx_vnni")
    return frozenset(found)


def cpu_flags() -> frozenset[str]:
    """What Linux says the processor has; none elsewhere."""
    return frozenset(_cpuinfo("flags").split())


def cpu_name() -> str:
    """What the processor calls itself: Linux' "model name", else what Python knows; may be empty."""
    return _cpuinfo("model name") or platform.processor()


def _cpuinfo(key: str) -> str:
    """A line of /proc/cpuinfo, of the first processor; empty where there is none."""
    if sys.platform != "linux":
        return ""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # `colibri doctor` says so
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def sees_gpu() -> bool:
    """Whether Linux shows a GPU to this process: NVIDIA's, AMD's, one that renders, or Windows' own under WSL. Other
    systems are taken to have one."""
    patterns = ("nvidia[0-9]*", "kfd", "dri/renderD*", "dxg")
    return sys.platform != "linux" or any(next(_DEVICES.glob(pattern), None) for pattern in patterns)


def runtime_distributions() -> list[str]:
    """Installed distributions that own the module `onnxruntime`. More than one overwrite each other's files."""
    from importlib import metadata  # noqa: PLC0415 - its e-mail parser takes 20 ms, which no start waits for

    return sorted(set(metadata.packages_distributions().get("onnxruntime", [])))


def require_onnxruntime() -> str | None:
    """Make sure that exactly one ONNX Runtime is there. Raises MissingExtra when none is, which says so where pip has
    none for this platform; returns a warning when several distributions own the module, because whichever was installed
    last has overwritten the other."""
    spec = util.find_spec("onnxruntime")
    if spec is None or spec.origin is None:
        from colibri.providers.wheels import no_wheel, this_host  # noqa: PLC0415 - only who has none waits for it

        leftover = "" if spec is None else " (only left-over files of an uninstalled one)"
        raise MissingExtra(f"no onnxruntime{leftover} (colibri-edge[cpu]): {no_wheel(this_host()) or _install()}")
    # A look at the folder first: asking every installed distribution takes 0.1 s and more.
    beside = Path(spec.origin).parents[1]
    try:
        suspects = [p for pattern in ("onnxruntime*.dist-info", "ort_*.dist-info") for p in beside.glob(pattern)]
    except PermissionError:  # loaded before this process gave up its rights; then nothing can be asked either
        return None
    owners = runtime_distributions() if len(suspects) > 1 else []
    if len(owners) < 2:
        return None
    return (
        f"{' and '.join(owners)} are installed together and overwrite each other: "
        f"pip uninstall {' '.join(owners)}, then {_install()}"
    )


def _install() -> str:
    return f"{machine.install_command('cpu')} (or [gpu], never both)"
