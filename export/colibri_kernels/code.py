"""From a kernel and a kind of rows to LLVM code with plain C functions, before any optimiser has seen it.

numba compiles for the machine it runs on, and its optimiser makes code that only that machine's instructions can hold.
So its library is one that optimises nothing and is never finished; what it lowered is taken out as text.
"""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

import llvmlite.binding as llvm
import numba

from colibri.scoring.kernel import ARGUMENTS, BITS_ARGUMENTS
from colibri.scoring.kernels import build
from colibri.scoring.library import SIX_KIND, symbol
from colibri.scoring.names import FOUR, TURNED_KERNELS, Bits, Sixes
from colibri.vectors import Kind

_core: Any = import_module("numba.core")
for _name in ("codegen", "compiler", "registry", "types"):
    import_module(f"numba.core.{_name}")

_COUNTERS = ("NRT_incref", "NRT_decref")
"""Count who holds memory of numba's. No array here does, all being what the caller handed in: so they do nothing."""

_LAYOUT = re.compile(r"^target .*$", re.MULTILINE)


class _Unoptimised(_core.codegen.JITCodeLibrary):  # type: ignore[misc]
    def _optimize_functions(self, ll_module: Any) -> None:
        """Nothing: its passes would be those of this machine."""


_lowered_before: dict[tuple[str, Kind | Bits | Sixes], str] = {}
"""Of no target yet, so that all targets share it, whichever process made it."""


def codes(parts: Sequence[tuple[str, Kind | Bits | Sixes]], each: Callable[..., Iterable[Any]] = map) -> list[str]:
    """`code` of several kernels and kinds, each made once. each: what `map` does, as an executor's does."""
    new = [part for part in parts if part not in _lowered_before]
    _lowered_before.update(zip(new, each(code, *zip(*new, strict=True)) if new else (), strict=True))
    return [_lowered_before[part] for part in parts]


def code(kernel: str, kind: Kind | Bits | Sixes) -> str:
    """LLVM code of all functions of a kernel, under the names that `library.symbol` gives them, of no target yet."""
    if kind == "bits" or kind == SIX_KIND:  # noqa: PLR1714 - mypy narrows only so
        turned = TURNED_KERNELS.get(kernel, 0)
        arguments, functions = BITS_ARGUMENTS, _bits(turned if kind == SIX_KIND else min(turned, FOUR))
    else:
        arguments, functions = ARGUMENTS, _rows(kernel, kind)
    whole: Any = None
    for name, (module, own) in functions.items():
        own_name = f"{kernel}_{kind}_{name}".replace("-", "_")
        text = module.replace(f'@"{own}"', f"@{own_name}").replace(f"@{own}", f"@{own_name}")
        for counter in _COUNTERS:
            text = re.sub(rf"^declare ([^@]*@{counter}\(.*\)).*$", r"define \1 { ret void }", text, flags=re.MULTILINE)
        text += _entry(symbol(kernel, kind, name), own_name, arguments[name])
        parsed = llvm.parse_assembly(_LAYOUT.sub("", text))
        _only(parsed, symbol(kernel, kind, name))
        if whole is None:
            whole = parsed
        else:
            whole.link_in(parsed)
    return str(whole)


@functools.cache
def _bits(turned: int) -> dict[str, tuple[str, str]]:
    """As `_lowered` has the functions of sign bits, which are the same for all kernels that turn rows alike."""
    callee = numba.njit(nogil=True, inline="always")
    texts, signatures = build.bits_functions(turned, "ahead", callee), build.BITS_SIGNATURES
    return {name: _lowered(text, BITS_ARGUMENTS[name], signatures[name]) for name, text in texts.items()}


def _rows(kernel: str, kind: Kind) -> dict[str, tuple[str, str]]:
    """The same of a kernel's for rows."""
    # Inlined: of a function that is called, numba would make this machine's code.
    callee = numba.njit(nogil=True, inline="always")
    texts = build.functions(build.recipe(kernel, kind), "ahead", callee)
    return {name: _lowered(text, ARGUMENTS[name], build.SIGNATURES[name]) for name, text in texts.items()}


def _lowered(function: Any, count: int, signature: str) -> tuple[str, str]:
    """The module that numba made of a function, and the function's name in it."""
    flags = _core.compiler.Flags()
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.nrt = True  # carray wants it
    target = _core.registry.cpu_target
    typing, context = target.typing_context, target.target_context
    typing.refresh()
    context.refresh()
    types = _core.types
    library = _Unoptimised(context.codegen(), function.__name__)
    result = types.void if signature.startswith("void") else types.int64
    arguments = (types.int64,) * count
    made = _core.compiler.compile_extra(typing, context, function, arguments, result, flags, {}, library=library)
    module = llvm.parse_assembly(library.get_llvm_str())
    linked: set[str] = set()
    for other in library._linking_libraries:  # carray's, which numba has finished: it holds no loop
        text = other.get_llvm_str()
        if other.name != "nrt" and text not in linked:
            linked.add(text)
            module.link_in(llvm.parse_assembly(text))
    return str(module), made.fndesc.mangled_name


def _entry(name: str, inner: str, count: int) -> str:
    """A C function that calls numba's, whose result goes through memory and whose status is always 0."""
    arguments = ", ".join(f"i64 %a{i}" for i in range(count))
    return f"""
define i64 @{name}({arguments}) {{
  %result = alloca i64
  %error = alloca ptr
  store i64 0, ptr %result
  %status = call i32 @{inner}(ptr %result, ptr %error, {arguments})
  %value = load i64, ptr %result
  ret i64 %value
}}
"""


def _only(module: Any, name: str) -> None:
    """Let a module show one function, and everything else be part of it."""
    for function in module.functions:
        if not function.is_declaration and function.name != name:
            function.linkage = "internal"
            function.add_function_attribute("alwaysinline")
    for variable in module.global_variables:
        if not variable.is_declaration:
            variable.linkage = "internal"
