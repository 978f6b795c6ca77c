"""The API reference, made from docstrings by pdoc: build/docs/index.html. `run.py docs` runs this.

    python docs/api.py [FOLDER]

A page for `colibri` and for each door that hands on names (docs/architecture.md), with every name that it hands on. A
warning of pdoc's, and a public name that would be missing or has no docstring, end it with 1.
"""

import html
import inspect
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pdoc

ROOT = Path(__file__).resolve().parents[1]
WORDS = ("explain", "golden", "model", "errors", "vectors")
"""What lies beside the wings for users to import."""


def modules() -> list[ModuleType]:
    """The facade, the words beside the wings, and the doors; each name loaded, for whoever looks at a module's own."""
    runtime = ROOT / "runtime" / "colibri"
    wings = sorted(path.parent.name for path in runtime.glob("*/__init__.py") if path.parent.name != "cli")
    found = [import_module(name) for name in ("colibri", *(f"colibri.{name}" for name in (*WORDS, *wings)))]
    for module in found:
        for name in public_names(module):
            setattr(module, name, getattr(module, name))
    return found


def public_names(module: ModuleType) -> list[str]:
    """What it hands on: by __all__, by its door, or as its own."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    if "__getattr__" in vars(module):
        return sorted(name for name in dir(module) if not name.startswith("_"))
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    return sorted(name for name in own if not name.startswith("_"))


def missing(folder: Path, module: ModuleType) -> Iterator[str]:
    """A line for each public name that the module's page does not hold, or that says nothing of itself."""
    parts = module.__name__.split(".")
    page = folder.joinpath(*parts[:-1], f"{parts[-1]}.html").read_text(encoding="utf-8")
    for name in public_names(module):
        if f'id="{html.escape(name)}"' not in page:
            yield f"{module.__name__}.{name}: is not in the reference"
        value = getattr(module, name)
        said = (getattr(value, "__doc__", None) or "").strip()
        # A dataclass without one has its signature there.
        if (inspect.isclass(value) or inspect.isroutine(value)) and (not said or said.startswith(f"{name}(")):
            yield f"{module.__name__}.{name}: has no docstring"


def main() -> int:
    """Write it; 1 if anything is missing."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs"
    warnings.simplefilter("error")
    # Fields of a TypedDict know no module; pdoc's guess, where they stand, is right.
    warnings.filterwarnings("ignore", r"Cannot determine where colibri\.[\w.]*Options\.\w+ is taken from")
    found = modules()
    for module in found:  # pdoc documents what __all__ says, and our doors say it by __dir__
        vars(module)["__all__"] = public_names(module)
    pdoc.render.configure(docformat="markdown", template_directory=ROOT / "docs" / "api", footer_text="Colibri")
    pdoc.pdoc(*(module.__name__ for module in found), output_directory=folder)
    lines = [line for module in found for line in missing(folder, module)]
    for line in lines:
        print(line, file=sys.stderr)
    names = sum(len(public_names(module)) for module in found)
    print(f"{folder / 'index.html'}: {len(found)} modules, {names} names")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
