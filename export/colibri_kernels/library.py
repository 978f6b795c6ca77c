"""A platform's library: all its kernels compiled and linked, looked into, and what it is said beside it."""

import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import llvmlite
import numba

from colibri.errors import InputError
from colibri.scoring import KINDS
from colibri.scoring.kernel import ARGUMENTS, BITS_ARGUMENTS
from colibri.scoring.kernels import build as recipes
from colibri.scoring.library import SIX_KIND, file_name, symbol, version
from colibri.scoring.names import SIX, SIX_NEED, TURNED_KERNELS, Bits, Sixes
from colibri.vectors import Kind
from colibri_kernels.code import codes
from colibri_kernels.linking import link, linker_for
from colibri_kernels.objects import object_file
from colibri_kernels.support import support
from colibri_kernels.symbols import signed, symbols
from colibri_kernels.targets import Processor, Target

log = logging.getLogger(__name__)


def _what(kernel: str) -> dict[Kind | Bits | Sixes, dict[str, int]]:
    """What a kernel scores, and the functions that it does it with."""
    some: dict[Kind | Bits | Sixes, dict[str, int]] = {**dict.fromkeys(KINDS, ARGUMENTS), "bits": BITS_ARGUMENTS}
    return some | ({SIX_KIND: BITS_ARGUMENTS} if TURNED_KERNELS.get(kernel) == SIX else {})


_ASKED = {"colibri_kernels_version"}
_ASKED_X86 = {"colibri_cpuid", "colibri_xgetbv"}

# zig's linker puts these into every library for macOS, where libSystem is always there.
_MACOS_SHOWS = {"__dso_handle", "_mh_dylib_header"}
_MACOS_ASKS = {"dyld_stub_binder"}


def build(
    target: Target,
    out: Path,
    linker: str | None = None,
    kernels: Iterable[str] | None = None,
    each: Callable[..., Iterable[Any]] = map,
) -> Path:
    """Build a target's library into a folder, with its JSON beside it; none is built where one of these sources lies
    there already. Returns the library's path.

    kernels: at least these; None: all. each: what `map` does, as an executor's does it on all cores. Raises
    MissingExtra without a linker, InputError when the linker fails or what it made asks for anything; then nothing has
    been written.
    """
    wanted = [name for name in target.processors if kernels is None or name in set(kernels)]
    if up_to_date(target, out, wanted):
        return out / file_name(target.name)
    chosen = linker_for(target, linker)
    began = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".building-") as folder:
        objects = [_write(Path(folder) / "support.o", _support(target))]
        parts = [(name, kind) for name in wanted for kind in _what(name)]
        processors = [_processor(target, *part) for part in parts]
        made = each(object_file, codes(parts, each), [target.triple] * len(parts), processors)
        objects += [
            _write(Path(folder) / f"{name}-{kind}.o", data) for (name, kind), data in zip(parts, made, strict=True)
        ]
        linked = Path(folder) / file_name(target.name)
        link(target, objects, linked, chosen)
        data = linked.read_bytes()
        check(target, data, wanted)
        facts = _facts(target, data, wanted)
        told = _write(Path(folder) / "facts.json", (json.dumps(facts, indent=1) + "\n").encode())
        library = linked.replace(out / linked.name)
        told.replace(out / f"{target.name}.json")
    log.info("%s: %d KB by %s after %.0f s", library, len(data) // 1024, chosen, time.perf_counter() - began)
    return library


def up_to_date(target: Target, out: Path, kernels: Iterable[str]) -> bool:
    """Whether a folder holds the library that would be built, or one with further kernels."""
    try:
        said = json.loads((out / f"{target.name}.json").read_bytes())
        found = hashlib.sha256((out / file_name(target.name)).read_bytes()).hexdigest()
        return (said["sources"], said["sha256"]) == (sources(target), found) and set(said["kernels"]) >= set(kernels)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check(target: Target, data: bytes, kernels: Iterable[str]) -> None:
    """Raise InputError unless a library is what is wanted: its exports and no others, and nothing asked for."""
    found = symbols(data)
    wanted = {
        symbol(name, kind, function) for name in kernels for kind, some in _what(name).items() for function in some
    }
    wanted |= _ASKED
    if target.name.endswith("x86_64"):
        wanted |= _ASKED_X86
    asked = set()
    if target.name.startswith("macos"):
        wanted, asked = wanted | _MACOS_SHOWS, _MACOS_ASKS
    if not target.name.endswith(found.machine):
        raise InputError(f"{target.name}: the linker made a library for {found.machine}")
    if found.exports != wanted:
        differ = ", ".join(sorted(found.exports ^ wanted))
        raise InputError(f"{target.name}: what the library shows is not what it should: {differ}")
    if found.imports - asked:
        raise InputError(f"{target.name}: the library asks for {', '.join(sorted(found.imports - asked))}")
    if target.name == "macos-aarch64" and not signed(data):
        raise InputError(f"{target.name}: the linker did not sign the library")


def sources(target: Target) -> str:
    """Of all texts that a target's kernels are made of, and what makes them: a library of another is out of date."""
    runtime, own = Path(recipes.__file__).parent, Path(__file__).parent
    made_by = ("code.py", "linking.py", "objects.py", "targets.py")
    said = (runtime.parent / name for name in ("kernel.py", "names.py", "shapes.py"))
    files = [*sorted(runtime.glob("*.py")), *said, *(own / name for name in made_by)]
    parts = [path.read_bytes() for path in files]
    parts.append(_support_code(target).encode())
    parts.append(f"{target} {numba.__version__} {llvmlite.__version__}".encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _facts(target: Target, data: bytes, kernels: Iterable[str]) -> dict[str, Any]:
    """What `colibri.scoring.library` reads."""
    return {
        "version": version(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "sources": sources(target),
        "kernels": {
            name: {
                "needs": list(target.processors[name].needs),
                "kinds": {kind: _layout(name, kind) for kind in KINDS},
            }
            | ({SIX_KIND: [SIX_NEED]} if SIX_KIND in _what(name) else {})
            for name in kernels
        },
    }


def _processor(target: Target, kernel: str, kind: Kind | Bits | Sixes) -> Processor:
    """What a kernel for a kind of rows is compiled for."""
    own = target.processors[kernel]
    return replace(own, features=f"{own.features},+{SIX_NEED}") if kind == SIX_KIND else own


def _layout(name: str, kind: Kind) -> dict[str, int]:
    return recipes.layout(recipes.recipe(name, kind))


def _support(target: Target) -> bytes:
    plain = Processor("x86-64" if target.name.endswith("x86_64") else "generic", "", ())
    return object_file(_support_code(target), target.triple, plain)


def _support_code(target: Target) -> str:
    return support(target.name.endswith("x86_64"), target.name.startswith("macos"), version())


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
