"""Texts of a request to token vectors and scores, in slices that take turns with those of others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np

from colibri.artefact import RoleName
from colibri.encoding import Entry, Report
from colibri.errors import InputError
from colibri.model import Colibri
from colibri.server.problems import Problem, invalid
from colibri.server.work import Ticket, cost_of
from colibri.vectors import TokenVectors

T = TypeVar("T")

_AT_ONCE = 2  # slices of one request: the workers of the first go on with the second while its last texts end


@dataclass
class Encoded:
    """What became of the texts."""

    slices: list[TokenVectors]
    report: Report = field(default_factory=Report)


async def encode(
    model: Colibri,
    texts: Sequence[str],
    role: RoleName,
    dim: int,
    ticket: Ticket,
    *,
    slice_texts: int,
    truncation: bool = True,
    what: str = "input",
) -> Encoded:
    """Encode texts in slices. Raises Problem 422 for one that does not fit where `truncation` is False."""

    async def one(groups: Sequence[Sequence[str]]) -> list[tuple[TokenVectors, Report]]:
        part, report = [text for group in groups for text in group], _EachText()
        if role == "query":
            found = await model.aencode_queries(part, dim, report=report)
        else:
            long: Literal["truncate", "error"] = "truncate" if truncation else "error"
            found = await model.aencode_documents(part, dim, report=report, long_documents=long)
        if report.truncated and not truncation:
            raise InputError(f"more than the {model.manifest.query.max_tokens} tokens that fit")
        return list(_apart(found, report, [len(group) for group in groups]))

    # What is refused as a whole for one of its texts is alone.
    kind = (model.name, role, dim) if truncation else None
    parts = [list(texts[first : first + slice_texts]) for first in range(0, len(texts), slice_texts)]
    try:
        done = await _in_turn(
            [lambda part=part: ticket.turn(cost_of(part), one, part, kind) for part in parts]  # type: ignore[misc]
        )
    except InputError as error:  # the only one that texts of the right type can cause
        raise invalid(what, str(error).removeprefix("texts")) from None
    total = Report()
    for _, report in done:
        total.texts += report.texts
        total.tokens += report.tokens
        total.truncated += report.truncated
    return Encoded([vectors for vectors, _ in done], total)


class _EachText(Report):
    """Also what each text took."""

    def __init__(self) -> None:
        super().__init__()
        self.each: dict[int, tuple[int, bool]] = {}

    def add(self, index: int, entries: Sequence[Entry]) -> None:
        super().add(index, entries)
        self.each[index] = sum(entry.tokens for entry in entries), any(entry.truncated for entry in entries)


def _apart(vectors: TokenVectors, report: _EachText, sizes: Sequence[int]) -> Iterator[tuple[TokenVectors, Report]]:
    """Views of so many texts each, and what those took."""
    first = 0
    for size in sizes:
        end = first + size
        own = slice(vectors.starts[first], vectors.starts[end])
        took = [report.each[i] for i in range(first, end)]
        yield (
            replace(
                vectors,
                rows=vectors.rows[own],
                starts=vectors.starts[first : end + 1] - vectors.starts[first],
                spans=None if vectors.spans is None else vectors.spans[own],
                weights=None if vectors.weights is None else vectors.weights[own],
            ),
            Report(texts=size, tokens=sum(tokens for tokens, _ in took), truncated=sum(cut for _, cut in took)),
        )
        first = end


async def _in_turn(slices: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Results in order, with so many under way as one request may have. An error or a cancellation ends all."""
    if len(slices) == 1:
        return [await slices[0]()]
    found: dict[int, T] = {}
    numbers = iter(range(len(slices)))

    async def run() -> None:
        for number in numbers:
            found[number] = await slices[number]()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(run())
    except* (InputError, Problem) as errors:
        raise errors.exceptions[0] from None
    return [found[number] for number in range(len(slices))]


def row_tokens(model: Colibri, texts: Sequence[str], role: RoleName) -> list[list[str]]:
    """The token behind each row of each text, as the vocabulary spells it: "▁Berlin", "<s>"."""
    return model._encoder.row_tokens(texts, role)


def scores(model: Colibri, query: TokenVectors, slices: Sequence[TokenVectors], *, normalise: bool) -> list[float]:
    """MaxSim of the query with each document, in their order.

    normalise: divided by the number of query rows, or by the sum of their weights: then at most 1.
    """
    found = np.concatenate([model.score(query, documents) for documents in slices]).astype(np.float64)
    if normalise:
        found /= float(query.weights.sum()) if query.weights is not None else len(query.rows)
    listed: list[float] = found.tolist()
    return listed
