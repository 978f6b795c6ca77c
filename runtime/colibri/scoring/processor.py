"""Which instructions this processor has and the system lets a process use, by LLVM's names, without LLVM."""

import ctypes
import functools
import sys
from collections.abc import Callable

Registers = tuple[int, int, int, int]
"""eax, ebx, ecx, edx."""

# (leaf, subleaf) of cpuid, register -> bits and features (Intel's manual, volume 2, CPUID; AMD's for leaf 0x80000001).
_EAX, _EBX, _ECX, _EDX = range(4)
_BITS: dict[tuple[int, int, int], str] = {
    (1, 0, _ECX): "0 sse3 9 ssse3 12 fma 13 cx16 19 sse4.1 20 sse4.2 22 movbe 23 popcnt 28 avx 29 f16c",
    (7, 0, _EBX): "3 bmi 5 avx2 8 bmi2 16 avx512f 17 avx512dq 28 avx512cd 30 avx512bw 31 avx512vl",
    (7, 0, _ECX): "1 avx512vbmi 11 avx512vnni",
    (7, 0, _EDX): "24 amx-tile 25 amx-int8",
    (7, 1, _EAX): "4 avxvnni",
    (0x8000_0001, 0, _ECX): "0 sahf 5 lzcnt",
}
_OSXSAVE = 27  # of leaf 1's ecx: whether xgetbv can be asked

# What the system saves when it switches threads (XCR0): without, the registers may not be touched.
_YMM, _ZMM, _TILES = 0x6, 0xE6, 0x60000
_STATE = (("avx512", _ZMM), ("amx", _TILES), ("avx", _YMM), ("fma", _YMM), ("f16c", _YMM))


def x86_features(cpuid: Callable[[int, int], Registers], xgetbv: Callable[[], int]) -> frozenset[str]:
    """Features, from what the two instructions say. xgetbv is asked only where there is one."""
    highest = {0: cpuid(0, 0)[_EAX], 0x8000_0000: cpuid(0x8000_0000, 0)[_EAX]}
    saved = xgetbv() if cpuid(1, 0)[_ECX] >> _OSXSAVE & 1 else 0
    found = set()
    for (leaf, subleaf, register), bits in _BITS.items():
        if leaf > highest[leaf & 0x8000_0000] or (subleaf and subleaf > cpuid(leaf, 0)[_EAX]):
            continue
        value = cpuid(leaf, subleaf)[register]
        words = bits.split()
        found |= {name for bit, name in zip(words[::2], words[1::2], strict=True) if value >> int(bit) & 1}
    return frozenset(name for name in found if saved & _state(name) == _state(name))


def _state(name: str) -> int:
    return next((mask for start, mask in _STATE if name.startswith(start)), 0)


def arm_features() -> frozenset[str]:
    """Of 64-bit ARM, as the system tells: neon always, dotprod where it says so."""
    return frozenset({"neon", "dotprod"} if _has_dot_product() else {"neon"})


def _has_dot_product() -> bool:
    try:
        if sys.platform == "win32":
            armv82_dot_product = 43  # PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
            return bool(ctypes.WinDLL("kernel32").IsProcessorFeaturePresent(armv82_dot_product))
        system = ctypes.CDLL(None)
        if sys.platform == "darwin":
            said, size = ctypes.c_int(0), ctypes.c_size_t(4)
            name = b"hw.optional.arm.FEAT_DotProd"
            failed = system.sysctlbyname(name, ctypes.byref(said), ctypes.byref(size), None, ctypes.c_size_t(0))
            return failed == 0 and said.value == 1
        system.getauxval.restype = ctypes.c_ulong
        hwcap, asimddp = 16, 20  # AT_HWCAP and its bit; under an emulator it is the emulated processor's
        return bool(system.getauxval(ctypes.c_ulong(hwcap)) >> asimddp & 1)
    except (OSError, AttributeError):  # a system that cannot be asked: the slower kernel is right there too
        return False


@functools.cache
def tiles_granted() -> bool:
    """Ask the system for AMX's registers, which Linux saves for those who asked only (arch_prctl, for the process and
    its children; docs.kernel.org/arch/x86/xstate.html). A kernel from before 5.16, or a sandbox, says no."""
    if not sys.platform.startswith("linux") or sys.maxsize < 2**32:
        return False
    arch_prctl, ask, tile_data = 158, 0x1023, 18
    granted: int = ctypes.CDLL(None).syscall(ctypes.c_long(arch_prctl), ctypes.c_long(ask), ctypes.c_long(tile_data))
    return granted == 0
