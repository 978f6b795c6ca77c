"""One graph loaded into ONNX Runtime."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from colibri.errors import ProviderError
from colibri.vectors import Rows


class Session:
    """A loaded graph: token ids in, named outputs out. Threads may share it."""

    def __init__(self, path: Path, provider: str, *, threads: int, masked: bool) -> None:
        """threads: cores one run may use. masked: whether the graph takes an attention mask."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # The graphs are written as they shall run; what is left to fold (u8 weights) is basic. Higher levels
        # only loaded slower and ran no faster (benchmarks/NOTES.md).
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        try:
            self._session = onnxruntime.InferenceSession(os.fspath(path), options, providers=[provider])
        except Exception as error:  # onnxruntime raises classes of its own without a common public one
            raise ProviderError(
                f"{path.name}: onnxruntime {onnxruntime.__version__} cannot load it ({error})"
            ) from error
        self._masked = masked

    def run(self, ids: NDArray[np.int64], attended: NDArray[np.bool_], outputs: Sequence[str]) -> list[Rows]:
        """Run one text.

        ids (n,) int64, attended (n,) bool -> for each output name (n, dim) float32.
        """
        feeds: dict[str, NDArray[np.int64]] = {"input_ids": ids[None]}
        if self._masked:
            feeds["attention_mask"] = attended[None].astype(np.int64)
        results: list[Rows] = [output[0] for output in self._session.run(list(outputs), feeds)]
        return results
