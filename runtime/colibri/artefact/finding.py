"""Find an artefact and read its manifest. `checking` proves that its files are what that says."""

import logging
import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from colibri.artefact import manifest_file, places
from colibri.artefact.hub import HubFiles, HubWish, hub_wish, open_repository
from colibri.artefact.manifest import Graph, Manifest, Variant
from colibri.errors import ArtefactError, ArtefactNotFound, InputTypeError, MissingExtra

DEFAULT = "colibri-mini"
"""Name of the artefact that comes with the package."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_OF_AN_INDEX = "index.sqlite"  # colibri.index, which stands on this floor; tests/artefact/test_finding.py compares
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT_COMMIT = 7  # digits that name one, as git shows them

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Artefact:
    """A folder with a manifest that could be read. Its other files are not checked yet: see `check_files`."""

    folder: Path
    manifest: Manifest
    hub: HubFiles | None = None
    """Where files that are not in the folder yet can be had; None: nowhere."""

    def path(self, name: str) -> Path:
        """Path of one of its files."""
        return self.folder / name

    def found_again(self) -> dict[str, str | None]:
        """What `find` takes to find it in another process: what came along by its name, a repository at its commit, a
        folder by its whole path."""
        if self.hub is not None:
            wish = self.hub.wish
            return {"name_or_path": self.hub.repo, "revision": wish.revision, "cache_dir": wish.cache_dir}
        whole = os.path.realpath(self.folder)
        if any(os.path.realpath(root / self.folder.name) == whole for root in places.shipped_roots()):
            return {"name_or_path": self.folder.name}
        return {"name_or_path": whole}

    def files_to_run(self, variant: Variant, graph: Graph) -> list[str]:
        """Every file that running this graph reads, small ones first."""
        names = [self.manifest.tokenizer.file, graph.query, graph.document, *variant.data]
        names += [self.manifest.tokenizer.unigram_file] if self.manifest.tokenizer.unigram_file else []
        names += [role.weights_file for role in (self.manifest.query, self.manifest.document) if role.weights_file]
        return sorted(set(names), key=lambda name: self.manifest.files[name].size_bytes)


def find(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> Artefact:
    """Open an artefact by name, folder, or hub id; None means the one that comes with the package.

    Looked for in this order, of which `places` tells the rest: what came along, by its folder's name; a folder that is
    an artefact; any artefact on the search path (COLIBRI_MODELS, ./, ./models, the user's own folder) whose name, alias
    or source this is; as a hub id ("owner/name") in a repository that has a colibri.json. That last one is the only
    case that may use the network: HF_HUB_OFFLINE=1 or `local_files_only` forbid it; `cache_dir` or HF_HOME says where
    files are kept, `token` opens what is not public. COLIBRI_ALIAS maps a name to another before all that, which a
    warning tells once.

    Where a name means several artefacts, the one that is taken is logged with the others. One that cannot be read is
    named in a warning and passed over.

    revision: a branch, tag or commit of a hub id; of an artefact that was exported, the commit of its source, or at
    least 7 digits of it. "main" is as none. One of another revision is never taken.

    Raises ArtefactNotFound when there is none, ArtefactError when its manifest is unreadable or of a newer format,
    MissingExtra for a hub id that would have to be fetched without the hub's client (the extra [hub]), InputError for a
    COLIBRI_ALIAS that maps nothing.
    """
    wish = hub_wish(cache_dir, revision, token, local_files_only)
    if name_or_path is not None and not isinstance(name_or_path, str | os.PathLike):
        raise InputTypeError(f"artefact: found {type(name_or_path).__name__}, wanted a name, a path or a hub id")
    if name_or_path is None:
        return _found(DEFAULT, wish)
    name = os.fspath(name_or_path)
    target = places.aliases().get(name)
    if target is None:
        return _found(name, wish)
    places.tell_once(f"{places.ALIAS}: {name} is {target} here")
    try:
        return _found(target, wish)
    except ArtefactNotFound as error:
        raise ArtefactNotFound(f"{places.ALIAS} maps {name} to {target}: {error}") from error


def _found(name: str, wish: HubWish) -> Artefact:
    roots = [root / name for root in places.shipped_roots() if name in places.names_in(root)]
    direct = [folder for folder in (*roots, Path(name)) if places.is_file(folder / manifest_file.FILE_NAME)][:1]
    problems: list[ArtefactError] = []
    others: list[Artefact] = []
    try:
        for folder in direct:
            if _is_of(found := _opened(folder), wish):
                return found
            others.append(found)
    except ArtefactError as error:
        problems.append(error)
    known = [one for one in places.meant(name) if one.folder not in direct]
    for one in known:
        try:
            found = _opened(one.folder)
        except ArtefactError as error:
            problems.append(error)
            continue
        if not _is_of(found, wish):
            others.append(found)
            continue
        for problem in problems:
            places.tell_once(f"{name}: passed over {problem}")
        _tell_others(name, one, [other for other in known if other is not one])
        return found
    if problems:
        raise problems[0]
    if others and not _HUB_ID.fullmatch(name):
        raise ArtefactNotFound(f"{name}: {_of_another(others[0], wish)}; leave it out, or export that one")
    if places.is_folder(Path(name)):
        if places.is_file(Path(name) / _OF_AN_INDEX):
            told = f"`colibri status --index {shlex.quote(name)}` says what it holds and which model made it"
            raise ArtefactNotFound(f"{name}: is an index, not an artefact; {told}")
        wanted = f"`colibri export {shlex.quote(name)} OUT` makes an artefact of a checkpoint"
        raise ArtefactNotFound(f"{name}: has no {manifest_file.FILE_NAME}; {wanted}")
    if _HUB_ID.fullmatch(name):
        return _of_hub(name, wish, others)
    there = sorted({*shipped(), *(one.name for one in places.held() if one.name)})
    raise ArtefactNotFound(
        f"{name}: no such artefact; there is {', '.join(there) or 'none'} here, or give a folder or a hub id "
        f"(`colibri models` lists what can be had)"
    )


def _opened(folder: Path) -> Artefact:
    return Artefact(folder, manifest_file.read_manifest(folder / manifest_file.FILE_NAME))


def _is_of(found: Artefact, wish: HubWish) -> bool:
    """Whether an artefact is of the revision that was asked for, if one was."""
    own = found.manifest.source.revision
    return not wish.wants_one or (own is not None and (own == wish.revision or _is_short(str(wish.revision), own)))


def _is_short(revision: str, commit: str) -> bool:
    return len(revision) >= _SHORT_COMMIT and _COMMIT.fullmatch(commit) is not None and commit.startswith(revision)


def _of_another(found: Artefact, wish: HubWish) -> str:
    source = found.manifest.source
    of = f"{source.name}, which has no revisions" if source.revision is None else f"{source.name} at {source.revision}"
    return f"{found.folder} was made of {of}, and revision {wish.revision} was asked for"


def _of_hub(name: str, wish: HubWish, others: Sequence[Artefact]) -> Artefact:
    """From its repository, or an error that says how to make an artefact and where it will be found. others: artefacts
    of that name, of other revisions than the one that was asked for."""
    try:
        folder, hub = open_repository(name, manifest_file.FILE_NAME, wish)
    except MissingExtra as error:
        here = f"{_of_another(others[0], wish)}; " if others else f"{name} is no artefact's folder or name here; "
        raise MissingExtra(f"{here}{error}") from error
    except ArtefactNotFound as error:
        user = places.user_models()
        where = f"in {user}" if user else "where you tell it"
        at = f" --revision {shlex.quote(str(wish.revision))}" if wish.wants_one else ""
        here = (
            _of_another(others[0], wish)
            if others
            else f"nor is {name} a folder here, or the name, alias or source of an artefact on the search path"
        )
        how = f"`colibri export {name}{at}{' OUT' if others else ''}` makes one"
        found = "it is found under this name from then on"
        raise ArtefactNotFound(f"{error}; {here}. {how}{'' if others else f' {where}, and {found}'}") from error
    return Artefact(folder, manifest_file.read_manifest(folder / manifest_file.FILE_NAME), hub)


def _tell_others(name: str, taken: places.Held, others: list[places.Held]) -> None:
    """Which of several was taken: loud where the others are another model, not where they are the same one again."""
    same = [str(one.folder) for one in others if one.space_id == taken.space_id]
    if same:
        log.info("%s: %s is taken; the same model lies in %s", name, taken.folder, ", ".join(same))
    for other in others:
        if other.space_id != taken.space_id and other.problem is None:
            places.tell_once(f"{name}: {taken.folder} is taken; {other.folder} is another model of that name")


def shipped() -> list[str]:
    """Names of the artefacts that came with this installation or checkout."""
    return sorted({name for root in places.shipped_roots() for name in places.names_in(root)})
