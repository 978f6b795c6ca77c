"""Files of a hub repository, fetched when they are needed and kept in the hub's own cache."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from colibri.errors import ArtefactNotFound
from colibri.machine import can_be, home, temporary_folder, why_no_home

log = logging.getLogger(__name__)

_HUB_SECONDS = 10  # as the client waits for an answer


@dataclass(frozen=True)
class HubFiles:
    """One repository at one revision."""

    repo: str
    revision: str | None
    cache_dir: str | None

    def fetch(self, name: str) -> Path:
        """The local path of a file, downloaded if the cache lacks it (HF_HUB_OFFLINE=1 forbids that).

        Raises ArtefactNotFound when it cannot be had.
        """
        prepare_client()
        # 0.3 s to import, and only hub ids need it.
        from huggingface_hub import hf_hub_download  # noqa: PLC0415
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415

        try:
            self._refuse_without_hub(name)
            return Path(hf_hub_download(self.repo, name, revision=self.revision, cache_dir=self.cache_dir))
        except LocalEntryNotFoundError as error:
            reason = "not in the local hub cache, and the hub cannot be reached"
            raise ArtefactNotFound(f"{self.repo}: {name} is {reason}") from error
        except (HfHubHTTPError, HFValidationError) as error:
            raise ArtefactNotFound(f"{self.repo}: {name}: {error}") from error

    def _refuse_without_hub(self, name: str) -> None:
        """Of a file that is not cached ask once whether there is a hub: the client asks six times and more, which takes
        24 s and as many lines on stderr, before it says that there is none. What a hub answers is the client's to
        tell."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache  # noqa: PLC0415
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

        if isinstance(try_to_load_from_cache(self.repo, name, self.cache_dir, self.revision), str):
            return
        url = hf_hub_url(self.repo, name, revision=self.revision)
        try:
            get_hf_file_metadata(url, timeout=_HUB_SECONDS)
        except HfHubHTTPError:
            return
        except Exception as error:  # of requests, httpx or httpx2, as the client's version has it
            raise LocalEntryNotFoundError(str(error)) from error


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


def open_repository(repo: str, manifest_name: str, cache_dir: str | os.PathLike[str] | None) -> tuple[Path, HubFiles]:
    """Fetch the manifest of a repository's main branch.

    Returns the folder that holds it and the files of that same revision, so that a push in between mixes nothing.
    """
    cache = None if cache_dir is None else os.fspath(cache_dir)
    manifest = HubFiles(repo, None, cache).fetch(manifest_name)
    return manifest.parent, HubFiles(repo, manifest.parent.name, cache)
