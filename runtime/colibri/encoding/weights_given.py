"""Weights handed to onnxruntime where it cannot open their files itself.

Version 1.32 opens what lies beside a graph by way of /proc/self/fd, and refuses to where /proc is hidden ("Secure
opened-file canonicalization requires procfs"). It takes the same bytes from memory.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

_OPENED_FILES = Path("/proc/self/fd")


def give_weights(graph: Path, options: onnxruntime.SessionOptions) -> list[NDArray[Any]]:
    """What the session's options now point to: to be kept until the session has begun. Empty where /proc is there, and
    with an onnxruntime that takes no weights this way."""
    if sys.platform != "linux" or _OPENED_FILES.is_dir():
        return []
    give = getattr(options, "add_external_initializers_from_files_in_memory", None)
    if give is None:
        return []
    files = _files_of(graph)
    mapped = [np.memmap(path, np.uint8, "r") for path in files]
    if files:
        give([path.name for path in files], mapped, [len(one) for one in mapped])
    return [*mapped]


def _files_of(graph: Path) -> list[Path]:
    """The files beside a graph that it names."""
    said = graph.read_bytes()
    beside = (path for path in graph.parent.iterdir() if path.is_file() and path.stat().st_size)
    return sorted(path for path in beside if path.name != graph.name and path.name.encode() in said)
