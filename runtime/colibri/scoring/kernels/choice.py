"""Which kernel this processor, and what numba compiles for, allow."""

import ctypes
import functools
import sys

import llvmlite.binding as llvm
from numba.core.registry import cpu_target

from colibri.errors import InputError
from colibri.scoring.names import KERNELS

# LLVM's names; any of the sets is enough. The 256-bit VNNI instruction exists in two encodings, each with its own flag.
_NEEDS: dict[str, list[set[str]]] = {
    "amx": [{"avx512f", "avx512bw", "amx-tile", "amx-int8"}],
    "avx512-vnni": [{"avx512f", "avx512bw", "avx512vnni"}],
    "avx-vnni": [{"avx2", "fma", "avxvnni"}, {"avx2", "fma", "avx512vl", "avx512vnni"}],
    "avx2": [{"avx2", "fma"}],
    "neon-dot": [{"neon", "dotprod"}],
    "generic": [set()],
}
assert list(_NEEDS) == list(KERNELS)


def usable_kernels() -> list[str]:
    """Kernels that can run here, the fastest first.

    The processor must have the instructions and numba must compile for them: NUMBA_CPU_NAME and NUMBA_CPU_FEATURES may
    say less than the processor can, and LLVM ends the process when asked for an instruction its target lacks.
    """
    features = _target_features()
    usable = [name for name, needs in _NEEDS.items() if any(need <= features for need in needs)]
    return [name for name in usable if name != "amx" or _tiles_granted()]


@functools.cache
def _tiles_granted() -> bool:
    """Ask the system for AMX's registers, which Linux saves for those who asked only (arch_prctl, for the process and
    its children; docs.kernel.org/arch/x86/xstate.html). A kernel from before 5.16, or a sandbox, says no."""
    if not sys.platform.startswith("linux") or sys.maxsize < 2**32:
        return False
    arch_prctl, ask, tile_data = 158, 0x1023, 18
    granted: int = ctypes.CDLL(None).syscall(ctypes.c_long(arch_prctl), ctypes.c_long(ask), ctypes.c_long(tile_data))
    return granted == 0


def choose_kernel(wanted: str | None) -> str:
    """The kernel of that name, or the fastest. Raises InputError when it cannot run here."""
    usable = usable_kernels()
    if wanted is None:
        return usable[0]
    if wanted not in usable:
        raise InputError(f"COLIBRI_KERNEL={wanted} cannot run here; usable: {', '.join(['numpy', *usable])}")
    return wanted


def _target_features() -> set[str]:
    _, _, flags = cpu_target.target_context.codegen().magic_tuple()
    return {flag[1:] for flag in flags.split(",") if flag.startswith("+")} & _host_features()


def _host_features() -> set[str]:
    return {name for name, there in llvm.get_host_cpu_features().items() if there}
