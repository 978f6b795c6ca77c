"""A bar on stderr for work that takes long."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(total: int | None, what: str, show: bool) -> Iterator[Callable[[int], object]]:
    """A function to call after each text with its tokens: it moves a bar with texts and tokens/s, or does nothing.

    total: how many texts there will be; None where nobody knows
    """
    if not show:
        yield lambda tokens: None
        return
    from tqdm import tqdm  # noqa: PLC0415 - 20 ms that only long work pays

    start, done = time.monotonic(), 0
    with tqdm(total=total, desc=what, unit="text", file=sys.stderr, leave=False) as bar:

        def advance(tokens: int) -> None:
            nonlocal done
            done += tokens
            rate = done / max(time.monotonic() - start, 1e-9)
            bar.set_postfix_str(f"{rate:,.0f} tokens/s", refresh=False)
            bar.update()

        yield advance
