"""A checkpoint by hub id: the folder in the hub's own cache, with only the files an export reads."""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path
from typing import Any

from colibri.artefact import Source, client_wanted, has_client, prepare_client
from colibri.errors import ExportError, MissingExtra
from colibri_export.hub_weights import fetch_weights

log = logging.getLogger(__name__)

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MODULE_PATH = re.compile(r"[\w-][\w.-]*", re.ASCII)
_INDEX = "model.safetensors.index.json"
_METADATA = (
    "config.json",
    "artifact.metadata",
    "modules.json",
    "config_sentence_transformers.json",
    "sentence_*_config.json",
    "[0-9]*_MultiVectorMask/config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    _INDEX,
)
_WEIGHTS = ("model.safetensors", "model-[0-9]*-of-[0-9]*.safetensors")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_FOLDER = "give a folder with its config.json, safetensors and tokenizer.json instead"
_OTHER_WAYS = (
    f"HF_ENDPOINT=URL asks a mirror, HF_HUB_OFFLINE=1 (or --offline) takes what an earlier download left, or {_FOLDER}"
)


@dataclass(frozen=True, kw_only=True)
class Hub:
    """How hub ids are resolved."""

    offline: bool = False
    """Take what the cache has and ask nobody; HF_HUB_OFFLINE=1 says the same."""
    cache_dir: Path | None = None
    """Where downloads are kept; None: the hub client's own place (HF_HOME, HF_HUB_CACHE)."""


@dataclass(frozen=True)
class Located:
    """Where a checkpoint or head lies on this machine."""

    path: Path
    source: Source | None
    """Hub id and commit; None for a path."""


def is_hub_id(text: str) -> bool:
    """Whether a text names a repository: "owner/name", and nothing of that name lies here."""
    return bool(_HUB_ID.fullmatch(text)) and not Path(text).exists()


def locate(
    text: str, revision: str | None = None, *, hub: Hub, require: Callable[[Path], object] = lambda folder: None
) -> Located:
    """A path as it is; a hub id as the local folder of its checkpoint, downloaded as far as the cache lacks it.

    revision  branch, tag or commit; None: the main branch
    require   what must hold of the folder of a hub id's metadata, before weights are downloaded into it; raises if not

    Only safetensors, tokenizer and metadata are fetched, never pickles or code. A download that was cut off goes on
    where it stopped. Raises ExportError when the repository, the revision or its safetensors cannot be had,
    MissingExtra without the hub's client.
    """
    if not is_hub_id(text):
        return Located(Path(text), None)
    _require_client(text)
    folder = _cached_commit(text, revision, hub) or _fetched(text, revision, hub, require)
    log.info("%s: commit %s, %s", text, folder.name, folder)
    return Located(folder, Source(kind="hub", name=text, revision=folder.name, files={}))


def locate_metadata(text: str, revision: str | None = None, *, hub: Hub) -> Path:
    """A path as it is; of a hub id the folder of its small files, downloaded without weights. Raises as `locate`."""
    if not is_hub_id(text):
        return Path(text)
    _require_client(text)
    return _download(text, revision, _METADATA, hub)


def _require_client(repo: str) -> None:
    """The extra [export] brings it; a folder's export does without."""
    if not has_client():
        raise MissingExtra(f"{repo}: {client_wanted('to fetch it')}; or {_FOLDER}")


def _cached_commit(repo: str, revision: str | None, hub: Hub) -> Path | None:
    """The snapshot of a commit, if all of it is here: commits do not change, so nobody needs to be asked."""
    if revision is None or not _COMMIT.fullmatch(revision):
        return None
    with suppress(ExportError):
        return _fetched(repo, revision, replace(hub, offline=True))
    return None


def _fetched(
    repo: str, revision: str | None, hub: Hub, require: Callable[[Path], object] = lambda folder: None
) -> Path:
    folder = _download(repo, revision, _METADATA, hub)
    require(folder)
    modules = _modules(folder)
    if _missing(folder, modules):
        if not is_offline(hub):
            _fetch_weights(repo, folder, modules, hub)
        inside = [f"{escape(module)}/{name}" for module in modules for name in (*_METADATA, *_WEIGHTS)]
        # By its commit, so that a push in between mixes nothing.
        folder = _download(repo, folder.name, (*_METADATA, *_WEIGHTS, *inside), hub)
    _require_whole(repo, folder, modules, hub)
    return folder


def is_offline(hub: Hub) -> bool:
    """Whether nothing may be asked of the network."""
    prepare_client()
    # 0.3 s to import, and only hub ids need it.
    from huggingface_hub import constants  # noqa: PLC0415

    return hub.offline or bool(constants.HF_HUB_OFFLINE)


def _download(repo: str, revision: str | None, patterns: tuple[str, ...], hub: Hub) -> Path:
    offline = is_offline(hub)
    from huggingface_hub import snapshot_download  # noqa: PLC0415

    with _explained(repo, revision, offline=offline):
        folder = snapshot_download(
            repo,
            revision=revision,
            cache_dir=hub.cache_dir,
            local_files_only=offline,
            allow_patterns=list(patterns),
        )
    return Path(folder)


@contextmanager
def _explained(repo: str, revision: str | None, *, offline: bool) -> Iterator[None]:
    """The hub client's errors as ours."""
    from huggingface_hub import constants, errors  # noqa: PLC0415

    at = f"{repo} at {revision}" if revision else repo
    try:
        yield
    except errors.GatedRepoError as error:
        page = f"{constants.ENDPOINT}/{repo}"
        raise ExportError(f"{repo}: gated; accept its terms at {page}, then log in with `hf auth login`") from error
    except errors.RepositoryNotFoundError as error:
        reason = f"no such folder here, and no such repository on the hub {constants.ENDPOINT}"
        private = "a private one wants `hf auth login`, one of another hub or a mirror HF_ENDPOINT=URL"
        raise ExportError(f"{repo}: {reason}; {private}") from error
    except errors.RevisionNotFoundError as error:
        raise ExportError(f"{at}: the repository has no such branch, tag or commit") from error
    except errors.LocalEntryNotFoundError as error:
        if offline:
            reason = "not in the local hub cache, and offline nothing is downloaded"
            once = "download it once without --offline and HF_HUB_OFFLINE"
            raise ExportError(f"{at}: {reason}; {once}, or {_FOLDER}") from error
        reason = f"not in the local hub cache, and the hub cannot be reached at {constants.ENDPOINT} ({error})"
        raise ExportError(f"{at}: {reason}; {_OTHER_WAYS}") from error
    except errors.HFValidationError as error:
        raise ExportError(f"{repo}: not a hub id ({error})") from error
    except (
        Exception
    ) as error:  # what its transport raises differs between versions (requests, httpx), and disks fill up
        raise ExportError(
            f"{at}: the download from {constants.ENDPOINT} stopped ({error or type(error).__name__}); the same command "
            f"goes on from there; {_OTHER_WAYS}"
        ) from error


def _fetch_weights(repo: str, folder: Path, modules: Mapping[str, str], hub: Hub) -> None:
    for place in ("", *modules):
        for name in _weights(folder / place) or ["model.safetensors"]:
            file = f"{place}/{name}" if place else name
            if not (folder / file).exists():
                with _explained(repo, folder.name, offline=False):
                    fetch_weights(repo, folder.name, file, hub.cache_dir)


def _modules(folder: Path) -> dict[str, str]:
    """Subfolder -> type, as modules.json (sentence-transformers, PyLate) has them."""
    path = folder / "modules.json"
    if not path.is_file():
        return {}
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        modules = {str(module["path"]): str(module["type"]) for module in listed if module["path"] != ""}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ExportError(f"{path}: wanted a list of modules with path and type ({error!r})") from error
    if bad := [name for name in modules if not _MODULE_PATH.fullmatch(name)]:
        raise ExportError(f"{path}: path {bad[0]!r}, wanted the name of a folder beside it")
    return modules


def _missing(folder: Path, modules: Mapping[str, str]) -> list[str]:
    """What an export needs and the snapshot lacks."""
    # The backbone lies at the top, or (older sentence-transformers) in the first module's folder.
    place = next((name for name in ("", *list(modules)[:1]) if _weights(folder / name)), "")
    wanted = [
        f"{place}/{name}" for name in (*(_weights(folder / place) or _WEIGHTS[:1]), "config.json", "tokenizer.json")
    ]
    dense = [name for name, kind in modules.items() if kind.rpartition(".")[2] == "Dense"]
    wanted += [f"{name}/{file}" for name in dense for file in ("config.json", "model.safetensors")]
    return [name.strip("/") for name in wanted if not (folder / name.strip("/")).is_file()]


def _require_whole(repo: str, folder: Path, modules: Mapping[str, str], hub: Hub) -> None:
    missing = _missing(folder, modules)
    if not missing:
        return
    weights = [name for name in missing if name.endswith("model.safetensors")]
    places = tuple(name.removesuffix("model.safetensors") for name in weights)
    pickles = (
        sorted(
            name
            for name in _all_files(repo, folder, hub)
            if name.endswith(_PICKLES) and f"{name.rpartition('/')[0]}/".lstrip("/") in places
        )
        if weights
        else []
    )
    if pickles:
        why = f"only pickles ({', '.join(pickles[:3])}), which can run code when they are loaded, so none ever is here"
        raise ExportError(
            f"{repo}: {why}; wanted {', '.join(weights)}. Of a folder "
            "that you downloaded, --convert-pickles reads tensors without running them"
        )
    again = " in the local hub cache; run it once without --offline" if is_offline(hub) else ""
    raise ExportError(f"{repo} at {folder.name}: no {', '.join(missing)}{again}")


def _weights(folder: Path) -> list[str]:
    """Names of the weight files that a folder has or, by its index, should have; none where it has neither."""
    if (folder / "model.safetensors").is_file():
        return ["model.safetensors"]
    if not (folder / _INDEX).is_file():
        return []
    try:
        index: dict[str, Any] = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        return sorted({str(name) for name in index["weight_map"].values()})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ExportError(f"{folder / _INDEX}: wanted weight_map, tensor to file ({error!r})") from error


def _all_files(repo: str, folder: Path, hub: Hub) -> list[str]:
    """Every file of the repository's commit; offline those that the cache has."""
    from huggingface_hub import HfApi  # noqa: PLC0415

    if is_offline(hub):
        return [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
    with _explained(repo, folder.name, offline=False):
        return list(HfApi().list_repo_files(repo, revision=folder.name))
