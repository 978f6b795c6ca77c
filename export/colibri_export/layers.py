"""Progress by layer, on stderr: a bar on a terminal, else lines of the log, one in a while."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator

log = logging.getLogger(__name__)

_EVERY = 2.0  # seconds between two lines: a small model has none


def by_layer(names: Iterable[str], layers: int, what: str, *, every: float = _EVERY) -> Iterator[str]:
    """The names as they come. what: the file that grows; every: seconds between two lines."""
    from tqdm import tqdm  # noqa: PLC0415 - 20 ms that only exports pay

    started = told = time.perf_counter()
    at = -1
    shown = sys.stderr.isatty()
    with tqdm(total=layers, desc=what, unit="layer", file=sys.stderr, leave=False, disable=not shown) as bar:
        for name in names:
            layer = int(name.split(".")[1]) if name.startswith("layers.") else at
            if layer != at:
                at = layer
                bar.update()
                now = time.perf_counter()
                if not shown and now - told >= every:
                    told = now
                    log.info("%s: layer %d of %d, %.1f s", what, at + 1, layers, now - started)
            yield name
