"""Pack a model's weights once for all processes of this machine.

onnxruntime lays out the matrices of each session anew, in memory of its own. Saved beside the optimised graph they are
mapped instead: of colibri-mini a second session takes 2 MB in place of 28, and the first a third of the time
(benchmarks/NOTES.md).
"""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import onnxruntime

from colibri.artefact import Artefact, check_files
from colibri.encoding.session import session_options
from colibri.encoding.weights_given import give_weights
from colibri.errors import ProviderError
from colibri.machine import try_lock, unlock
from colibri.providers import (
    CPU,
    PACKED_GRAPH,
    PACKED_WEIGHTS,
    Choice,
    Packed,
    Settings,
    find_packed,
    note_packed,
    packed_folder,
)

log = logging.getLogger(__name__)

_UNFINISHED, _LOCK = "unfinished-", ".packing"
_LOOK_AGAIN_S = 0.05  # colibri-mini is packed in a second
_SMALLEST = "1024"  # bytes of a tensor that is kept outside the graph; below, pages are no gain


def packed_for(artefact: Artefact, choice: Choice, root: Path | None, *, tell: bool = True) -> Packed:
    """What was packed for this processor and onnxruntime, whole; root: the folder of all such things, or None. tell:
    whether the log says why something is not used."""
    return find_packed(artefact, choice, onnxruntime.__version__, root, tell=tell)


def prepack(artefact: Artefact, choice: Choice, root: Path) -> dict[str, Path]:
    """Pack the graphs of a choice for the CPU, but those that are packed already: file name of a graph -> its packed
    form, below `root`. Of several processes one packs at a time, and the others take what it made.

    Raises ArtefactError where the artefact is damaged, ProviderError for another provider or where onnxruntime cannot,
    OSError where nothing can be written.
    """
    if choice.provider != CPU:
        raise ProviderError(f"weights are packed for the CPU; {choice.variant_name} was chosen for {choice.provider}")
    names = list(dict.fromkeys((choice.graph.query, choice.graph.document)))
    found = dict(packed_for(artefact, choice, root).graphs)
    if found.keys() >= set(names):
        return found
    check_files(artefact, [*names, *choice.variant.data])
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(root):
        found = dict(packed_for(artefact, choice, root, tell=False).graphs)
        for name in names:
            if name not in found:
                found[name] = _pack(artefact, choice, name, root)
    return found


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """While no other process packs below `root`. What those left who were killed at it is removed: 99 MB each."""
    with ExitStack() as stack:
        if _locked(root, stack):
            for left in root.glob(f"{_UNFINISHED}*"):
                shutil.rmtree(left, ignore_errors=True)
        yield


def _locked(root: Path, stack: ExitStack) -> bool:
    """Wait for the lock, kept until the stack ends; False where there is none to be had: no file system has it all."""
    try:
        number = stack.enter_context((root / _LOCK).open("ab")).fileno()
        while not try_lock(number):
            time.sleep(_LOOK_AGAIN_S)
    except OSError as error:
        log.info("%s: %s; another process may pack the same", root / _LOCK, error.strerror)
        return False
    stack.callback(unlock, number)
    return True


def _pack(artefact: Artefact, choice: Choice, name: str, root: Path) -> Path:
    """One graph, in a folder that gets its name when all is in it."""
    folder = packed_folder(artefact, choice, name, onnxruntime.__version__, root)
    with tempfile.TemporaryDirectory(dir=root, prefix=_UNFINISHED, ignore_cleanup_errors=True) as scratch:
        place = Path(scratch) / "packed"
        place.mkdir()
        _save(artefact.path(name), place)
        note_packed(artefact, choice, name, onnxruntime.__version__, place)
        shutil.rmtree(folder, ignore_errors=True)  # what is there was found not to be whole
        place.rename(folder)
    return folder / PACKED_GRAPH


def _save(graph: Path, folder: Path) -> None:
    """The graph as a session has it before it runs, and its weights as it has packed them."""
    options = session_options(1, Settings(), spin=False)
    options.optimized_model_filepath = os.fspath(folder / PACKED_GRAPH)
    for key, value in (
        ("session.optimized_model_external_initializers_file_name", PACKED_WEIGHTS),
        ("session.optimized_model_external_initializers_min_size_in_bytes", _SMALLEST),
        ("session.save_external_prepacked_constant_initializers", "1"),
    ):
        options.add_session_config_entry(key, value)
    try:
        given = give_weights(graph, options)
        onnxruntime.InferenceSession(os.fspath(graph), options, providers=[CPU], enable_fallback=0)
        del given
    except Exception as error:  # onnxruntime raises classes of its own without a common public one
        said = " ".join(str(error).split())
        raise ProviderError(f"{graph.name}: onnxruntime {onnxruntime.__version__} cannot pack it ({said})") from error
    if not (folder / PACKED_WEIGHTS).is_file():
        raise ProviderError(f"{graph.name}: onnxruntime {onnxruntime.__version__} kept no weights outside the graph")
