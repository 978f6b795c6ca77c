"""Weights as onnxruntime packs them for this processor, kept once so that all processes of the machine map one file.

A folder for each graph file, processor and onnxruntime: the graph, its weights, and a note of what they must be. They
are only read when all of that holds; what is missing, of another processor or changed is as if it were not there.
"""

import functools
import hashlib
import json
import logging
import platform
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from colibri.artefact import Artefact, file_sha256, part_count
from colibri.machine import physical_cores
from colibri.providers.choice import Choice
from colibri.providers.hardware import cpu_flags, cpu_name
from colibri.providers.known import AUTO, CPU

log = logging.getLogger(__name__)

PACKED_GRAPH, PACKED_WEIGHTS = "packed.onnx", "packed.bin"
_NOTE = "packed.json"


@dataclass(frozen=True)
class Packed:
    """What was found for a choice: file name of a graph -> the packed one that stands for it."""

    graphs: Mapping[str, Path] = field(default_factory=dict)

    def left(self, artefact: Artefact, choice: Choice) -> list[str]:
        """Files of the artefact that are still read when these are run."""
        names = artefact.files_to_run(choice.variant, choice.graph)
        if not {choice.graph.query, choice.graph.document} <= self.graphs.keys():
            return names
        instead = {choice.graph.query, choice.graph.document, *choice.variant.data}
        return [name for name in names if name not in instead]


def packed_folder(artefact: Artefact, choice: Choice, graph: str, version: str, root: Path) -> Path:
    """Where the packed form of one graph file belongs. version: of onnxruntime. The name ends in a hash of its key."""
    digest = hashlib.sha256(_key(artefact, choice, graph, version).encode()).hexdigest()[:16]
    return root / _named(f"{artefact.manifest.name}-{graph.removesuffix('.onnx')}-packed-{digest}")


def _named(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-._" else "_" for c in name)


def find_packed(artefact: Artefact, choice: Choice, version: str, root: Path | None, *, tell: bool = True) -> Packed:
    """What was packed of a choice's graphs and is whole. root: the folder of all such things; None: there is none.

    tell: whether the log says of what is there and is not used, and of a folder that is closed to this user, why.
    """
    if root is None or choice.provider != CPU:
        return Packed()
    found = {}
    for graph in dict.fromkeys((choice.graph.query, choice.graph.document)):
        folder = packed_folder(artefact, choice, graph, version, root)
        try:
            if not (folder / _NOTE).is_file():
                continue
        except OSError as error:
            if tell:
                log.warning("%s: %s; packed weights are not looked for there", root, error.strerror)
            break
        problem = _problem(folder, _key(artefact, choice, graph, version))
        if problem is None:
            found[graph] = folder / PACKED_GRAPH
        elif tell:
            log.warning("%s: %s; not used, and `colibri warmup --packed` makes it anew", folder, problem)
    return Packed(found)


def likely_weights(artefact: Artefact, variant: str | None, provider: str, root: Path | None) -> tuple[str, ...]:
    """Files of weights that will probably be read, as far as that can be told before onnxruntime is imported: those of
    the variant for a CPU, unless another provider was named or weights of the artefact were packed. root: as above."""
    if provider not in {AUTO, CPU, "cpu"}:
        return ()
    if root is not None and next(root.glob(f"{_named(artefact.manifest.name)}-*-packed-*"), None) is not None:
        return ()
    variants = artefact.manifest.variants
    own = [variants[variant]] if variant is not None else list(variants.values())
    return next((one.data for one in own if one.providers[0] == CPU), ())


def note_packed(artefact: Artefact, choice: Choice, graph: str, version: str, folder: Path) -> None:
    """Write down what a folder's files must be. It is written last: a folder without it was never finished."""
    note: dict[str, Any] = {"key": json.loads(_key(artefact, choice, graph, version)), "files": {}}
    for name in (PACKED_GRAPH, PACKED_WEIGHTS):
        size = (folder / name).stat().st_size
        parts = [file_sha256(folder / name, part) for part in range(part_count(size))]
        note["files"][name] = {"size_bytes": size, "sha256": parts or [file_sha256(folder / name)]}
    (folder / _NOTE).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")


def _key(artefact: Artefact, choice: Choice, graph: str, version: str) -> str:
    """All that packed weights depend on: onnxruntime lays them out by what it finds in the processor."""
    files = (graph, *choice.variant.data)
    key = {
        "files": {name: artefact.manifest.files[name].sha256 for name in files},
        "onnxruntime": version,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": cpu_name(),
        "features": _features(),
    }
    return json.dumps(key, indent=2)


@functools.cache
def _features() -> str:
    """A hash of what the processor says it has, asked by numpy and told by the system."""
    asked: dict[str, bool] = getattr(import_module("numpy._core._multiarray_umath"), "__cpu_features__", {})
    words = [*sorted(name for name, there in asked.items() if there), *sorted(cpu_flags())]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:16]


def _problem(folder: Path, key: str) -> str | None:
    """Why a folder's files are not what its note says; None: they are."""
    try:
        note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        if note["key"] != json.loads(key):
            return "its note is of something else"
        pieces = []
        for name in (PACKED_GRAPH, PACKED_WEIGHTS):
            said = note["files"][name]
            if (folder / name).stat().st_size != said["size_bytes"]:
                return f"{name} is not {said['size_bytes']} bytes"
            several = len(said["sha256"]) > 1
            pieces += [(name, i if several else None, digest) for i, digest in enumerate(said["sha256"])]
        with ThreadPoolExecutor(physical_cores()) as pool:
            hashes = pool.map(lambda piece: file_sha256(folder / piece[0], piece[1]), pieces)
            changed = [name for (name, _, wanted), found in zip(pieces, hashes, strict=True) if found != wanted]
    except (OSError, ValueError, LookupError, TypeError) as error:
        return f"cannot be read ({error})"
    return f"{changed[0]}: its bytes changed" if changed else None
