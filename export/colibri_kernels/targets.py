"""The platforms that libraries are built for, and the processors that each one's kernels are compiled for."""

from collections.abc import Mapping
from dataclasses import dataclass

from colibri.errors import InputError


@dataclass(frozen=True)
class Processor:
    """What a kernel is compiled for: LLVM's name of a processor, further features, and all that must be there to run
    it, by LLVM's names (`colibri.scoring.processor` finds them out)."""

    cpu: str
    features: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """A platform: what its library is called, LLVM's and zig's names for it, and tags of its wheel (PEP 425)."""

    name: str
    triple: str
    zig: str
    tags: tuple[str, ...]

    @property
    def processors(self) -> Mapping[str, Processor]:
        """By kernel: the fastest first."""
        return _X86 if self.name.endswith("x86_64") else _ARM


# Levels of the x86-64 psABI. All of a level must be there: the compiler may use any of it.
_V3 = ("avx", "avx2", "bmi", "bmi2", "cx16", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3")  # fmt: skip  # noqa: E501
_V4 = (*_V3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")

_X86 = {
    "amx": Processor("x86-64-v4", "+avx512vnni,+amx-tile,+amx-int8", (*_V4, "avx512vnni", "amx-tile", "amx-int8")),
    "avx512-vnni": Processor("x86-64-v4", "+avx512vnni", (*_V4, "avx512vnni")),
    "avx-vnni": Processor("x86-64-v3", "+avxvnni", (*_V3, "avxvnni")),
    "avx2": Processor("x86-64-v3", "", _V3),
    "generic": Processor("x86-64", "", ()),
}
_ARM = {
    "neon-dot": Processor("generic", "+neon,+dotprod", ("neon", "dotprod")),
    "generic": Processor("generic", "+neon", ("neon",)),
}

_LINUX = {arch: (f"manylinux_2_17_{arch}", f"manylinux2014_{arch}", f"musllinux_1_1_{arch}") for arch in ("x86_64", "aarch64")}  # fmt: skip  # noqa: E501

TARGETS = {
    target.name: target
    for target in (
        # glibc's and musl's library are the same file: it asks neither of anything.
        Target("linux-x86_64", "x86_64-unknown-linux-gnu", "x86_64-linux-none", _LINUX["x86_64"]),
        Target("linux-aarch64", "aarch64-unknown-linux-gnu", "aarch64-linux-none", _LINUX["aarch64"]),
        Target("macos-x86_64", "x86_64-apple-macosx11.0.0", "x86_64-macos.11.0", ("macosx_11_0_x86_64",)),
        Target("macos-aarch64", "arm64-apple-macosx11.0.0", "aarch64-macos.11.0", ("macosx_11_0_arm64",)),
        Target("windows-x86_64", "x86_64-pc-windows-gnu", "x86_64-windows-gnu", ("win_amd64",)),
        Target("windows-aarch64", "aarch64-pc-windows-gnu", "aarch64-windows-gnu", ("win_arm64",)),
    )
}


def target(name: str) -> Target:
    """The target of a name. Raises InputError when there is none."""
    if name not in TARGETS:
        raise InputError(f"target {name}: there are {', '.join(TARGETS)}")
    return TARGETS[name]
