"""Pack a model's weights once for all processes of this machine.

onnxruntime lays out the matrices of each session anew, in memory of its own. Saved beside the optimised graph they are
mapped instead: of colibri-mini a second session takes 2 MB in place of 28, and the first a third of the time
(benchmarks/NOTES.md).
"""

import logging
import os
import shutil
import tempfile
from pathlib import Path

import onnxruntime

from colibri.artefact import Artefact, check_files
from colibri.encoding.session import session_options
from colibri.encoding.weights_given import give_weights
from colibri.errors import ProviderError
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

_SMALLEST = "1024"  # bytes of a tensor that is kept outside the graph; below, pages are no gain


def packed_for(artefact: Artefact, choice: Choice, root: Path | None) -> Packed:
    """What was packed for this processor and onnxruntime, whole; root: the folder of all such things, or None."""
    return find_packed(artefact, choice, onnxruntime.__version__, root)


def prepack(artefact: Artefact, choice: Choice, root: Path) -> dict[str, Path]:
    """Pack the graphs of a choice for the CPU, but those that are packed already: file name of a graph -> its packed
    form, below `root`.

    Raises ArtefactError where the artefact is damaged, ProviderError for another provider or where onnxruntime cannot,
    OSError where nothing can be written.
    """
    if choice.provider != CPU:
        raise ProviderError(f"weights are packed for the CPU; {choice.variant_name} was chosen for {choice.provider}")
    found = dict(packed_for(artefact, choice, root).graphs)
    wanted = [name for name in dict.fromkeys((choice.graph.query, choice.graph.document)) if name not in found]
    if wanted:
        check_files(artefact, [*wanted, *choice.variant.data])
    for name in wanted:
        folder = packed_folder(artefact, choice, name, onnxruntime.__version__, root)
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=root, prefix="unfinished-", ignore_cleanup_errors=True) as scratch:
            place = Path(scratch) / "packed"
            place.mkdir()
            _save(artefact.path(name), place)
            note_packed(artefact, choice, name, onnxruntime.__version__, place)
            shutil.rmtree(folder, ignore_errors=True)  # what is there was found not to be whole
            place.rename(folder)
        found[name] = folder / PACKED_GRAPH
    return found


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
