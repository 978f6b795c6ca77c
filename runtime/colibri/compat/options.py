"""Options of other packages that mean something else here, or nothing."""

import logging
from typing import TYPE_CHECKING, Any

from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.model import Colibri

log = logging.getLogger(__name__)

_PROVIDERS = {"cpu": "cpu", "cuda": "cuda", "mps": "coreml"}


def provider_for(device: Any) -> str:
    """The provider that `colibri.load` takes for a device in torch's words: None "auto", "cuda:1" and 0 "cuda".

    Whether it is here is for `load` to say (ProviderError). Raises InputError for a device that no provider stands for.
    """
    if device is None:
        return "auto"
    if isinstance(device, int) and not isinstance(device, bool):
        return "cuda"  # torch takes a number for that GPU
    word = str(device).partition(":")[0]
    if word not in _PROVIDERS:
        raise InputError(f"device: found {device!r}, wanted {', '.join(_PROVIDERS)} or None for the best there is")
    return _PROVIDERS[word]


def without_effect(where: str, **given: Any) -> None:
    """One debug line for those options that were given (are not None) and have nothing to do here."""
    if named := [name for name, value in given.items() if value is not None]:
        log.debug("%s: without effect here: %s", where, ", ".join(named))


def loaded(name: Any, *, device: Any = None, **options: Any) -> "Colibri":
    """A model as `colibri.load` finds it by name, folder, alias, source or hub id, on a device in torch's words.

    Raises as `colibri.load`.
    """
    from colibri.model import load

    return load(name, provider=provider_for(device), **options)
