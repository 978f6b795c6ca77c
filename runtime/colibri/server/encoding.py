"""Texts of a request to token vectors and scores, in slices that take turns with those of others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from colibri.errors import InputError
from colibri.manifest import RoleName
from colibri.model import Colibri
from colibri.packing import Report
from colibri.server.problems import Problem, invalid
from colibri.server.work import Ticket, cost_of
from colibri.vectors import TokenVectors

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

    async def one(part: list[str], report: Report) -> TokenVectors:
        if role == "query":
            found = await model.aencode_queries(part, dim, report=report)
        else:
            long: Literal["truncate", "error"] = "truncate" if truncation else "error"
            found = await model.aencode_documents(part, dim, report=report, long_documents=long)
        if report.truncated and not truncation:
            raise InputError(f"more than the {model.manifest.query.max_tokens} tokens that fit")
        return found

    parts = [list(texts[first : first + slice_texts]) for first in range(0, len(texts), slice_texts)]
    reports = [Report() for _ in parts]
    try:
        slices = await _in_turn(
            [
                lambda part=part, report=report: ticket.turn(cost_of(part), lambda: one(part, report))  # type: ignore[misc]
                for part, report in zip(parts, reports, strict=True)
            ]
        )
    except InputError as error:  # the only one that texts of the right type can cause
        raise invalid(what, str(error).removeprefix("texts")) from None
    total = Report()
    for report in reports:
        total.texts += report.texts
        total.tokens += report.tokens
        total.truncated += report.truncated
    return Encoded(slices, total)


async def _in_turn(slices: Sequence[Callable[[], Awaitable[TokenVectors]]]) -> list[TokenVectors]:
    """Results in order, with so many under way as one request may have. An error or a cancellation ends all."""
    if len(slices) == 1:
        return [await slices[0]()]
    found: dict[int, TokenVectors] = {}
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
