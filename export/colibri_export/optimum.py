"""The optimum door: encoders without a builder of ours, through optimum's ONNX export (extra [optimum]: torch).

A fallback. Its graphs are masked and of standard operators, so there is no maskless variant, and cpu-int8 is
onnxruntime's dynamic quantisation. From the graph on, the road is the one every artefact goes.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
import torch
import transformers
from optimum.exporters.onnx import export as export_onnx
from optimum.exporters.tasks import TasksManager
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel

from colibri.errors import ExportError
from colibri.manifest import Architecture, Graph, Variant
from colibri.providers import CPU
from colibri_export import layout
from colibri_export.checkpoint import STANFORD_HEAD, Checkpoint, open_checkpoint
from colibri_export.heads import Head
from colibri_export.layout import Layout
from colibri_export.layout.config import Config
from colibri_export.layout.tensor import Tensor
from colibri_export.optimum_graph import OPSET, quantize, with_heads
from colibri_export.sample_texts import DOCUMENTS, QUERIES
from colibri_export.tensor_files import TensorFiles
from colibri_export.weights import StoredDense, write_heads

log = logging.getLogger(__name__)

_MINIMUM_ONNXRUNTIME = "1.20"
_LEAST_COSINE = 0.99999

# transformers' own names of one fact, where its attribute_map does not already make them one.
_INTERMEDIATE = ("intermediate_size", "hidden_dim", "ffn_dim", "d_ff", "n_inner", "encoder_ffn_dim")
_ACTIVATION = ("hidden_act", "activation", "hidden_activation", "activation_function")
_EPSILON = ("layer_norm_eps", "layer_norm_epsilon", "norm_eps", "rms_norm_eps")


class OptimumDoor:
    """One checkpoint, loaded by transformers. Nothing of it is executed but transformers' own code."""

    names = ("cpu-int8", "portable")
    """In order of preference. cpu-int8 is left out, unless asked for by name, where it misses its tolerance."""

    def __init__(self, folder: Path) -> None:
        """Raises ExportError when transformers or optimum do not know the model, or tensors are missing or unknown."""
        loaded: list[Any] = []

        def find(config: Mapping[str, Any], where: str) -> tuple[Layout, Architecture]:
            encoder = Path(where).parent
            loaded.append(_load(encoder))
            return _layout(encoder, architecture := _architecture(loaded[0], config, where)), architecture

        self.checkpoint = open_checkpoint(folder, find)
        self._model = loaded[0]
        if self._model.config.model_type in layout.MODEL_TYPES:
            log.warning("%s has a builder of ours: without --via optimum its graphs are smaller and faster", folder)

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


def _load(folder: Path) -> Any:
    """transformers' model of a folder, float32, in evaluation mode; every tensor of it from safetensors."""
    try:
        with _quiet():
            config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            model, told = AutoModel.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except Exception as error:  # transformers raises whatever a config or a file makes it stumble over
        raise ExportError(f"{folder}: transformers {transformers.__version__} cannot load it ({error})") from error
    if config.is_encoder_decoder:
        raise ExportError(f"{folder}: {config.model_type} is an encoder and a decoder; wanted an encoder")
    _require_all_tensors(folder, model, told)
    return model.eval()


def _require_all_tensors(folder: Path, model: Any, told: Mapping[str, Any]) -> None:
    """Refuse what transformers only warns of. A tensor that is not found would be filled with random numbers."""
    # No row depends on the pooler.
    missing = [key for key in told["missing_keys"] if not key.startswith("pooler.")]
    inside = f"{model.base_model_prefix}."
    stored = TensorFiles(folder).keys
    # Beside a prefixed encoder lie other heads, such as that of its pre-training.
    prefixed = any(key.startswith(inside) for key in stored)
    unknown = [
        key for key in told["unexpected_keys"] if not prefixed or key.startswith(inside) or inside + key in stored
    ]
    unknown = [key for key in unknown if key != STANFORD_HEAD and not key.removeprefix(inside).startswith("pooler.")]
    if missing or unknown:
        problems = [f"missing {inside if prefixed else ''}{key}" for key in sorted(missing)]
        problems += [f"unknown {inside + key if inside + key in stored else key}" for key in sorted(unknown)]
        raise ExportError(f"{folder}: {'; '.join(problems)}")


def _architecture(model: Any, document: Mapping[str, Any], where: str) -> Architecture:
    """The facts, by transformers' names where it has one for all families (config.attribute_map)."""
    config = model.config
    facts = Config({**document, **_known(config)}, where)
    table = next(
        (m for name, m in model.named_modules() if name.endswith("position_embeddings") and _is_table(m)), None
    )
    # transformers' convention: a position table with a padding row counts from behind it (RoBERTa, MPNet).
    offset = 0 if table is None or table.padding_idx is None else table.padding_idx + 1
    norm = next((m.eps for m in model.modules() if isinstance(m, torch.nn.LayerNorm)), None)
    hidden, heads = facts.heads()
    return Architecture(
        family=config.model_type,
        layers=facts.number("num_hidden_layers"),
        hidden=hidden,
        heads=heads,
        intermediate=facts.number("intermediate_size"),
        vocabulary=len(model.get_input_embeddings().weight),
        max_positions=facts.number("max_position_embeddings") - offset,
        position_offset=offset,
        activation=str(next((getattr(config, key) for key in _ACTIVATION if hasattr(config, key)), "unknown")),
        norm_epsilon=facts.number("norm_epsilon", float, norm),
        rotary_base=None,
        local_rotary_base=None,
        local_window=None,
        global_every=None,
    )


def _known(config: Any) -> dict[str, Any]:
    names = ("hidden_size", "num_attention_heads", "num_hidden_layers", "max_position_embeddings")
    found = {name: getattr(config, name) for name in names if hasattr(config, name)}
    for name, aliases in (("intermediate_size", _INTERMEDIATE), ("norm_epsilon", _EPSILON)):
        found[name] = next((getattr(config, alias) for alias in aliases if hasattr(config, alias)), None)
    return found


def _is_table(module: Any) -> bool:
    return isinstance(module, torch.nn.Embedding)


def _layout(folder: Path, architecture: Architecture) -> Layout:
    """Every float tensor by its own name: transformers has already said that they are what the model needs."""
    files = TensorFiles(folder)
    # Buffers such as position_ids are integers.
    unused = tuple(key for key in files.keys if files.dtype(key) == "I64")
    names = sorted(files.keys - {STANFORD_HEAD} - set(unused))
    tensors = {name: Tensor((name,), (files.shape(name),), lambda parts: parts[0]) for name in names}
    return Layout(lambda _: architecture, lambda _: tensors, names[0], ("",), unused)


def _export(model: Any, path: Path) -> None:
    family = model.config.model_type
    try:
        with _quiet():
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


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what transformers, optimum and the tracer say to those who develop them."""
    told = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers.logging.set_verbosity(told)
