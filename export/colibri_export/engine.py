"""TensorRT-RTX engines, built ahead of time from a gpu-fp16 graph, and the ONNX model that onnxruntime takes them by.

Building needs no GPU; running does, and none was at hand: engines are built and checked against what the builder says
of them, but have never run.
"""

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from typing import Any

import onnx_ir as ir

from colibri import machine
from colibri.artefact import Engine, Profile
from colibri.errors import ExportError, MissingExtra

log = logging.getLogger(__name__)

CAPABILITIES = ("75", "80", "86", "89", "120", "121")
"""TensorRT-RTX 1.x's own list: GeForce, RTX and their kin. No H100 (90), no Jetson (87)."""
DEFAULT_CAPABILITIES = CAPABILITIES[1:]  # onnxruntime's TensorRT-RTX provider wants Ampere (80) or newer

_LARGEST_OPSET = 22  # an unmasked Attention of opset 23 has crashed the builder


def require_tensorrt(capabilities: Sequence[str]) -> None:
    """Raise ExportError for compute capabilities TensorRT-RTX does not build for, MissingExtra where it is absent."""
    unknown = [capability for capability in capabilities if capability not in CAPABILITIES]
    if unknown or not capabilities or len(set(capabilities)) < len(capabilities):
        raise ExportError(
            f"compute capability {','.join(capabilities) or '(none)'}: TensorRT-RTX builds for "
            f"{', '.join(CAPABILITIES)}; wanted some of these, none twice"
        )
    if util.find_spec("tensorrt_rtx") is None:
        raise MissingExtra(
            f"the variant tensorrt needs tensorrt_rtx (colibri-edge[tensorrt]): {machine.install_command('tensorrt')}"
        )


def build(graph: Path, engine: Path, capabilities: Sequence[str], profiles: Sequence[Profile]) -> Engine:
    """Build the file `engine` from the ONNX file `graph` in a process of its own.

    Raises ExportError when the graph holds what TensorRT-RTX does not take, when the builder refuses or crashes, or
    when the network it read has other inputs, outputs or profiles than were wanted.
    """
    model = ir.load(graph)
    _require_buildable(model, graph.name)
    job = {
        "graph": str(graph.resolve()),
        "engine": str(engine.resolve()),
        "capabilities": list(capabilities),
        "profiles": [_shapes(profile) for profile in profiles],
    }
    log.info("building an engine for compute capability %s: minutes for a large model", ", ".join(capabilities))
    report = run_builder(job, [sys.executable, "-m", "colibri_export.build_engine"])
    wanted: dict[str, Any] = {
        "inputs": {value.name: ["INT64", [-1, -1]] for value in model.graph.inputs},
        "outputs": {value.name: ["FLOAT", [-1, -1, _width(value)]] for value in model.graph.outputs},
        "profiles": [{value.name: _shapes(profile) for value in model.graph.inputs} for profile in profiles],
    }
    for what, value in wanted.items():
        if report[what] != value:
            raise ExportError(f"{graph.name}: TensorRT-RTX read {what} {report[what]}, wanted {value}")
    return Engine(compute_capability=",".join(capabilities), tensorrt=report["tensorrt"], profiles=tuple(profiles))


def run_builder(job: dict[str, Any], command: Sequence[str]) -> dict[str, Any]:
    """Hand a job to the process `command`; its report, or ExportError with the last it said."""
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=False)
    if done.returncode:
        died = f"died of {signal.Signals(-done.returncode).name}" if done.returncode < 0 else "gave up"
        said = " ".join(done.stderr.strip().splitlines()[-3:]) or "it said nothing"
        raise ExportError(f"{Path(job['graph']).name}: TensorRT-RTX's builder {died}: {said}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def context_model(graph: Path, engine_file: str, engine: Engine) -> ir.Model:
    """A model of one node that stands for the engine beside it.

    Its form is what onnxruntime's TensorRT-RTX provider writes and reads (microsoft/onnxruntime,
    core/providers/nv_tensorrt_rtx/onnx_ctx_model_helper.cc; NVIDIA/TensorRT-RTX-EP-ABI, src/onnx_ctx_model_helper.cc).
    Without `source`, which would have to be the name that the application registers the plugin under.
    """
    model = ir.load(graph)
    inputs, outputs = list(model.graph.inputs), list(model.graph.outputs)
    for value in (*inputs, *outputs):
        value.const_value = None
    attributes: dict[str, int | str] = {
        "main_context": 0,  # as the provider writes it: each node has an engine of its own
        "embed_mode": 0,  # the engine is a file in the same folder
        "ep_cache_context": engine_file,
        "hardware_architecture": engine.compute_capability,
        "ep_sdk_version": engine.tensorrt,
        "onnx_model_filename": graph.name,
        "partition_name": "colibri",
    }
    fresh_inputs = [ir.Value(name=v.name, type=v.type, shape=v.shape) for v in inputs]
    node = ir.node("EPContext", fresh_inputs, attributes, domain="com.microsoft", num_outputs=len(outputs))
    for made, value in zip(node.outputs, outputs, strict=True):
        made.name, made.type, made.shape = value.name, value.type, value.shape
    fresh = ir.Graph(
        fresh_inputs,
        list(node.outputs),
        nodes=[node],
        opset_imports={"": model.opset_imports[""], "com.microsoft": 1},
        name=model.graph.name,
    )
    return ir.Model(fresh, ir_version=model.ir_version, producer_name="colibri")


def _require_buildable(model: ir.Model, name: str) -> None:
    problems = [
        f"UINT4 initializer {value.name} (INT4 blocks through DequantizeLinear would do)"
        for value in model.graph.initializers.values()
        if value.dtype == ir.DataType.UINT4
    ]
    kinds = {f"{node.domain}.{node.op_type}" for node in model.graph if node.domain not in {"", "ai.onnx"}}
    problems += [f"operator {kind}, not of standard ONNX" for kind in sorted(kinds)]
    opset = model.opset_imports.get("", 0)
    if opset > _LARGEST_OPSET:
        problems.append(f"opset {opset}, wanted {_LARGEST_OPSET} at most")
    if problems:
        raise ExportError(f"{name}: no engine can be built: {'; '.join(problems)}")


def _shapes(profile: Profile) -> list[list[int]]:
    return [list(profile.minimum), list(profile.optimum), list(profile.maximum)]


def _width(value: ir.Value) -> int:
    assert value.shape is not None
    width = value.shape[-1]
    assert isinstance(width, int)
    return width
