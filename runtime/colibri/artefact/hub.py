"""Files of a hub repository, fetched when they are needed and kept in the hub's own cache.

Fetching is the hub's client's (the extra [hub]); what the cache holds is read without it.
"""

import logging
import os
import re
from dataclasses import dataclass, field, replace
from importlib import util
from pathlib import Path

from colibri import machine
from colibri.artefact.hub_cache import asks_no_hub, cached_file
from colibri.errors import ArtefactNotFound, InputError, InputTypeError, MissingExtra
from colibri.machine import can_be, home, temporary_folder, why_no_home

log = logging.getLogger(__name__)

# What git takes in no name.
_NO_REVISION = re.compile(r"\.\.|^[/-]|[\x00-\x20\x7f\\~^:?*\[]")
_HUB_SECONDS = 10  # as the client waits for an answer
_NOT_CACHED = "not in the local hub cache"


@dataclass(frozen=True)
class HubWish:
    """How a caller wants files of a hub id to be had. token: a text, True (the one that is stored), False (none)."""

    cache_dir: str | None = None
    revision: str | None = None
    token: str | bool | None = field(default=None, repr=False)
    local_files_only: bool = False

    @property
    def wants_one(self) -> bool:
        """Whether a revision was asked for that not every artefact of that source is of."""
        return self.revision not in (None, "main")


def hub_wish(
    cache_dir: str | os.PathLike[str] | None, revision: object, token: object, local_files_only: object
) -> HubWish:
    """Of what a caller gave. Raises InputError."""
    if revision is not None and (not isinstance(revision, str) or not revision):
        raise InputTypeError(f"revision: found {revision!r}, wanted a branch, tag or commit, or None")
    if revision and _NO_REVISION.search(revision):
        raise InputError(f"revision: found {revision!r}, wanted a branch, tag or commit, as git names them")
    if token is not None and not isinstance(token, str | bool):
        raise InputTypeError(f"token: found {type(token).__name__}, wanted a text, True, False or None")
    if token == "":
        raise InputError("token: an empty text, wanted a token, or None for the one that is stored")
    if local_files_only is not None and not isinstance(local_files_only, bool):
        raise InputTypeError(f"local_files_only: found {local_files_only!r}, wanted True or False")
    cache = None if cache_dir is None else os.fspath(cache_dir)
    return HubWish(cache, revision, token, bool(local_files_only))


@dataclass(frozen=True)
class HubFiles:
    """One repository at one revision, that of `wish`."""

    repo: str
    wish: HubWish

    def fetch(self, name: str) -> Path:
        """The local path of a file, downloaded if the cache lacks it (HF_HUB_OFFLINE=1 forbids that).

        Raises ArtefactNotFound when it cannot be had, MissingExtra when it would have to be fetched without the client.
        """
        if not has_client():
            return self._without_client(name)
        prepare_client()
        # 0.3 s to import, and only hub ids need it.
        from huggingface_hub import hf_hub_download  # noqa: PLC0415
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415

        wish = self.wish
        try:
            if not wish.local_files_only:
                self._refuse_without_hub(name)
            found = hf_hub_download(
                self.repo,
                name,
                revision=wish.revision,
                cache_dir=wish.cache_dir,
                token=wish.token,
                local_files_only=wish.local_files_only,
            )
            return Path(found)
        except LocalEntryNotFoundError as error:
            why = "local_files_only asks no hub" if wish.local_files_only else "the hub cannot be reached"
            raise ArtefactNotFound(f"{self.repo}: {name} is {_NOT_CACHED}, and {why}") from error
        except (HfHubHTTPError, HFValidationError) as error:
            raise ArtefactNotFound(f"{self.repo}: {name}: {error}") from error

    def _without_client(self, name: str) -> Path:
        """From the cache. Of a branch that is the commit the cache knows: nobody is there to ask for a newer one."""
        found = cached_file(self.repo, name, self.wish.cache_dir, self.wish.revision)
        if found is not None:
            return found
        if self.wish.local_files_only or asks_no_hub():
            why = "local_files_only asks no hub" if self.wish.local_files_only else "HF_HUB_OFFLINE asks no hub"
            raise ArtefactNotFound(f"{self.repo}: {name} is {_NOT_CACHED}, and {why}")
        raise MissingExtra(f"{self.repo}: {name} is {_NOT_CACHED}, and {client_wanted('to fetch it')}")

    def _refuse_without_hub(self, name: str) -> None:
        """Of a file that is not cached ask once whether there is a hub: the client asks six times and more, which takes
        24 s and as many lines on stderr, before it says that there is none. What a hub answers is the client's to
        tell."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache  # noqa: PLC0415
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

        wish = self.wish
        if isinstance(try_to_load_from_cache(self.repo, name, wish.cache_dir, wish.revision), str):
            return
        url = hf_hub_url(self.repo, name, revision=wish.revision)
        try:
            get_hf_file_metadata(url, timeout=_HUB_SECONDS, token=wish.token)
        except HfHubHTTPError:
            return
        except Exception as error:  # of requests, httpx or httpx2, as the client's version has it
            raise LocalEntryNotFoundError(str(error)) from error


def has_client() -> bool:
    """Whether the hub's client is installed."""
    return util.find_spec("huggingface_hub") is not None


def client_wanted(what_for: str) -> str:
    """What a MissingExtra says where the client is not installed."""
    return f"there is no huggingface_hub {what_for} (colibri-edge[hub]): {machine.install_command('hub')}"


def prepare_client() -> None:
    """What the hub's client is to find in the environment, which it reads when it is imported.

    Without a home folder it would keep its files in a folder named "~"; they go to a temporary one instead.
    """
    # Unset, the client asks its hub for a list of programs, to report which of them called it.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if os.environ.get("HF_HOME") or os.environ.get("XDG_CACHE_HOME"):
        return
    user = home()
    kept = user and user / ".cache" / "huggingface"
    if kept is not None and can_be(kept):
        return
    why = why_no_home() if kept is None else f"{kept} cannot be made"
    place = temporary_folder() / "huggingface"
    os.environ["HF_HOME"] = str(place)
    log.warning("%s; files of hub ids are kept in %s, or where HF_HOME says", why, place)


def open_repository(repo: str, manifest_name: str, wish: HubWish) -> tuple[Path, HubFiles]:
    """Fetch the manifest of a repository, of the main branch unless another revision is wished.

    Returns the folder that holds it and the files of that same commit, so that a push in between mixes nothing.
    """
    manifest = HubFiles(repo, wish).fetch(manifest_name)
    return manifest.parent, HubFiles(repo, replace(wish, revision=manifest.parent.name))
