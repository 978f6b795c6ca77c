"""Kernels compiled ahead: the shared library that a platform's wheel brings, checked before anything of it runs.

Beside it lies what it is, in JSON (`Facts`), written by `colibri_kernels`, which built it. It asks nothing of the
outside, so one file does for glibc and musl. Through ctypes its functions run without Python's lock, as numba's do.
"""

import ctypes
import functools
import hashlib
import json
import logging
import os
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colibri.scoring.kernel import ARGUMENTS, BITS_ARGUMENTS, Compiled, CompiledBits
from colibri.scoring.names import FOUR, KERNELS, TURNED_KERNELS, Bits, Sixes
from colibri.scoring.processor import Registers, arm_features, tiles_granted, x86_features
from colibri.vectors import Kind
from colibri.version import __version__

log = logging.getLogger(__name__)

INTERFACE = 3
"""Counts what ARGUMENTS and their meaning have been: a library of another number is not called."""

SIX_KIND: Sixes = "bits6"
"""Of functions for sign bits that look six dims up at once, and of what they need beside a kernel's own needs."""

NAMED = "COLIBRI_KERNEL_LIBRARIES"
"""The variable that names the folder to look in."""

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_SUFFIXES = {"linux": ".so", "macos": ".dylib", "windows": ".dll"}


@dataclass(frozen=True)
class Library:
    """What was loaded: its file, and its kernels that this processor can run, the fastest first."""

    file: Path
    kernels: Mapping[str, Mapping[Kind | Bits, Any]]

    def kernel(self, kind: Kind | Bits, name: str | None) -> Any:
        """The kernel of that name for rows of a kind, or the fastest; None: it has none."""
        names = self.kernels if name is None else [name]
        found = (self.kernels.get(each, {}).get(kind) for each in names)
        return next((each for each in found if each is not None), None)


class Refused(str):
    """Why a library that lies there, or that somebody says lies there, is not used: something to mend."""

    __slots__ = ()


class _UnfitError(Exception):
    """Why a library that is there is not used."""


def target() -> str | None:
    """This process's platform as libraries are named, such as linux-x86_64; None: there are none for such a one."""
    if struct.calcsize("P") != 8 or sys.byteorder != "little":
        return None
    system = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform)
    if system == "windows":  # what this Python was built for: emulated, it sees another processor's name
        machine = "aarch64" if "(ARM64)" in sys.version else "x86_64"
    else:
        machine = os.uname().machine.lower() if system else ""
    machine = _MACHINES.get(machine, machine)
    return f"{system}-{machine}" if system and machine in {"x86_64", "aarch64"} else None


def file_name(of: str) -> str:
    """The file of a target's library."""
    return f"{of}{_SUFFIXES[of.partition('-')[0]]}"


def version() -> str:
    """What a library must say of itself, to be called by this runtime."""
    return f"colibri {__version__} kernels {INTERFACE}"


@functools.cache
def library() -> Library | str:
    """The library of this platform, loaded once a process; or why there is none. One that is there and is not used is
    told in the log, and that the folder which COLIBRI_KERNEL_LIBRARIES names has none; else it lies beside this module.
    Of os.devnull as that folder nothing is told: none is wanted."""
    said = os.environ.get(NAMED)
    if said == os.devnull:
        return f"{NAMED}={said} asks for none of those compiled ahead"
    return look(Path(said), named=True) if said else look(Path(__file__).with_name("libraries"))


def look(folder: Path, *, named: bool = False) -> Library | str:
    """What lies in a folder for this platform: the library, checked and loaded, or why not. named: whether somebody
    says that one lies there, who is told in the log if not."""
    of = target()
    if of is None:
        return "no kernels are compiled ahead for this platform"
    facts = folder / f"{of}.json"
    try:
        if facts.is_file():
            return _loaded(of, facts)
        if (folder / file_name(of)).is_file():
            raise _UnfitError(f"{facts.name}, which says what it is, is not beside it")
        if not named:
            return f"no kernels compiled ahead for {of} are installed"
        why = f"{NAMED}={folder} {_found(folder)}, wanted {facts.name} and {file_name(of)}"
    except (_UnfitError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"{folder / file_name(of)}: {error}"
    log.warning("kernels compiled ahead are not used: %s", why)
    return Refused(why)


def _found(folder: Path) -> str:
    if not folder.is_dir():
        return "is no folder" if folder.exists() else "is not there"
    others = sorted(name for name in os.listdir(folder) if name.endswith((".json", *_SUFFIXES.values())))  # noqa: PTH208 - no stat of each
    return f"holds {', '.join(others) or 'none'}"


def _loaded(of: str, facts: Path) -> Library:
    try:
        said: Any = json.loads(facts.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _UnfitError(f"{facts.name} cannot be read ({error})") from error
    file = facts.with_name(file_name(of))
    if said["version"] != version():
        raise _UnfitError(f"is of {said['version']}, this is {version()}")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != said["sha256"]:
        raise _UnfitError(f"is damaged: its SHA-256 is {found}, {facts.name} says {said['sha256']}")
    try:
        functions = ctypes.CDLL(str(file))
    except OSError as error:  # glibc says of another processor's that there is no such file
        raise _UnfitError(f"cannot be loaded, and may be one for another processor ({error})") from error
    name = (ctypes.c_char * 64).in_dll(functions, "colibri_kernels_version").value.decode()
    if name != version():
        raise _UnfitError(f"says that it is of {name}, this is {version()}")
    features = _features(of, functions)
    kernels: dict[str, dict[Kind | Bits, Any]] = {}
    for kernel in (name for name in KERNELS if name in said["kernels"]):
        own = said["kernels"][kernel]
        if features.issuperset(own["needs"]) and (kernel != "amx" or tiles_granted()):
            kinds = own["kinds"].items()
            kernels[kernel] = {kind: _kernel(functions, file, kernel, kind, **layout) for kind, layout in kinds}
            six = SIX_KIND in own and features.issuperset(own[SIX_KIND])
            kernels[kernel]["bits"] = _bits(functions, file, kernel, six=six)
    if not kernels:
        raise _UnfitError(f"this processor can run none of {', '.join(said['kernels'])}")
    return Library(file, kernels)


def _kernel(functions: ctypes.CDLL, file: Path, kernel: str, kind: Kind, **layout: int) -> Compiled:
    pack, scan = _functions(functions, kernel, kind, ARGUMENTS)
    return Compiled(kernel, kind, pack, scan, **layout, cached=f"compiled ahead: {file}")


def _bits(functions: ctypes.CDLL, file: Path, kernel: str, *, six: bool) -> CompiledBits:
    fill, scan = _functions(functions, kernel, SIX_KIND if six else "bits", BITS_ARGUMENTS)
    turned = TURNED_KERNELS.get(kernel, 0)
    return CompiledBits(kernel, turned if six else min(turned, FOUR), fill, scan, f"compiled ahead: {file}")


def _functions(
    functions: ctypes.CDLL, kernel: str, kind: Kind | Bits | Sixes, arguments: Mapping[str, int]
) -> list[Any]:
    found = [getattr(functions, symbol(kernel, kind, name)) for name in arguments]
    for function, count in zip(found, arguments.values(), strict=True):
        function.argtypes = [ctypes.c_int64] * count
        function.restype = ctypes.c_int64
    return found


def symbol(kernel: str, kind: Kind | Bits | Sixes, function: str) -> str:
    """The name of a kernel's function in a library."""
    return f"colibri_{kernel.replace('-', '_')}_{kind}_{function}"


def _features(of: str, functions: ctypes.CDLL) -> frozenset[str]:
    if not of.endswith("x86_64"):
        return arm_features()
    ask, state = functions.colibri_cpuid, functions.colibri_xgetbv
    ask.argtypes, ask.restype = [ctypes.c_int64] * 3, None
    state.argtypes, state.restype = [], ctypes.c_int64

    def cpuid(leaf: int, subleaf: int) -> Registers:
        room = (ctypes.c_uint32 * 4)()
        ask(leaf, subleaf, ctypes.addressof(room))
        eax, ebx, ecx, edx = room
        return eax, ebx, ecx, edx

    return x86_features(cpuid, state)
