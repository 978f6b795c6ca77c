"""The optimum door: encoders without a builder of ours, through optimum's ONNX export (extra [optimum]: torch).

A fallback. Its graphs are masked and of standard operators, so there is no maskless variant, and cpu-int8 is
onnxruntime's dynamic quantisation. From the graph on, the road is the one every artefact goes.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
import torch
from optimum.exporters.onnx import export as export_onnx
from optimum.exporters.tasks import TasksManager
from tokenizers import Tokenizer

from colibri.artefact import Architecture, Graph, Role, Variant
from colibri.errors import ExportError
from colibri.providers import CPU
from colibri_export import layout
from colibri_export.checkpoint import Checkpoint, open_checkpoint
from colibri_export.heads import Head
from colibri_export.layout import Layout
from colibri_export.optimum_graph import OPSET, quantize, with_heads
from colibri_export.optimum_model import architecture_of, layout_of, load, quiet
from colibri_export.sample_texts import DOCUMENTS, QUERIES
from colibri_export.weights import StoredDense, write_heads

NAMES = ("cpu-int8", "portable")
"""In order of preference."""

log = logging.getLogger(__name__)

_MINIMUM_ONNXRUNTIME = "1.20"
_LEAST_COSINE = 0.99999


class OptimumDoor:
    """One checkpoint, loaded by transformers. Nothing of it is executed but transformers' own code."""

    def __init__(self, folder: Path) -> None:
        """Raises ExportError when transformers or optimum do not know the model, or tensors are missing or unknown."""
        loaded: list[Any] = []

        def find(config: Mapping[str, Any], where: str) -> tuple[Layout, Architecture]:
            encoder = Path(where).parent
            model = load(encoder)
            loaded.append(model)
            architecture = architecture_of(model, config, where)
            return layout_of(encoder, architecture), architecture

        self.checkpoint = open_checkpoint(folder, find)
        self._model = loaded[0]
        if self._model.config.model_type in layout.MODEL_TYPES:
            log.warning("%s has a builder of ours: without --via optimum its graphs are smaller and faster", folder)

    def choose(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """The variants to make, in order of preference; None: all it gives. Raises ExportError for others."""
        if names is None:
            return NAMES
        if not names or set(names) - set(NAMES) or len(set(names)) < len(names):
            raise ExportError(f"variants {','.join(names)}: --via optimum gives {', '.join(NAMES)}, none twice")
        return tuple(names)

    def workshop(self, heads: Mapping[int, Head], folder: Path, scratch: Path) -> "OptimumWorkshop":
        """What writes variants into `folder`. scratch: for optimum's own files."""
        return OptimumWorkshop(self.checkpoint, heads, folder, scratch, self._model)


@dataclass(frozen=True)
class OptimumWorkshop:
    """Writes variants of one checkpoint into one folder, as colibri_export.variants.Workshop does."""

    checkpoint: Checkpoint
    heads: Mapping[int, Head]
    folder: Path
    scratch: Path
    _model: Any

    @property
    def reference(self) -> str:
        """The variant that the others are compared with."""
        return "portable"

    def for_roles(self, query: Role, document: Role) -> "OptimumWorkshop":
        """The same: its graphs take texts of any role."""
        return self

    def elsewhere(self, folder: Path) -> "OptimumWorkshop":
        """The same for another folder."""
        return replace(self, folder=folder)

    def write(self, name: str) -> Variant:
        """Write one variant's graph and weights; `parity` is left open."""
        if name == "portable":
            return self._variant(name, self._exported(), "float32", "backbone.f32.bin")
        quantized = self.scratch / "optimum-int8.onnx"
        quantize(self._exported(), quantized)
        return self._variant(name, quantized, "int8", "backbone.int8.bin")

    def _exported(self) -> Path:
        """optimum's graph, once; compared with the model it was made from."""
        path = self.scratch / "optimum" / "model.onnx"
        if not path.exists():
            path.parent.mkdir()
            _export(self._model, path)
            _compare(self._model, path, self.checkpoint)
        return path

    def _variant(self, name: str, source: Path, precision: Literal["float32", "int8"], backbone: str) -> Variant:
        masked = with_heads(source, self.folder / f"{name}.onnx", self.folder / backbone, self._head_weights)
        graph = Graph(
            query=f"{name}.onnx",
            document=f"{name}.onnx",
            any_cpu_feature=(),
            masked_query=masked,
            masked_document=masked,
            parity=None,
        )
        data = (backbone, "heads.f32.bin")
        return Variant(
            precision=precision,
            providers=(CPU,),
            minimum_onnxruntime=_MINIMUM_ONNXRUNTIME,
            outputs={str(dim): f"tokens_{dim}" for dim in self.heads},
            graphs=(graph,),
            data=data,
            size_bytes=sum((self.folder / file).stat().st_size for file in (graph.document, *data)),
            engine=None,
        )

    @cached_property
    def _head_weights(self) -> dict[int, tuple[StoredDense, ...]]:
        return write_heads(self.heads, self.folder / "heads.f32.bin")


def _export(model: Any, path: Path) -> None:
    family = model.config.model_type
    try:
        with quiet():
            make = TasksManager.get_exporter_config_constructor(
                "onnx", model, task="feature-extraction", library_name="transformers"
            )
            export_onnx(model, make(model.config), path, opset=OPSET, device="cpu")
    except Exception as error:  # so do optimum and torch's tracer
        raise ExportError(f"optimum cannot export {family} ({error})") from error


def _compare(model: Any, path: Path, checkpoint: Checkpoint) -> None:
    """Rows of the graph against transformers' own, over the sample texts, whole and with the second half hidden.

    Raises ExportError with the number.
    """
    tokenizer = Tokenizer.from_file(str(checkpoint.folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(checkpoint.architecture.max_positions)
    # A thread each: two pools of spinning threads on one machine's cores took five times as long.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=[CPU])
    inputs = {value.name for value in session.get_inputs()}
    least = 1.0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for text, part in product((*QUERIES, *DOCUMENTS), (1, 2) if "attention_mask" in inputs else (1,)):
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        seen = np.arange(ids.size)[None] < -(-ids.size // part)
        feeds = {"input_ids": ids, "attention_mask": seen.astype(np.int64), "token_type_ids": np.zeros_like(ids)}
        feeds = {name: array for name, array in feeds.items() if name in inputs}
        found = session.run(["last_hidden_state"], feeds)[0][0]
        with torch.inference_mode():
            truth = (
                model(**{name: torch.from_numpy(array) for name, array in feeds.items()}).last_hidden_state[0].numpy()
            )
        norms = np.linalg.norm(found, axis=1) * np.linalg.norm(truth, axis=1)
        least = min(least, float((np.einsum("td,td->t", found, truth, dtype=np.float64) / norms).min()))
    torch.set_num_threads(threads)
    if not least >= _LEAST_COSINE:
        raise ExportError(f"optimum's graph is too far from transformers: cosine {least:.6f}, wanted {_LEAST_COSINE}")
    log.info("optimum's graph against transformers: least cosine of a row %.7f", least)
