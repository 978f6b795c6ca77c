"""One graph loaded into ONNX Runtime."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from colibri.errors import ProviderError
from colibri.manifest import Profile
from colibri.vectors import Rows


class Session:
    """A loaded graph: token ids in, named outputs out. Threads may share it."""

    def __init__(
        self, path: Path, provider: str, *, threads: int, masked: bool, profiles: Sequence[Profile] = ()
    ) -> None:
        """threads: cores one run may use. masked: whether the graph takes an attention mask. profiles: of an engine."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # The graphs are written as they shall run; what is left to fold (u8 weights) is basic. Higher levels
        # only loaded slower and ran no faster (benchmarks/NOTES.md).
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        # The order of the file. The default runs the casts that gpu-fp16 needs on a CPU first, for all weights at once:
        # 1.9 GB instead of 0.7 GB at 560 million parameters.
        options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
        # onnxruntime's plan of which output may take over which buffer keeps large ones alive through a layer: one
        # 8,192-token document of jina-colbert-v2's size needed 784 MB with it and 457 MB without (benchmarks/NOTES.md).
        options.enable_mem_reuse = False
        # Names of the TensorRT-RTX provider (onnxruntime, nv_provider_options.h); without them profile 0 serves all.
        provider_options = {"nv_multi_profile_enable": "1"} if profiles else {}
        try:
            self._session = onnxruntime.InferenceSession(
                os.fspath(path), options, providers=[(provider, provider_options)]
            )
        except Exception as error:  # onnxruntime raises classes of its own without a common public one
            raise ProviderError(
                f"{path.name}: onnxruntime {onnxruntime.__version__} cannot load it ({error})"
            ) from error
        self._masked = masked
        self._profiles = tuple(profiles)

    def run(self, ids: NDArray[np.int64], attended: NDArray[np.bool_], outputs: Sequence[str]) -> list[Rows]:
        """Run one text.

        ids (n,) int64, attended (n,) bool -> for each output name (n, dim) float32. Raises ProviderError where an
        engine has no profile for n tokens.
        """
        feeds: dict[str, NDArray[np.int64]] = {"input_ids": ids[None]}
        if self._masked:
            feeds["attention_mask"] = attended[None].astype(np.int64)
        options = None
        if self._profiles:
            options = onnxruntime.RunOptions()
            options.add_run_config_entry("nv_profile_index", str(profile_index(self._profiles, 1, len(ids))))
        results: list[Rows] = [output[0] for output in self._session.run(list(outputs), feeds, options)]
        return results


def profile_index(profiles: Sequence[Profile], texts: int, tokens: int) -> int:
    """The first of an engine's profiles that takes an input of this shape, whatever role it was meant for."""
    for i, profile in enumerate(profiles):
        (fewest, shortest), (most, longest) = profile.minimum, profile.maximum
        if fewest <= texts <= most and shortest <= tokens <= longest:
            return i
    taken = ", ".join(f"{p.minimum} to {p.maximum}" for p in profiles)
    raise ProviderError(f"no profile of the engine takes {texts} x {tokens} tokens; there is {taken}")
