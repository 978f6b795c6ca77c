"""Whether a framework is here, in a version that was tried."""

import re
from importlib import metadata

from colibri.errors import MissingExtra
from colibri.machine import install_command

__all__ = ["require"]


def require(module: str, distribution: str, least: str, below: str, extra: str) -> None:
    """Refuse to go on without `distribution` from version `least` on and before `below`.

    module  what needs it, such as "colibri.compat.langchain"; extra: which of ours brings it. Both bounds are those of
            that extra in pyproject.toml (tests/compat/test_versions.py)

    Raises MissingExtra, an ImportError, that names the versions found and wanted and what to type.
    """
    try:
        found = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        found = None
    if found is not None and _release(least) <= _release(found) < _release(below):
        return
    wanted = f"{distribution}>={least},<{below} (colibri-edge[{extra}])"
    said = f" needs {wanted}" if found is None else f": found {distribution} {found}, wanted {wanted}"
    raise MissingExtra(f"{module}{said}: {install_command(extra)}")


def _release(version: str) -> tuple[int, ...]:
    """A version's numbers without zeros at their end, whatever stands behind them; () where it begins with none."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = list(map(int, found[0].split("."))) if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
