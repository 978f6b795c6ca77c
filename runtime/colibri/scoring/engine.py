"""Who scores: a kernel compiled ahead, one that numba compiles, or NumPy; without anyone waiting longer than without.

Where the wheel brought kernels that this processor can run (`library`), the fastest answers from the first call on.

Else, importing numba and compiling takes seconds of one core, so NumPy answers at first. Once so much has been scored
that more will follow, the next call starts a daemon thread that compiles (or loads what an earlier process left on
disk), and the kernel takes over when it is ready. A process that scores once never gets there, unless that one call is
so large that compiling first is faster; even then it waits no longer than NumPy would take for it.

COLIBRI_KERNEL names the kernel to use, from the first call on: `numpy`, one of KERNELS, or `numba:` and one of KERNELS
for the one that numba compiles.
"""

import logging
import os
import threading
import time
from importlib import util
from typing import TYPE_CHECKING, Any, overload

from colibri import machine
from colibri.errors import InputError, MissingExtra
from colibri.scoring.library import Library, Refused, library
from colibri.scoring.names import KERNELS, KINDS, Bits
from colibri.vectors import Kind

if TYPE_CHECKING:
    from colibri.scoring.kernel import Compiled, CompiledBits

log = logging.getLogger(__name__)

WORTH_COMPILING = 5_000_000_000
"""Multiply-adds NumPy does before a kernel is compiled: 0.1 s to 1 s of its time, against 2 s of compiling."""

WORTH_WAITING_FOR = 20 * WORTH_COMPILING
"""Multiply-adds of one call that NumPy would take longer for than a kernel takes to compile and do them."""

NUMPY_AT_BEST = 50_000_000_000
"""Multiply-adds a second that NumPy does at most: so long a call of that size may wait for its kernel."""

NUMPY_COSTS = "int8 scores take about 10 times as long, float32 about 4 times"
"""Against the fastest kernel, one thread (benchmarks/maxsim/bench_maxsim.py)."""


_BY_NUMBA = "numba:"


class _State:
    """What this process has. Replaced as a whole in a forked child whose parent was just compiling."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Held for an instant, to say what has begun; searches take it."""
        self.building = threading.Lock()
        """Held while a kernel is compiled, for seconds; only who compiles waits for it."""
        self.ended: dict[Kind | Bits, threading.Event] = {}
        """Set when a compilation that was started has a kernel, or has failed."""
        self.ready: dict[Kind | Bits, Any] = {}
        self.failed: dict[Kind | Bits, str] = {}
        self.scored = 0


_state = _State()


def wanted_kernel() -> str | None:
    """What COLIBRI_KERNEL asks for; None: the fastest, when it is worth it. Raises InputError for an unknown name."""
    name = os.environ.get("COLIBRI_KERNEL") or None
    if name is not None and name != "numpy" and name.removeprefix(_BY_NUMBA) not in KERNELS:
        there = ", ".join(["numpy", *KERNELS])
        raise InputError(f"COLIBRI_KERNEL={name}: there are {there}, and each but numpy also after {_BY_NUMBA}")
    return name


@overload
def kernel(kind: Kind, work: int) -> "Compiled | None": ...


@overload
def kernel(kind: Bits, work: int) -> "CompiledBits | None": ...


def kernel(kind: Kind | Bits, work: int) -> "Compiled | CompiledBits | None":
    """The kernel for rows of a kind, or None: NumPy's turn. work: multiply-adds that the caller is about to do."""
    found: Compiled | CompiledBits | None = _state.ready.get(kind)
    if found is not None:
        return found
    name = wanted_kernel()
    if name == "numpy":
        return None
    if (ahead := _ahead(kind, name)) is not None:
        _state.ready[kind] = ahead
        return ahead
    if kind in _state.failed or (name is None and _compiler_off()):
        return None
    if name is not None:
        return compile_now(kind)
    if work >= WORTH_WAITING_FOR:
        _start(kind).wait(work / NUMPY_AT_BEST)
        return _state.ready.get(kind)
    if _state.scored >= WORTH_COMPILING:
        _start(kind)
    _state.scored += work  # threads may lose some of each other's; it only has to grow
    return None


def _ahead(kind: Kind | Bits, name: str | None) -> "Compiled | CompiledBits | None":
    """The kernel that was compiled ahead for this kind; None: there is none, or numba's is asked for."""
    if name is not None and name.startswith(_BY_NUMBA):
        return None
    here = library()
    found: Compiled | CompiledBits | None = here.kernel(kind, name) if isinstance(here, Library) else None
    return found


@overload
def compile_now(kind: Kind) -> "Compiled": ...


@overload
def compile_now(kind: Bits) -> "CompiledBits": ...


def compile_now(kind: Kind | Bits) -> "Compiled | CompiledBits":
    """The kernel for rows of a kind, compiled before this returns where it was not compiled ahead.

    Raises InputError when COLIBRI_KERNEL names what cannot run here or numba's compiler is off, MissingExtra when
    numba is not installed.
    """
    name = wanted_kernel()
    if name == "numpy":
        raise InputError("COLIBRI_KERNEL=numpy: there is nothing to compile")
    if (ahead := _ahead(kind, name)) is not None:
        return ahead
    if util.find_spec("numba") is None:
        why = f"COLIBRI_KERNEL={name} is not among those compiled ahead" if name else str(library())
        install = machine.install_command("numba")
        raise MissingExtra(f"{why}, and no numba to compile one (colibri-edge[numba]): {install}; NumPy scores without")
    if (off := _compiler_off()) is not None:
        raise InputError(f"{off}: there is no compiler; scoring works without, on NumPy")
    from colibri.scoring.kernels.build import build, build_bits  # noqa: PLC0415 - half a second that most processes never pay
    from colibri.scoring.kernels.choice import choose_kernel  # noqa: PLC0415

    with _state.building:
        found: Compiled | CompiledBits | None = _state.ready.get(kind)
        if found is None:
            began, chosen = time.perf_counter(), choose_kernel(name)
            found = build_bits(chosen) if kind == "bits" else build(chosen, kind)
            log.info("scoring %s with %s after %.1f s", kind, found.kernel, time.perf_counter() - began)
            _state.ready[kind] = found
    return found


def answering() -> dict[str, Any]:
    """Who answers here, and why, for people: `kernel`, `by` (which library file, or numba), `because`, and what else is
    `usable`; of NumPy what it costs; `problem` where a library lies here that is not used. Nothing is compiled to find
    out.

    Raises InputError when COLIBRI_KERNEL names what cannot run here.
    """
    name = wanted_kernel()
    asked = None if name is None else f"COLIBRI_KERNEL={name}"
    if name == "numpy":
        return {"kernel": "numpy", "because": asked, "cost": NUMPY_COSTS}
    here = library()
    ahead = list(here.kernels) if isinstance(here, Library) else []
    if isinstance(here, Library) and (name is None or name in ahead):
        because = asked or "this processor's fastest of those compiled ahead"
        return {"kernel": name or ahead[0], "by": str(here.file), "because": because, "usable": ["numpy", *ahead]}
    none_ahead = asked if isinstance(here, Library) else str(here)
    problem = {"problem": f"kernels compiled ahead are not used: {here}"} if isinstance(here, Refused) else {}
    why = why_numpy()
    if why is not None:
        return {"kernel": "numpy", "because": f"{none_ahead}, and {why}", "cost": NUMPY_COSTS} | problem
    from colibri.scoring.kernels.choice import choose_kernel, usable_kernels  # noqa: PLC0415

    chosen = choose_kernel(name)
    usable = ["numpy", *usable_kernels()]
    return {"kernel": chosen, "by": "numba", "because": asked or none_ahead, "usable": usable} | problem


def why_numpy() -> str | None:
    """Why NumPy will go on answering, or None: nothing is in the way of a kernel."""
    name = wanted_kernel()
    if name == "numpy":
        return "COLIBRI_KERNEL=numpy"
    if any(_ahead(kind, name) is not None for kind in KINDS):
        return None
    if util.find_spec("numba") is None:
        return "numba is not installed"
    return _compiler_off() or next(iter(_state.failed.values()), None)


def _compiler_off() -> str | None:
    """Why numba, which is here, compiles nothing; None: it does."""
    if "__compiled__" in globals():
        return "numba's compiler needs Python's bytecode, which a program that Nuitka made does not have"
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}:
        return "NUMBA_DISABLE_JIT turns numba's compiler off"
    return None


def _start(kind: Kind | Bits) -> threading.Event:
    """Compile it aside, once; the event tells when that has ended."""
    with _state.lock:
        if kind in _state.ended:
            return _state.ended[kind]
        ended = _state.ended[kind] = threading.Event()
    threading.Thread(target=_compile, args=(kind, ended), name=f"colibri-compile-{kind}", daemon=True).start()
    return ended


def _compile(kind: Kind | Bits, ended: threading.Event) -> None:
    try:
        compile_now(kind)
    # Whatever a compiler can fail with, scores are still to be had: from NumPy.
    except Exception as error:
        _state.failed[kind] = str(error)
        log.info("scoring %s stays with NumPy: %s", kind, error)
    finally:
        ended.set()


def _after_fork() -> None:
    """In a child, a compilation that was going on has lost its thread and left numba's locks held: never ask again."""
    global _state
    before, _state = _state, _State()
    _state.ready, _state.scored = before.ready, before.scored
    if before.building.locked():
        why = "this process was forked while its parent was compiling"
        _state.failed = dict.fromkeys([*KINDS, "bits"], why)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
