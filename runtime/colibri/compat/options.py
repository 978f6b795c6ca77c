"""Options of other packages that mean something else here, or nothing; and the models that shims share."""

import os
import threading
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.model import Colibri

_PROVIDERS = {"cpu": "cpu", "cuda": "cuda", "mps": "coreml"}
_kept: "weakref.WeakValueDictionary[tuple[object, ...], Colibri]" = weakref.WeakValueDictionary()
_keeping = threading.Lock()


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
        import logging

        logging.getLogger(__name__).debug("%s: without effect here: %s", where, ", ".join(named))


def warn(said: str, *about: object) -> None:
    """A warning in the log of the shims, whose import loads no logging: that takes 5 ms."""
    import logging

    logging.getLogger("colibri.compat").warning(said, *about)


def hub_words(
    cache_folder: Any = None, revision: Any = None, token: Any = None, local_files_only: Any = None
) -> dict[str, Any]:
    """Hugging Face's words for how files of a hub id are had, as `colibri.load` takes those that were given."""
    given = {"cache_dir": cache_folder, "revision": revision, "token": token, "local_files_only": local_files_only}
    return {name: value for name, value in given.items() if value is not None}


def loaded(name: Any, *, device: Any = None, hub: Mapping[str, Any] | None = None, **options: Any) -> "Colibri":
    """A model as `colibri.load` finds it by name, folder, alias, source or hub id, on a device in torch's words.

    hub: what `hub_words` made. Those who ask for the same one while it is in use share it. A loaded model is given back
    as it is, which is refused where a revision was asked for. Options are those of `colibri.load`, and so are errors.
    """
    from colibri import artefact, model

    words = dict(hub or {})
    if isinstance(name, model.Colibri):
        if "revision" in words:
            raise InputError(f"revision: found {words['revision']!r} beside a loaded model; give it to colibri.load")
        return name
    provider = provider_for(device)
    with _keeping:
        found = artefact.find(name, **words)
        changed = os.stat(found.path(artefact.FILE_NAME)).st_mtime_ns  # noqa: PTH116
        key = (os.path.realpath(found.folder), changed, provider, *sorted(options.items()))
        kept = _kept.get(key)
        if kept is None:
            kept = _kept[key] = model.load(name, provider=provider, **words, **options)
        return kept
