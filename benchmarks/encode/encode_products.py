"""Where a document's time goes in an artefact's cpu-int8 graph, and how fast its int8 products are (one thread).

    python encode_products.py FOLDER

Prints a JSON line: the core's peaks, measured here, and for each length the graph's milliseconds by kind of operator as
onnxruntime's profiler has them (of each operator its median over the runs).
"""

import json
import statistics
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from colibri.artefact import finding as artefact
from colibri.providers import CPU, choose, cpu_features
from colibri.scoring.kernels.choice import usable_kernels
from maxsim.peak import register_loop

LENGTHS = (32, 120, 214, 450)
RUNS = 15
PEAK_RUNS = 200
PRODUCTS = ("MatMulIntegerToFloat", "DynamicQuantizeMatMul")
KINDS = {
    "int8 products": PRODUCTS,
    "attention": ("MultiHeadAttention", "RotaryEmbedding"),
    "GELU": ("Gelu", "BiasGelu"),
    "norms and sums": ("LayerNormalization", "Add"),
    "quantising": ("QuantizeLinear", "DynamicQuantizeLinear", "ReduceMax", "Abs", "Max", "Mul"),
}


def multiply_adds(graph: Path) -> int:
    """Of all int8 products, a token."""
    model = onnx.load(graph, load_external_data=False).graph
    shapes = {tensor.name: tensor.dims for tensor in model.initializer}
    made = {name: node for node in model.node for name in node.output}
    total = 0
    for node in model.node:
        if node.op_type in PRODUCTS:
            width = None
            name = node.input[1]
            while name not in shapes:  # bits flipped, columns cut
                source = made[name]
                if source.op_type == "Slice":
                    ends = {
                        t.name: onnx.numpy_helper.to_array(t) for t in model.initializer if t.name in source.input[1:3]
                    }
                    width = int(ends[source.input[2]][0] - ends[source.input[1]][0])
                name = source.input[0]
            rows, columns = shapes[name]
            total += rows * (width or columns)
    return total


def profile(path: Path, tokens: int, scratch: Path) -> dict[str, float]:
    """Operator -> milliseconds of a run, of each node its median."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.enable_mem_reuse = False
    options.enable_profiling = True
    options.profile_file_prefix = str(scratch / "profile")
    session = onnxruntime.InferenceSession(path, options, providers=[CPU])
    feeds = {node.name: np.ones((1, tokens), np.int64) for node in session.get_inputs()}
    feeds["input_ids"] = np.random.default_rng(tokens).integers(5, 250_000, (1, tokens))
    for _ in range(RUNS):
        session.run([session.get_outputs()[0].name], feeds)
    events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    nodes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            nodes[event["args"]["op_name"], event["name"]].append(event["dur"] / 1e3)
    found: Counter[str] = Counter()
    for (kind, _), durations in nodes.items():
        found[kind] += statistics.median(durations)  # type: ignore[assignment]
    return dict(found)


def main(folder: Path) -> None:
    """Measure and print."""
    found = artefact.find(folder)
    choice = choose(
        found.manifest, "cpu-int8", cpu_features(), onnxruntime.get_available_providers(), onnxruntime.__version__
    )
    path = found.path(choice.graph.document)
    # The fastest two kernels' instructions: the AMX tiles and what is there beside them.
    loops = {f"{kernel} registers": register_loop(kernel, "int8") for kernel in usable_kernels()[:2]}
    peaks = {name: [2e-9 * loop() for _ in range(PEAK_RUNS)] for name, loop in loops.items()}
    work = multiply_adds(path)
    lengths: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for tokens in LENGTHS:
            operators = profile(path, tokens, Path(scratch))
            kinds = {kind: sum(operators.pop(op, 0.0) for op in ops) for kind, ops in KINDS.items()}
            kinds["rest"] = sum(operators.values())
            gops = 2e-6 * work * tokens / kinds["int8 products"]
            ms = {kind: round(value, 2) for kind, value in kinds.items()}
            lengths.append({"tokens": tokens, "ms": ms, "gops": round(gops)})
    best = {name: {"median": round(statistics.median(all_)), "best": round(max(all_))} for name, all_ in peaks.items()}
    sys.stdout.write(json.dumps({"peak_gops": best, "graph": path.name, "lengths": lengths}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
