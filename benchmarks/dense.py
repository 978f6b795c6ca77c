"""The yardstick of one vector a text: the same backbone, its rows averaged instead of kept."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from tqdm import tqdm

from colibri.artefact import Artefact, file_sha256
from colibri.errors import InputError
from colibri.manifest import RoleName
from colibri.providers import CPU, available_cores
from colibri.session import Session
from colibri.tokenizer import Encoded, TextTokenizer
from colibri_export.checkpoint import Checkpoint, open_checkpoint
from colibri_export.graph import bert
from colibri_export.graph.blocks import FloatWeights, GraphBuilder
from colibri_export.weights import write_float

Floats = NDArray[np.float32]

_TEXTS_AT_ONCE = 256  # tokenised together
_OUTPUT = "hidden"


class DenseEncoder:
    """A checkpoint's backbone in float32, reading exactly the ids that the artefact's tokenizer makes."""

    def __init__(self, folder: Path, artefact: Artefact) -> None:
        """folder: the Hugging Face checkpoint the artefact was exported from.

        Raises InputError when it is of another shape than the artefact, ExportError when it cannot be read.
        """
        checkpoint = open_checkpoint(folder)
        if checkpoint.architecture != artefact.manifest.architecture:
            raise InputError(f"{folder}: its architecture is not that of {artefact.manifest.name}")
        self.sha256 = file_sha256(folder / "model.safetensors")
        self.space_id = artefact.manifest.space_id
        self.dim = checkpoint.architecture.hidden
        self._manifest = artefact.manifest
        self._tokenizer = TextTokenizer(artefact)
        with tempfile.TemporaryDirectory() as workshop:
            graph = _write_graph(checkpoint, Path(workshop))
            self._session = Session(graph, CPU, threads=available_cores(), masked=False)

    def encode(self, texts: Sequence[str], role: RoleName) -> Floats:
        """Mean over all rows (start, prefix and end too) of the last layer, then unit length: (n, hidden) float32.

        Expansion tokens the other tokens must not see are left out.
        """
        means = np.empty((len(texts), self.dim), np.float32)
        for i, encoded in enumerate(tqdm(self._encoded(texts, role), f"dense {role} texts", len(texts), leave=False)):
            ids = encoded.ids[encoded.attended]
            means[i] = self._session.run(ids, np.ones(len(ids), np.bool_), [_OUTPUT])[0].mean(axis=0)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return means

    def _encoded(self, texts: Sequence[str], role: RoleName) -> Iterator[Encoded]:
        for first in range(0, len(texts), _TEXTS_AT_ONCE):
            yield from self._tokenizer.encode(texts[first : first + _TEXTS_AT_ONCE], self._manifest.role(role))


def _write_graph(checkpoint: Checkpoint, folder: Path) -> Path:
    architecture = checkpoint.architecture
    g = GraphBuilder("fused", masked=False)
    weights = FloatWeights(write_float(checkpoint, folder / "backbone.f32.bin"))
    rows = bert.hidden_states(g, architecture, weights)
    ir.save(g.finish({_OUTPUT: (rows, architecture.hidden)}, architecture.family), folder / "dense.onnx")
    return folder / "dense.onnx"
