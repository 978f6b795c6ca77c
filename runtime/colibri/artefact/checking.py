"""Prove that an artefact's files are what its manifest says: their sizes and SHA-256."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType

from colibri.artefact.finding import Artefact
from colibri.artefact.hashing import file_sha256
from colibri.errors import ArtefactError
from colibri.machine import physical_cores


def check_files(artefact: Artefact, names: Iterable[str] | None = None) -> None:
    """Compare files (all, or the named ones) with the manifest's sizes and SHA-256, on all cores.

    Files of a hub id are fetched first, so only what is used is downloaded.

    Raises ArtefactError that names every missing or changed file, ArtefactNotFound when the hub does not give one.
    """
    found = {name: _size_problem(artefact, name) for name in (artefact.manifest.files if names is None else names)}
    pieces = _pieces(artefact, [name for name, problem in found.items() if problem is None], whole=True)
    with ThreadPoolExecutor(physical_cores()) as pool:
        _refuse(artefact, [*found.values(), *pool.map(lambda piece: _hash_problem(artefact, *piece), pieces)])


class Checking:
    """Compares files while they are loaded and before: a context, in which each is hashed once.

    1.2 GB take 0.8 s of a core, and the manifest has the hashes of their parts, so that there are two and more.
    """

    def __init__(self, artefact: Artefact) -> None:
        self._artefact = artefact
        self._pool = ThreadPoolExecutor(physical_cores())
        self._running: dict[str, list[Future[str | None]]] = {}

    def __enter__(self) -> "Checking":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves no thread, but after Ctrl-C, which waits for no gigabyte; what nobody asked about is given up."""
        self._pool.shutdown(wait=error is None or isinstance(error, Exception), cancel_futures=True)

    def begin(self, names: Iterable[str]) -> None:
        """Hash files that will probably be asked about, if they are here; nothing is said of them yet."""
        for name in names:
            try:
                size = self._artefact.path(name).stat().st_size
            except OSError:
                continue
            if size == self._artefact.manifest.files[name].size_bytes:
                self._hash(name)

    @contextmanager
    def checked(self, names: Iterable[str]) -> Iterator[None]:
        """As `check_files`, but what holds nothing but tensors is hashed while the body loads it.

        Sizes, and whatever gets parsed, are compared before: tensors that changed can only give other numbers.

        Raises ArtefactError as `check_files` does, at the end of the body or in place of what the body raised.
        """
        names = list(names)
        variants = self._artefact.manifest.variants.values()
        tensors = {name for variant in variants if variant.engine is None for name in variant.data}.intersection(names)
        _refuse(self._artefact, [_size_problem(self._artefact, name) for name in names])
        parsed = self._hashed(name for name in names if name not in tensors)
        _refuse(self._artefact, [done.result() for done in parsed])
        running = self._hashed(sorted(tensors))
        try:
            yield
        except Exception:  # changed bytes may well be its cause, and are what there is to mend
            _refuse(self._artefact, [done.result() for done in running])
            raise
        _refuse(self._artefact, [done.result() for done in running])

    def _hashed(self, names: Iterable[str]) -> list[Future[str | None]]:
        return [done for name in names for done in self._hash(name)]

    def _hash(self, name: str) -> list[Future[str | None]]:
        if name not in self._running:
            pieces = _pieces(self._artefact, [name])
            self._running[name] = [self._pool.submit(_hash_problem, self._artefact, *piece) for piece in pieces]
        return self._running[name]


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
