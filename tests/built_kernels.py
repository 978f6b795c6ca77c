"""Kernels compiled ahead, for tests: this installation's, or built once from these sources into build/kernels."""

import functools
import json
import os
from importlib.util import find_spec
from pathlib import Path

import pytest

import colibri
from colibri.scoring.library import target

ROOT = Path(__file__).parents[1]
WHEELS = ROOT / "build" / "wheels"


@functools.cache
def folder() -> Path:
    """Where the library for this platform lies, of all kernels that can run here. Skips a test where there is none and
    none can be built: without numba or a linker."""
    own = target()
    if own is None:
        pytest.skip("no kernels are compiled ahead for this platform")
    installed = Path(colibri.__file__).parent / "scoring" / "libraries"
    if (installed / f"{own}.json").exists():
        return installed
    if find_spec("numba") is None or find_spec("colibri_kernels") is None:
        pytest.skip("no kernels compiled ahead are installed, and without numba none can be built")
    from colibri.errors import MissingExtra
    from colibri.scoring.kernels.choice import usable_kernels
    from colibri_kernels import library, targets

    out = ROOT / "build" / "kernels"
    try:
        library.build(targets.target(own), out, kernels=usable_kernels())
    except MissingExtra as error:
        pytest.skip(str(error))
    return out


def kernels() -> list[str]:
    """Names of kernels that the library has, whether they can run here or not."""
    said = json.loads((folder() / f"{target()}.json").read_text(encoding="utf-8"))
    return list(said["kernels"])


def environment(**more: str) -> dict[str, str]:
    """Of a process that finds the library, and of kernels no other word."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COLIBRI_KERNEL", "NUMBA_"))}
    return kept | {"COLIBRI_KERNEL_LIBRARIES": str(folder()), "OPENBLAS_NUM_THREADS": "1"} | more


def wheel_of(name: str) -> Path:
    """The wheel of a target that `run.py wheels` has built."""
    from colibri_kernels.targets import TARGETS

    (found,) = WHEELS.glob(f"*{TARGETS[name].tags[0]}*.whl")
    return found
