"""benchmarks/maxsim/peak.py: the loop that kernels are measured against holds every product that it counts."""

import platform
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from colibri.scoring.kernels.build import recipe
from colibri.scoring.kernels.choice import usable_kernels
from colibri.vectors import Kind

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from maxsim import peak  # the path is the line above

# With AVX-512 the compiler makes vpdpwssd of vpmaddwd and the addition: a product all the same.
_PRODUCTS = re.compile(r"^\s*v?(?:pmaddwd|pdpwssd|pdpbusd|fmadd\w+|mulps|cvt\w*)\s", re.MULTILINE)


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="reads x86 instructions")
@pytest.mark.parametrize("kind", ["int8", "float32"])
@pytest.mark.parametrize("kernel", [name for name in usable_kernels() if name != "amx"])
def test_a_round_of_the_loop_multiplies_once_a_sum(kernel: str, kind: Kind) -> None:
    how = recipe(kernel, kind)
    for count in peak._SUMS[how.arithmetic.width]:
        dispatchers: list[Any] = []
        peak.vector_loop(how.arithmetic, how.per_word, count, dispatchers)
        code = next(iter(dispatchers[0].inspect_asm().values()))
        assert len(_PRODUCTS.findall(code)) >= count
