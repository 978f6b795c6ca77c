"""Progress by layer, on stderr: a bar on a terminal, else lines of the log, one in a while."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator

from colibri.machine import Bar

log = logging.getLogger(__name__)

_EVERY = 2.0  # seconds between two lines: a small model has none


def by_layer(names: Iterable[str], layers: int, what: str, *, every: float = _EVERY) -> Iterator[str]:
    """The names as they come. what: the file that grows; every: seconds between two lines."""
    started = told = time.perf_counter()
    at = -1
    bar = Bar(sys.stderr) if sys.stderr is not None and sys.stderr.isatty() else None
    try:
        for name in names:
            layer = int(name.split(".")[1]) if name.startswith("layers.") else at
            if layer != at:
                at = layer
                now = time.perf_counter()
                if bar is not None:
                    bar.draw(what, (at + 1) / layers, f"layer {at + 1} of {layers}, {now - started:.0f} s")
                elif now - told >= every:
                    told = now
                    log.info("%s: layer %d of %d, %.1f s", what, at + 1, layers, now - started)
            yield name
    finally:
        if bar is not None:
            bar.clear()
