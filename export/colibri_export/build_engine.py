"""The process that builds an engine, so that a builder that crashes takes nothing with it (see colibri_export.engine).

`python -m colibri_export.build_engine` reads a job as JSON from its input, writes the engine file, and prints what
TensorRT-RTX itself says of the network and its profiles. Exit code 1 and the builder's complaints when it cannot.
"""

import json
import sys
from pathlib import Path
from typing import Any

import tensorrt_rtx as trt


class _Complaints(trt.ILogger):  # type: ignore[misc]
    """Errors of the builder, printed as they come; warnings are about hardware that is not here."""

    def __init__(self) -> None:
        trt.ILogger.__init__(self)

    def log(self, severity: Any, message: str) -> None:
        if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
            print(message, file=sys.stderr, flush=True)


def main() -> int:
    """Build one engine."""
    job = json.load(sys.stdin)
    logger = _Complaints()
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(job["graph"]) or parser.num_errors:
        for i in range(parser.num_errors):
            print(parser.get_error(i).desc(), file=sys.stderr)
        return 1
    config = builder.create_builder_config()
    config.num_compute_capabilities = len(job["capabilities"])
    for i, capability in enumerate(job["capabilities"]):
        config.set_compute_capability(getattr(trt.ComputeCapability, f"SM{capability}"), i)
    inputs = [network.get_input(i) for i in range(network.num_inputs)]
    outputs = [network.get_output(i) for i in range(network.num_outputs)]
    taken = []
    for shapes in job["profiles"]:
        profile = builder.create_optimization_profile()
        for value in inputs:
            profile.set_shape(value.name, *(tuple(shape) for shape in shapes))
        if config.add_optimization_profile(profile) < 0:
            print(f"profile {shapes} is refused", file=sys.stderr)
            return 1
        taken.append({value.name: [list(shape) for shape in profile.get_shape(value.name)] for value in inputs})
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        return 1
    with Path(job["engine"]).open("xb") as file:
        file.write(engine)
    report = {
        "tensorrt": trt.__version__,
        "inputs": {value.name: [value.dtype.name, list(value.shape)] for value in inputs},
        "outputs": {value.name: [value.dtype.name, list(value.shape)] for value in outputs},
        "profiles": taken,
    }
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
