"""Turns that small slices of several requests share: who gets what, and who pays when one fails or leaves."""

import asyncio
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from colibri.encoding.packing import Report
from colibri.model import Colibri
from colibri.server.work import Slice, Ticket, Work
from live_server import BERT, XLMR, LiveServer

Groups = Sequence[Sequence[str]]


class Turns:
    """Work with one place, whose first turn lasts until `go`: what is asked for meanwhile waits together."""

    def __init__(self, texts: int = 4) -> None:
        self.work = Work(places=1, queue=100, wait_seconds=60, texts=texts)
        self.groups: list[Groups] = []
        self.go = asyncio.Event()
        self._admitted: list[AbstractContextManager[Ticket]] = []
        self.first = asyncio.create_task(self.ask("first"))

    async def ask(self, *texts: str, kind: Hashable | None = "kind") -> list[str]:
        with self.work.admit(len(texts)) as ticket:
            return await ticket.turn(len(texts), self._run, texts, kind)

    async def _run(self, groups: Groups) -> list[list[str]]:
        self.groups.append(groups)
        await self.go.wait()
        if any("bad" in group for group in groups):
            raise ValueError("bad")
        return [[text.upper() for text in group] for group in groups]

    def asked(self, *texts: str, kind: Hashable | None = "kind") -> "asyncio.Task[list[str]]":
        return asyncio.create_task(self.ask(*texts, kind=kind))

    async def settled(self) -> None:
        """Everything that can happen without `go` has."""
        for _ in range(10):
            await asyncio.sleep(0)


def test_slices_of_one_kind_share_a_turn_while_there_is_room() -> None:
    async def play() -> None:
        turns = Turns()
        await turns.settled()
        tasks = [turns.asked("a"), turns.asked("b", "c"), turns.asked("x", kind="other"), turns.asked("d", "e")]
        tasks += [turns.asked("f"), turns.asked("g", kind=None), turns.asked("h", kind=None)]
        await turns.settled()
        assert turns.work.running == 1
        turns.go.set()
        found = await asyncio.gather(turns.first, *tasks)
        assert found == [["FIRST"], ["A"], ["B", "C"], ["X"], ["D", "E"], ["F"], ["G"], ["H"]]
        # "d", "e" did not fit beside the first three, "f" did; nothing else changed places.
        assert [[list(group) for group in groups] for groups in turns.groups] == [
            [["first"]],
            [["a"], ["b", "c"], ["f"]],
            [["x"]],
            [["d", "e"]],
            [["g"]],
            [["h"]],
        ]
        assert (turns.work.running, turns.work.admitted, turns.work.waiting_seconds) == (0, 0, 0)

    asyncio.run(play())


def test_one_that_fails_does_not_take_the_others_along() -> None:
    async def play() -> None:
        turns = Turns()
        await turns.settled()
        tasks = [turns.asked("a"), turns.asked("bad"), turns.asked("c")]
        await turns.settled()
        turns.go.set()
        found: list[Any] = await asyncio.gather(*tasks, return_exceptions=True)
        assert (found[0], found[2]) == (["A"], ["C"])
        assert isinstance(found[1], ValueError)
        assert [len(groups) for groups in turns.groups] == [1, 3, 1, 1, 1]
        assert (turns.work.running, turns.work.admitted, turns.work.waiting_seconds) == (0, 0, 0)

    asyncio.run(play())


def test_who_leaves_ends_only_work_that_was_nobody_elses() -> None:
    async def play() -> None:
        turns = Turns()
        await turns.settled()
        assert turns.work.running == 1
        waits = turns.asked("never begins")
        await turns.settled()
        waits.cancel()
        turns.first.cancel()  # the only one of its turn: that ends without `go`
        await asyncio.gather(waits, turns.first, return_exceptions=True)
        assert (turns.work.running, turns.work.admitted) == (0, 0)

        blocking = turns.asked("blocking")
        await turns.settled()
        tasks = [turns.asked("a"), turns.asked("b")]
        await turns.settled()
        turns.go.set()
        await blocking
        turns.go.clear()
        await turns.settled()
        assert [list(group) for group in turns.groups[-1]] == [["a"], ["b"]]
        tasks[0].cancel()
        await turns.settled()
        assert (turns.work.running, turns.work.admitted) == (1, 1)
        turns.go.set()
        assert await tasks[1] == ["B"]
        assert tasks[0].cancelled()
        await turns.settled()
        assert (turns.work.running, turns.work.admitted, turns.work.waiting_seconds) == (0, 0, 0)

    asyncio.run(play())


def test_a_turn_that_is_left_before_it_begins_gives_its_place_back() -> None:
    async def play() -> None:
        turns = Turns()
        with turns.work.admit(1) as ticket:
            piece = Slice(ticket, 1, turns._run, ["a"])
            turns.first.cancel()
            asking = asyncio.create_task(turns.work.turn(piece))
            await asyncio.sleep(0)
            assert (turns.work.running, turns.groups) == (1, [])
            assert piece.batch is not None
            await piece.batch.leave(piece)
            assert (turns.work.running, turns.groups) == (0, [])
            asking.cancel()
        turns.go.set()
        assert await turns.ask("next") == ["NEXT"]

    asyncio.run(play())


def test_many_small_requests_at_once_get_their_own_rows_and_counts(
    server: LiveServer, xlmr: Colibri, bert: Colibri
) -> None:
    """Of both models, roles and widths, some cut, some refused: as each would alone."""
    bodies: list[dict[str, Any]] = [
        {
            "model": (XLMR, BERT)[i % 2],
            "input": [f"bird {i} {'and ' * (i % 23 * 20)}"] + ["b"] * (i % 3),
            "input_type": ("document", "query", None)[i % 5 % 3],
            "dimensions": (16, None)[i % 7 % 2],
            "truncation": (None, True, False)[i % 11 % 3],
        }
        for i in range(240)
    ]
    with ThreadPoolExecutor(24) as clients:
        found = list(clients.map(lambda body: server.call("/v1/embeddings", body), bodies))
    refused = 0
    for body, answer in zip(bodies, found, strict=True):
        model, report = (xlmr if body["model"] == XLMR else bert), Report()
        encode = model.encode_queries if body["input_type"] == "query" else model.encode_documents
        expected = encode(body["input"], body["dimensions"], report=report)
        if report.truncated and body["truncation"] is False:
            assert answer.status == 422
            refused += 1
            continue
        assert answer.json["usage"]["total_tokens"] == report.tokens
        assert answer.headers.get("x-colibri-truncated", "0") == str(report.truncated)
        for entry, rows in zip(answer.json["data"], expected, strict=True):
            np.testing.assert_array_equal(np.array(entry["embeddings"], np.float32), rows)
    assert 0 < refused < len(bodies)
