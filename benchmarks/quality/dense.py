"""The yardstick of one vector a text: the same backbone, its rows averaged instead of kept."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from tqdm import tqdm

from colibri import providers
from colibri.artefact.finding import Artefact
from colibri.artefact.manifest import RoleName
from colibri.encoding.session import Session
from colibri.machine.cores import available_cores
from colibri.tokens.tokenizer import Encoded, TextTokenizer

Floats = NDArray[np.float32]

_TEXTS_AT_ONCE = 256  # tokenised together
_FLOAT = "cpu-fp32"


class DenseEncoder:
    """An artefact's own backbone: the graph it ships, with the rows that go into the heads as one more output.

    In float32 where the artefact has that variant, else in the variant this machine would run.
    """

    def __init__(self, artefact: Artefact) -> None:
        self.space_id = artefact.manifest.space_id
        self.dim = artefact.manifest.architecture.hidden
        named = _FLOAT if _FLOAT in artefact.manifest.variants else None
        available, version = onnxruntime.get_available_providers(), onnxruntime.__version__
        choice = providers.choose(artefact.manifest, named, providers.cpu_features(), available, version)
        self.variant = choice.variant_name
        self.sha256 = [artefact.manifest.files[name].sha256 for name in (choice.graph.document, *choice.variant.data)]
        self._manifest = artefact.manifest
        self._tokenizer = TextTokenizer(artefact)
        with tempfile.TemporaryDirectory() as folder:
            # Copied, since onnxruntime refuses weights whose real path lies outside the graph's folder.
            for name in choice.variant.data:
                shutil.copy(artefact.path(name), folder)
            graph, self._rows = _with_rows(artefact.path(choice.graph.document), Path(folder, "dense.onnx"))
            masked, threads = choice.graph.masked_document, available_cores()
            self._session = Session(graph, choice.provider, threads=threads, masked=masked)

    def encode(self, texts: Sequence[str], role: RoleName) -> Floats:
        """Mean over all rows (start, prefix and end too) of the last layer, then unit length: (n, hidden) float32.

        Expansion tokens the other tokens must not see are left out.
        """
        means = np.empty((len(texts), self.dim), np.float32)
        for i, encoded in enumerate(tqdm(self._encoded(texts, role), f"dense {role} texts", len(texts), leave=False)):
            ids = encoded.ids[encoded.attended]
            means[i] = self._session.run(ids, np.ones(len(ids), np.bool_), [self._rows])[0].mean(axis=0)
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        return means

    def _encoded(self, texts: Sequence[str], role: RoleName) -> Iterator[Encoded]:
        for first in range(0, len(texts), _TEXTS_AT_ONCE):
            yield from self._tokenizer.encode(texts[first : first + _TEXTS_AT_ONCE], self._manifest.role(role))


def _with_rows(source: Path, target: Path) -> tuple[Path, str]:
    """Write the graph with the heads' common input as an output; its path and the output's name."""
    model = onnx.load(source, load_external_data=False)
    rows: str = next(n for n in model.graph.node if any(i.startswith("head.") for i in n.input)).input[0]
    model.graph.output.append(onnx.helper.make_tensor_value_info(rows, onnx.TensorProto.FLOAT, None))
    onnx.save(model, target)
    return target, rows
