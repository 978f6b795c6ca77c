"""What a processor has, from what its instructions say: against tables of real ones, and this machine's system."""

import sys
from pathlib import Path

import pytest

from colibri.scoring.processor import Registers, arm_features, x86_features

V3 = {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}
BASE = {"sse3", "ssse3", "sse4.1", "sse4.2", "cx16", "popcnt", "sahf"}

# eax, ebx, ecx, edx of (leaf, subleaf), as processors of these kinds answer; and XCR0 beside them.
HASWELL = {
    (0, 0): (13, 0, 0, 0),
    (1, 0): (0x306C3, 0, 0x7FFAFBBF, 0xBFEBFBFF),
    (7, 0): (0, 0x27AB, 0, 0),
    (0x8000_0000, 0): (0x8000_0008, 0, 0, 0),
    (0x8000_0001, 0): (0, 0, 0x21, 0x2C100000),
}
SAPPHIRE_RAPIDS = {
    (0, 0): (0x20, 0, 0, 0),
    (1, 0): (0x806F8, 0, 0x7FFEFBFF, 0xBFEBFBFF),
    (7, 0): (2, 0xF3BFBFFB, 0x9BC27F5E, 0xFFDD4432),
    (7, 1): (0x1C30, 0, 0, 0),
    (0x8000_0000, 0): (0x8000_0008, 0, 0, 0),
    (0x8000_0001, 0): (0, 0, 0x121, 0x2C100800),
}


def features(leaves: dict[tuple[int, int], Registers], xcr0: int) -> frozenset[str]:
    """Of a processor as its tables say. A leaf beyond the highest answers as the highest does, as Intel's do."""
    return x86_features(lambda leaf, subleaf: leaves.get((leaf, subleaf), (-1 & 0xFFFFFFFF,) * 4), lambda: xcr0)


def test_a_processor_has_what_its_tables_say() -> None:
    assert features(HASWELL, 0x7) == BASE | V3
    all_of_it = {
        "avx512f",
        "avx512dq",
        "avx512cd",
        "avx512bw",
        "avx512vl",
        "avx512vbmi",
        "avx512vnni",
        "avxvnni",
        "amx-tile",
        "amx-int8",
    }
    assert features(SAPPHIRE_RAPIDS, 0x602E7) == BASE | V3 | all_of_it


def test_registers_that_the_system_does_not_save_are_not_there() -> None:
    assert features(SAPPHIRE_RAPIDS, 0x2E7) >= {"avx512vnni", "avxvnni"}
    assert not {name for name in features(SAPPHIRE_RAPIDS, 0x2E7) if name.startswith("amx")}
    assert not {name for name in features(SAPPHIRE_RAPIDS, 0x7) if name.startswith(("amx", "avx512"))}
    assert features(HASWELL, 0x3) == BASE | {"bmi", "bmi2", "lzcnt", "movbe"}


def test_a_system_that_saves_no_such_registers_is_not_asked_for_them() -> None:
    """Without OSXSAVE xgetbv ends the process."""
    without = HASWELL | {(1, 0): (0x306C3, 0, 0x7FFAFBBF & ~(1 << 27), 0xBFEBFBFF)}

    def xgetbv() -> int:
        raise AssertionError("asked")

    assert "avx2" not in x86_features(lambda leaf, subleaf: without.get((leaf, subleaf), (0, 0, 0, 0)), xgetbv)


def test_leaves_that_a_processor_does_not_have_are_not_read() -> None:
    old = {(0, 0): (1, 0, 0, 0), (1, 0): (0, 0, 0x2001, 0), (0x8000_0000, 0): (0x8000_0000, 0, 0, 0)}
    assert features(old, 0) == {"sse3", "cx16"}


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_arm_is_asked_of_the_system() -> None:
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    if "asimd" in flags:
        assert arm_features() == ({"neon", "dotprod"} if "asimddp" in flags else {"neon"})
    else:
        assert "neon" in arm_features()
