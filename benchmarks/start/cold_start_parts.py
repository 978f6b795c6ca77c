"""One process of bench_cold_start: what happens between the interpreter and a ranking, step by step.

    python cold_start_parts.py ARTEFACT QUERY DOCUMENT...        (ARTEFACT "": the one that comes with the package)

Prints one JSON object: step -> [milliseconds, peak resident megabytes when it ended]. The steps are those of
`colibri rerank`, one after the other; no option parser, because importing one is a step.
"""

import json
import resource
import sys
import time
from importlib import import_module

IMPORTS = ("click", "numpy", "onnxruntime")
OURS = ("colibri.cli.rank", "colibri.model", "colibri.encoding.encoder")

Steps = dict[str, tuple[float, float]]


class Laps:
    """A stopwatch: every lap is the time since the one before."""

    def __init__(self) -> None:
        self.steps: Steps = {}
        self._before = time.perf_counter()

    def lap(self, step: str) -> None:
        """End the current step and give it a name."""
        now = time.perf_counter()
        self.steps[step] = ((now - self._before) * 1e3, peak_megabytes(resource.getrusage(resource.RUSAGE_SELF)))
        self._before = time.perf_counter()


def peak_megabytes(usage: resource.struct_rusage) -> float:
    """ru_maxrss in MB (10^6 bytes): Linux counts it in KiB, macOS in bytes."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def run(laps: Laps, query: str, documents: list[str], name: str | None) -> None:
    """The steps after the imports, through the modules the command itself uses."""
    import numpy as np  # noqa: PLC0415  timed by the caller, as all imports here
    import onnxruntime  # noqa: PLC0415

    from colibri import artefact, maxsim, providers  # noqa: PLC0415
    from colibri.encoding.encoder import Encoder  # noqa: PLC0415
    from colibri.tokens.tokenizer import TextTokenizer  # noqa: PLC0415

    source = artefact.find(name)
    available, version = onnxruntime.get_available_providers(), onnxruntime.__version__
    choice = providers.choose(source.manifest, None, providers.cpu_features(), available, version)
    laps.lap("read the manifest, choose a graph")
    artefact.check_files(source, source.files_to_run(choice.variant, choice.graph))
    laps.lap("hash the files")
    tokenizer = TextTokenizer(source)
    laps.lap("load the tokenizer")
    encoder = Encoder(source, choice, lambda: tokenizer)
    laps.lap("load the session")
    dim = source.manifest.default_dim
    docs = encoder.encode(documents, "document", [dim])[dim]
    queries = encoder.encode([query], "query", [dim])[dim]
    np.argsort(-maxsim(queries[0], docs, queries.weights))
    laps.lap("encode and score")


def main() -> None:
    """Time each step once."""
    name, query, *documents = sys.argv[1:]
    laps = Laps()
    for module in IMPORTS:
        import_module(module)
        laps.lap(f"import {module}")
    for module in OURS:
        import_module(module)
    laps.lap("import colibri")
    run(laps, query, documents, name or None)
    print(json.dumps(laps.steps))


if __name__ == "__main__":
    main()
