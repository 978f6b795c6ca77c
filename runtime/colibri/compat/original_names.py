"""Answering the original packages' import names for a whole program, so that not even an import line changes."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

from colibri.errors import InputError

OURS = {name: f"colibri.compat.{name}" for name in ("colbert", "ragatouille", "pylate", "sentence_transformers")}
"""Original import name -> our package of the same layout."""


def install(*names: str) -> None:
    """From now on `import colbert` (or "ragatouille", "pylate", "sentence_transformers") gives `colibri.compat`'s.

    One object under both names: `colbert.Searcher is colibri.compat.colbert.Searcher`, deep imports included. It holds
    for this process, whether or not the original is installed, and has to come before anything imports that one; a
    process that is spawned needs it again. Installing a name twice is fine.

    Raises InputError for a name there is no stand-in for, and where the original was imported already; then none of
    the names is installed.
    """
    if not names:
        raise InputError(f"install: no name given; there is {', '.join(OURS)}")
    for name in names:
        if name not in OURS:
            raise InputError(f"install: nothing here stands in for {name!r}; there is {', '.join(OURS)}")
        there = sys.modules.get(name)
        if there is not None and there is not sys.modules.get(OURS[name]):
            raise InputError(
                f"install: {name} was imported from {getattr(there, '__file__', None) or 'elsewhere'} before; call "
                "colibri.compat.install before anything imports it"
            )
    finder = next((found for found in sys.meta_path if isinstance(found, _Finder)), None)
    if finder is None:
        finder = _Finder()
        sys.meta_path.insert(0, finder)
    finder.names.update(names)


class _Finder(MetaPathFinder):
    """Finds modules of installed names, and leaves all others to whoever comes next."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root, _, inner = fullname.partition(".")
        if root not in self.names:
            return None
        ours = OURS[root] + (f".{inner}" if inner else "")
        if find_spec(ours) is None:
            said = f"No module named {fullname!r}: colibri.compat stands in for {root}, and has no {ours}"
            raise ModuleNotFoundError(said, name=fullname)
        return ModuleSpec(fullname, _Loader(ours), is_package=True)


class _Loader(Loader):
    """Gives one of our modules under another name, and leaves it as it is."""

    def __init__(self, ours: str) -> None:
        self._ours = ours
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self._ours)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # which the import system has just replaced by the other name's
