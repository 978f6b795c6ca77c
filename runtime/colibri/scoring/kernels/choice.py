"""Which kernel this processor, and what numba compiles for, allow."""

import llvmlite.binding as llvm
from numba.core.registry import cpu_target

from colibri.errors import InputError
from colibri.scoring.names import KERNELS
from colibri.scoring.processor import tiles_granted

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
    features = target_features()
    usable = [name for name, needs in _NEEDS.items() if any(need <= features for need in needs)]
    return [name for name in usable if name != "amx" or tiles_granted()]


def choose_kernel(wanted: str | None) -> str:
    """The kernel that COLIBRI_KERNEL names, or the fastest. Raises InputError when it cannot run here."""
    usable = usable_kernels()
    if wanted is None:
        return usable[0]
    name = wanted.removeprefix("numba:")
    if name not in usable:
        raise InputError(f"COLIBRI_KERNEL={wanted} cannot run here; usable: {', '.join(['numpy', *usable])}")
    return name


def target_features() -> set[str]:
    """What this processor has and numba compiles for, by LLVM's names."""
    _, _, flags = cpu_target.target_context.codegen().magic_tuple()
    return {flag[1:] for flag in flags.split(",") if flag.startswith("+")} & _host_features()


def _host_features() -> set[str]:
    return {name for name, there in llvm.get_host_cpu_features().items() if there}
