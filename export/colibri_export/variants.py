"""Variants of one checkpoint: which graphs over which weight files, and what they need to run."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import onnx_ir as ir

from colibri.artefact import Graph, Profile, Role, Variant
from colibri.errors import ExportError
from colibri.providers import CPU, ORDER, several_profiles
from colibri_export import graph
from colibri_export.checkpoint import Checkpoint
from colibri_export.engine import DEFAULT_CAPABILITIES, build, context_model, require_tensorrt
from colibri_export.graph.blocks import Dialect, Weights
from colibri_export.graph.half import in_half
from colibri_export.graph.precision import FloatWeights, Int8Kind, Int8Weights
from colibri_export.heads import Head
from colibri_export.weight_file import Stored
from colibri_export.weights import StoredDense, VocabularyBits, write_float, write_half, write_heads, write_int8

REFERENCE = "cpu-fp32"
DEFAULT = ("cpu-int8", REFERENCE, "portable")
"""In order of preference: the fastest first."""
HALF = "gpu-fp16"
ENGINE = "tensorrt"
NAMES = (*DEFAULT, HALF, ENGINE)
RTX = "NvTensorRTRTXExecutionProvider"

ACCELERATORS = tuple(known.execution_provider for known in ORDER if known.execution_provider != CPU)
"""Those that take a graph of standard operators, best first."""

# The fastest first, and where it is that (see Int8Weights): s8 is exact only there, s8a7 gains nothing without AVX2.
_INT8_KINDS: tuple[tuple[Int8Kind, tuple[str, ...]], ...] = (
    ("s8", ("avx512_vnni", "avx_vnni", "neon")),
    ("s8a7", ("avx2",)),
    ("u8", ()),
)
_MINIMUM_ONNXRUNTIME = "1.20"
_HEADS = "heads.f32.bin"
_MINIMUM_FOR_RTX = "1.22"  # the first with a TensorRT-RTX provider


def check_names(names: Sequence[str], compute_capabilities: Sequence[str]) -> None:
    """Raise ExportError for variants that cannot be made, MissingExtra where what makes them is not installed."""
    if not names or set(names) - set(NAMES) or len(set(names)) < len(names):
        raise ExportError(f"variants {','.join(names)}: wanted some of {', '.join(NAMES)}, none twice")
    if ENGINE in names:
        require_tensorrt(compute_capabilities)
        if HALF not in names:
            raise ExportError(
                f"variants {','.join(names)}: {ENGINE} is built from {HALF}, which can be compared with float32 here "
                f"and serves other GPUs; wanted both, such as --variants {ENGINE},{HALF}"
            )


@dataclass(frozen=True)
class Workshop:
    """Writes variants of one checkpoint into one folder; weight files are written once and shared."""

    checkpoint: Checkpoint
    heads: Mapping[int, Head]
    folder: Path
    unattended_queries: bool
    """Queries have expansion tokens the others must not see, so their graph needs a mask."""
    vocabulary_bits: VocabularyBits = 4
    """Of a weight in cpu-int8's vocabulary table."""
    compute_capabilities: tuple[str, ...] = DEFAULT_CAPABILITIES
    profiles: tuple[Profile, ...] = ()
    """What `tensorrt` is built for."""
    journals: Path | None = None
    """A folder where what is written is noted, for a process that goes on with it."""

    @property
    def reference(self) -> str:
        """The variant that the others are compared with."""
        return REFERENCE

    def for_roles(self, query: Role, document: Role) -> "Workshop":
        """The same, for texts of these roles."""
        return dataclasses.replace(self, profiles=several_profiles(query, document))

    def elsewhere(self, folder: Path) -> "Workshop":
        """The same for another folder."""
        return dataclasses.replace(self, folder=folder)

    def write(self, name: str) -> Variant:
        """Write one variant's graphs and weights; `parity` is left open."""
        makers: dict[str, Callable[[], Variant]] = {
            "cpu-int8": self._int8,
            REFERENCE: self._fp32,
            "portable": self._portable,
            HALF: self._half,
            ENGINE: self._engine,
        }
        if name not in makers:
            raise ExportError(f"variant {name!r}: this exporter makes {', '.join(NAMES)}")
        return makers[name]()

    def _int8(self) -> Variant:
        graphs = [
            self._fused(f"cpu-int8.{kind}", Int8Weights(self._int8_weights, kind), features)
            for kind, features in _INT8_KINDS
        ]
        return self._variant("int8", graphs, ("backbone.int8.bin", _HEADS))

    def _fp32(self) -> Variant:
        both = self._fused(REFERENCE, FloatWeights(self._float_weights), ())
        return self._variant("float32", [both], ("backbone.f32.bin", _HEADS))

    def _portable(self) -> Variant:
        weights = FloatWeights(self._float_weights)
        file = self._save("portable", weights, "standard", masked=True)
        both = _graph(file, file, (), masked_query=True, masked_document=True)
        # The CPU first: it is what the variant is for where there is nothing better.
        return self._variant("float32", [both], ("backbone.f32.bin", _HEADS), (CPU, *ACCELERATORS))

    def _half(self) -> Variant:
        weights = FloatWeights(self._half_weights)
        # A GPU has the memory, and would wait for the CPU at every turn of a Loop.
        file = self._save(HALF, weights, "standard", masked=True, in_turns=False, change=in_half)
        both = _graph(file, file, (), masked_query=True, masked_document=True)
        return self._variant("float16", [both], ("backbone.f16.bin", _HEADS), (*ACCELERATORS, CPU))

    def _engine(self) -> Variant:
        """From gpu-fp16's graph, which is written already or written now; the engine holds its own weights."""
        source = self.folder / f"{HALF}.onnx"
        if not source.exists():
            self._half()
        engine = build(source, self.folder / f"{ENGINE}.engine", self.compute_capabilities, self.profiles)
        ir.save(context_model(source, f"{ENGINE}.engine", engine), self.folder / f"{ENGINE}.onnx")
        both = _graph(f"{ENGINE}.onnx", f"{ENGINE}.onnx", (), masked_query=True, masked_document=True)
        made = self._variant("engine", [both], (f"{ENGINE}.engine",), (RTX,))
        return dataclasses.replace(made, minimum_onnxruntime=_MINIMUM_FOR_RTX, engine=engine)

    def _fused(self, name: str, weights: Weights, features: tuple[str, ...]) -> Graph:
        """Without a mask onnxruntime's attention works blockwise; only queries that hide tokens pay for one."""
        document = self._save(name, weights, "fused", masked=False)
        query = self._save(f"{name}.query", weights, "fused", masked=True) if self.unattended_queries else document
        return _graph(query, document, features, masked_query=self.unattended_queries, masked_document=False)

    def _save(
        self,
        name: str,
        weights: Weights,
        dialect: Dialect,
        *,
        masked: bool,
        in_turns: bool = True,
        change: Callable[[ir.Model], None] = lambda model: None,
    ) -> str:
        architecture = self.checkpoint.architecture
        model = graph.build(architecture, weights, self._head_weights, dialect, masked=masked, in_turns=in_turns)
        change(model)
        ir.save(model, self.folder / f"{name}.onnx")
        return f"{name}.onnx"

    def _variant(
        self,
        precision: Literal["float32", "float16", "int8", "engine"],
        graphs: list[Graph],
        data: tuple[str, ...],
        providers: tuple[str, ...] = (CPU,),
    ) -> Variant:
        files = {file for made in graphs for file in (made.query, made.document)} | set(data)
        return Variant(
            precision=precision,
            providers=providers,
            minimum_onnxruntime=_MINIMUM_ONNXRUNTIME,
            outputs={str(dim): f"tokens_{dim}" for dim in self.heads},
            graphs=tuple(graphs),
            data=data,
            size_bytes=sum((self.folder / file).stat().st_size for file in files),
            engine=None,
        )

    def _journal(self, file: str) -> Path | None:
        return None if self.journals is None else self.journals / f"{self.folder.name}.{file}.jsonl"

    @cached_property
    def _float_weights(self) -> dict[str, Stored]:
        return write_float(self.checkpoint, self.folder / "backbone.f32.bin", self._journal("backbone.f32.bin"))

    @cached_property
    def _half_weights(self) -> dict[str, Stored]:
        return write_half(self.checkpoint, self.folder / "backbone.f16.bin", self._journal("backbone.f16.bin"))

    @cached_property
    def _int8_weights(self) -> dict[str, Stored]:
        file = "backbone.int8.bin"
        return write_int8(self.checkpoint, self.folder / file, self.vocabulary_bits, self._journal(file))

    @cached_property
    def _head_weights(self) -> dict[int, tuple[StoredDense, ...]]:
        return write_heads(self.heads, self.folder / _HEADS)


def _graph(query: str, document: str, features: tuple[str, ...], *, masked_query: bool, masked_document: bool) -> Graph:
    return Graph(
        query=query,
        document=document,
        any_cpu_feature=features,
        masked_query=masked_query,
        masked_document=masked_document,
        parity=None,
    )
