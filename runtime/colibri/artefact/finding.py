"""Find an artefact, read its manifest, and prove that its files are what the manifest says."""

import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from colibri.artefact import manifest_file
from colibri.artefact.hashing import file_sha256
from colibri.artefact.hub import HubFiles, open_repository
from colibri.artefact.manifest import Graph, Manifest, Variant
from colibri.errors import ArtefactError, ArtefactNotFound, InputTypeError
from colibri.machine import physical_cores

DEFAULT = "colibri-mini"
"""Name of the artefact that comes with the package."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_PACKAGE = Path(__file__).resolve().parents[1]


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

    def files_to_run(self, variant: Variant, graph: Graph) -> list[str]:
        """Every file that running this graph reads, small ones first."""
        names = [self.manifest.tokenizer.file, graph.query, graph.document, *variant.data]
        names += [self.manifest.tokenizer.unigram_file] if self.manifest.tokenizer.unigram_file else []
        names += [role.weights_file for role in (self.manifest.query, self.manifest.document) if role.weights_file]
        return sorted(set(names), key=lambda name: self.manifest.files[name].size_bytes)


def find(
    name_or_path: str | os.PathLike[str] | None = None, *, cache_dir: str | os.PathLike[str] | None = None
) -> Artefact:
    """Open an artefact by shipped name, folder, or hub id; None means the one that comes with the package.

    Looked for in this order: beside the installed package; in the checkout's models/ (editable installs); as a folder;
    as a hub id ("owner/name": the only case that may use the network; HF_HUB_OFFLINE=1 forbids it; `cache_dir` or
    HF_HOME says where files are kept).

    Raises ArtefactNotFound when there is none, ArtefactError when its manifest is unreadable or of a newer format.
    """
    if name_or_path is not None and not isinstance(name_or_path, str | os.PathLike):
        raise InputTypeError(f"artefact: found {type(name_or_path).__name__}, wanted a name, a path or a hub id")
    name = os.fspath(name_or_path) if name_or_path is not None else DEFAULT
    for folder in (*(root / name for root in _shipped_roots() if name in _names_in(root)), Path(name)):
        if _is_file(folder / manifest_file.FILE_NAME):
            return Artefact(folder, manifest_file.read_manifest(folder / manifest_file.FILE_NAME))
    if _is_folder(Path(name)):
        raise ArtefactNotFound(f"{name}: has no {manifest_file.FILE_NAME}; `colibri export` makes artefacts")
    if _HUB_ID.fullmatch(name):
        try:
            folder, hub = open_repository(name, manifest_file.FILE_NAME, cache_dir)
        except ArtefactNotFound as error:
            raise ArtefactNotFound(f"{error}; nor is {name} a folder here") from error
        return Artefact(folder, manifest_file.read_manifest(folder / manifest_file.FILE_NAME), hub)
    raise ArtefactNotFound(
        f"{name}: no such artefact; there is {', '.join(shipped()) or 'none'} here, or give a folder or a hub id"
    )


def shipped() -> list[str]:
    """Names of the artefacts that came with this installation or checkout."""
    return sorted({name for root in _shipped_roots() for name in _names_in(root)})


def check_files(artefact: Artefact, names: Iterable[str] | None = None) -> None:
    """Compare files (all, or the named ones) with the manifest's sizes and SHA-256, on all cores.

    Files of a hub id are fetched first, so only what is used is downloaded.

    Raises ArtefactError that names every missing or changed file, ArtefactNotFound when the hub does not give one.
    """
    found = {name: _size_problem(artefact, name) for name in (artefact.manifest.files if names is None else names)}
    pieces = _pieces(artefact, [name for name, problem in found.items() if problem is None], whole=True)
    with ThreadPoolExecutor(physical_cores()) as pool:
        _refuse(artefact, [*found.values(), *pool.map(lambda piece: _hash_problem(artefact, *piece), pieces)])


@contextmanager
def files_checked(artefact: Artefact, names: Iterable[str]) -> Iterator[None]:
    """As `check_files`, but what holds nothing but tensors is hashed while the body loads it: 1.2 GB take 0.8 s of a
    core, and the manifest has the hashes of their parts, so that there are two and more.

    Sizes, and whatever gets parsed, are compared before: tensors that changed can only give other numbers.

    Raises ArtefactError as `check_files` does, at the end of the body or in place of what the body raised; Ctrl-C in
    the body ends the hashing as well.
    """
    names = list(names)
    variants = artefact.manifest.variants.values()
    tensors = {name for variant in variants if variant.engine is None for name in variant.data}.intersection(names)
    _refuse(artefact, [_size_problem(artefact, name) for name in names])
    with ThreadPoolExecutor(physical_cores()) as pool:

        def hashed(some: Iterable[str]) -> list[Future[str | None]]:
            return [pool.submit(_hash_problem, artefact, *piece) for piece in _pieces(artefact, some)]

        _refuse(artefact, [done.result() for done in hashed(name for name in names if name not in tensors)])
        running = hashed(sorted(tensors))
        try:
            yield
        except Exception:  # changed bytes may well be its cause, and are what there is to mend
            _refuse(artefact, [done.result() for done in running])
            raise
        except BaseException:  # Ctrl-C waits for no gigabyte
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        _refuse(artefact, [done.result() for done in running])


def _pieces(artefact: Artefact, names: Iterable[str], *, whole: bool = False) -> Iterator[tuple[str, int | None]]:
    """What has a SHA-256 of its own: files, or the parts of those that have some. whole: both."""
    for name in names:
        parts = artefact.manifest.files[name].parts_sha256
        if whole or not parts:
            yield name, None
        yield from ((name, part) for part in range(len(parts)))


def _size_problem(artefact: Artefact, name: str) -> str | None:
    if artefact.hub is not None:
        artefact.hub.fetch(name)
    wanted = artefact.manifest.files[name].size_bytes
    try:
        found = artefact.path(name).stat().st_size
    except FileNotFoundError:
        return f"{name}: missing"
    except OSError as error:
        return f"{name}: cannot be read ({error.strerror})"
    return None if found == wanted else f"{name}: {found} bytes, wanted {wanted}"


def _hash_problem(artefact: Artefact, name: str, part: int | None) -> str | None:
    entry = artefact.manifest.files[name]
    wanted = entry.sha256 if part is None else entry.parts_sha256[part]
    try:
        if file_sha256(artefact.path(name), part) != wanted:
            return f"{name}: its bytes changed (SHA-256 differs)"
    except OSError as error:
        return f"{name}: cannot be read ({error.strerror})"
    return None


def _refuse(artefact: Artefact, found: Iterable[str | None]) -> None:
    if problems := list(dict.fromkeys(problem for problem in found if problem)):
        raise ArtefactError(f"{artefact.folder}: {'; '.join(problems)}. Install or export it again.")


def _shipped_roots() -> tuple[Path, ...]:
    """Folders that may hold shipped artefacts: inside the wheel, then the checkout of an editable install."""
    checkout = _PACKAGE.parents[1]
    return (_PACKAGE / "artefacts", *([checkout / "models"] if _is_file(checkout / "pyproject.toml") else []))


def _names_in(root: Path) -> list[str]:
    folders = root.iterdir() if _is_folder(root) else ()
    return [folder.name for folder in folders if _is_file(folder / manifest_file.FILE_NAME)]


def _is_file(path: Path) -> bool:
    """A name that no file system takes (too long, with NUL) is no file, nor is one in a folder closed to us."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for those


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - as above
