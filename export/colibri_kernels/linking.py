"""From object files to a shared library: by zig, which links for every platform, or by a linker of the system's."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib import util
from pathlib import Path

from colibri.errors import InputError, MissingExtra
from colibri_kernels.targets import Target

ZIG = "zig"
_ELF = ["-shared", "-z", "defs", "-z", "noexecstack", "-z", "relro", "-z", "now", "--build-id=none", "--hash-style=gnu", "--gc-sections", "-s"]  # fmt: skip  # noqa: E501
_SYSTEM = {"linux-x86_64": ("x86_64-linux-gnu-ld", "ld"), "linux-aarch64": ("aarch64-linux-gnu-ld",)}
_ZIG_WORDS = {
    "linux": [],
    "macos": ["-Wl,-dead_strip"],
    "windows": ["-Wl,--no-entry"],
}


def system_linker(target: Target) -> str | None:
    """A linker for the target that this machine has besides zig; None: none."""
    return next((name for name in _SYSTEM.get(target.name, ()) if shutil.which(name)), None)


def linker_for(target: Target, wanted: str | None) -> str:
    """The linker of that name, or the best there is: zig where it is installed, else the system's.

    Raises MissingExtra when there is none.
    """
    has_zig = util.find_spec("ziglang") is not None
    if wanted is None:
        wanted = ZIG if has_zig else system_linker(target)
    if wanted is None or (wanted == ZIG and not has_zig):
        raise MissingExtra(f"no linker for {target.name}: pip install 'colibri-edge[kernels]' brings zig")
    return wanted


def link(target: Target, objects: Sequence[Path], out: Path, linker: str) -> None:
    """Link a library. Raises InputError with the linker's words when it fails."""
    system = target.name.partition("-")[0]
    if linker != ZIG:
        command = [linker, *_ELF, f"-soname={out.name}"]
    elif system == "linux":  # by its own name lld refuses what is asked for and not there; `zig cc` does not
        command = [sys.executable, "-m", "ziglang", "ld.lld", *_ELF, f"-soname={out.name}"]
    else:
        command = [sys.executable, "-m", "ziglang", "cc", "-target", target.zig, "-shared", "-nostdlib", "-s"]
        command += _ZIG_WORDS[system]
    command += ["-o", str(out), *map(str, objects)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
