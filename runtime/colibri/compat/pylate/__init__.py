"""PyLate 1.6.0 as its users import it: `models`, `indexes`, `retrieve`, `rank`, `scores`.

    from colibri.compat.pylate import indexes, models, retrieve      # was: from pylate import ...

What trains (`losses`, `utils`, `evaluation`) is not here.
"""

from importlib import import_module
from typing import Any

_PARTS = ("evaluation", "indexes", "losses", "models", "rank", "retrieve", "scores", "utils")

__all__ = list(_PARTS)


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_PARTS)
