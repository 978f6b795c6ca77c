"""The words' leg of a search: CPU milliseconds of asking an index of many passages for words, and what words take.

    python3 run.py bench words_leg [--passages 100000]

Passages are 40 words each of a vocabulary whose frequencies fall as Zipf's law says; queries are 6 words drawn alike,
so that most have frequent ones. CPU time of this process: other work on the machine does not count.
"""

import tempfile
import time
from collections.abc import Callable

import click
import numpy as np

from colibri import Index, TokenVectors
from colibri.index import by_words

_DIM = 8
_WORDS = 40
_AT_ONCE = 10_000


def texts(count: int, words: int, seed: int) -> list[str]:
    """So many texts of so many words."""
    rng = np.random.default_rng(seed)
    drawn = np.minimum(rng.zipf(1.25, (count, words)), 200_000)
    return [" ".join(f"w{number}x" for number in row) for row in drawn.tolist()]


def milliseconds(work: Callable[[str], object], queries: list[str]) -> tuple[float, float]:
    """CPU time of a query: median and 95th percentile."""
    spent = []
    for query in queries:
        began = time.process_time()
        work(query)
        spent.append(1_000 * (time.process_time() - began))
    return float(np.median(spent)), float(np.percentile(spent, 95))


@click.command()
@click.option("--passages", type=click.IntRange(min=1_000), default=100_000, show_default=True)
def main(passages: int) -> None:
    """Print what words cost."""
    made = texts(passages, _WORDS, 0)
    row = TokenVectors(np.eye(1, _DIM, dtype=np.float32), np.array([0, 1]))
    with tempfile.TemporaryDirectory() as folder, Index.open(folder + "/index", dim=_DIM, space_id="bench") as index:
        began = time.process_time()
        for at in range(0, passages, _AT_ONCE):
            some = made[at : at + _AT_ONCE]
            index.add({"id": str(at + i), "text": text, "vectors": row} for i, text in enumerate(some))
        click.echo(f"add: {1e6 * (time.process_time() - began) / passages:.0f} us of CPU a passage")
        size, characters = index.stats().words_bytes, sum(map(len, made))
        click.echo(f"words: {size / 1e6:.1f} MB of {characters / 1e6:.1f} MB of text")
        queries = texts(100, 6, 1)
        rare, always = by_words.FREQUENT, by_words.ALWAYS
        for name, share in (("rare words", rare), ("all words", 1.0)):
            by_words.FREQUENT, by_words.ALWAYS = share, always
            p50, p95 = milliseconds(lambda query: index.search(query, mode="words"), queries)
            click.echo(f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
        by_words.FREQUENT = rare
        phrases = [f'"{" ".join(text.split()[3:6])}"' for text in made[:: passages // 50]]
        p50, p95 = milliseconds(lambda query: index.search(query, mode="words"), phrases)
        click.echo(f"phrases of three words: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
        typed = [query[: query.rindex("w") + 3] for query in queries]
        p50, p95 = milliseconds(lambda query: index.search(query, mode="words", typing=True), typed)
        click.echo(f"while typing: p50 {p50:.1f} ms, p95 {p95:.1f} ms")


if __name__ == "__main__":
    main()
