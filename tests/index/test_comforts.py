"""What makes an index pleasant: hits that show themselves, documents in their order, searches that one awaits."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri import Hit, Index
from colibri.errors import InputError, InputTypeError, StoreError
from colibri.explain import Match
from colibri.index import PassageHit, Stored, highlights
from colibri.index.searching import Abandoned
from colibri.vectors import Span, TokenVectors
from reference import ARTEFACTS
from store_contract import DIM, SPACE, document, ids, rows

TEXT = "Bread is baked.\n\nThe colibri sings in the tree.\n\nSalt is in the sea."


@pytest.fixture
def explained(place: Path, model: colibri.Colibri) -> Iterator[Index]:
    """An index of texts, one of several passages."""
    with Index.open(place, model) as index:
        index.add([{"id": "a", "text": TEXT}, {"id": "b", "text": "A house."}], passage_tokens=12, overlap_tokens=0)
        yield index


def test_a_hit_shows_its_own_words(explained: Index) -> None:
    for hit in explained.search("the colibri sings", explain=True, passages=9):
        assert hit.text is not None
        assert len(hit.passages) > 1 or hit.id == "b"
        for place, passage in enumerate(hit.passages):
            assert passage.text == hit.text[passage.start : passage.end]
            for share in (0.0, 0.3, 1.0):
                assert hit.highlights(place, share=share) == highlights(passage.matches, hit.text, share)
        assert hit.highlights() == hit.highlights(None) == hit.highlights(0, share=0.3)
        place_of_numpy: Any = np.int64(0)
        assert hit.highlights(place_of_numpy) == hit.highlights()


@pytest.mark.parametrize(
    ("passage", "error"),
    [(1, InputError), (-1, InputError), ("0", InputTypeError), (True, InputTypeError), (0.0, InputTypeError)],
)
def test_a_passage_that_is_not_there_has_no_words(explained: Index, passage: Any, error: type[Exception]) -> None:
    (hit,) = explained.search("the colibri sings", 1, explain=True, passages=1)
    with pytest.raises(error, match="passage"):
        hit.highlights(passage)


def test_without_explanations_or_a_text_there_is_nothing_to_show(place: Path, model: colibri.Colibri) -> None:
    with Index.open(place, model) as index:
        index.add([{"id": "a", "text": TEXT}])
        with pytest.raises(InputError, match="explain=True"):
            index.search("bread")[0].highlights()
        index.upsert([{"id": "a", "text": TEXT}], keep_text=False)
        (hit,) = index.search("bread", explain=True)
        assert [one.text for one in hit.passages] == [None] * len(hit.passages)
        with pytest.raises(InputError, match="not kept"):
            hit.highlights()


def test_words_about_a_document_are_no_part_of_its_text() -> None:
    about = PassageHit(0, 0, 2.0, (Match(Span(0, 3), Span(0, 0), 1.0, 1.0),))
    part = PassageHit(5, 9, 1.0, (Match(Span(0, 3), Span(5, 9), 1.0, 1.0),), "text")
    assert Hit("a", 2.0, 1.0, "some text", None, (about,)).highlights() == []
    both = Hit("a", 2.0, 1.0, "some text", None, (about, part))
    assert both.highlights() == both.highlights(1) == [(5, 9)]
    assert both.highlights(0) == []


def test_json_is_free_of_numpy_and_of_what_cannot_be_written() -> None:
    score: Any = np.float32(1.5)
    payload = {"n": np.int64(3), "v": np.arange(2), "t": (1, np.bool_(True))}
    found = Hit("a", score, np.float64(0.5), "\ud800 ü", payload)
    wanted = {
        "id": "a",
        "score": 1.5,
        "normalised": 0.5,
        "text": "\ud800 ü",
        "payload": {"n": 3, "v": [0, 1], "t": [1, True]},
        "passages": [],
    }
    assert {name: found.as_dict()[name] for name in wanted} == wanted
    assert list(found.as_dict()) == [one.name for one in fields(Hit)]
    assert type(found.as_dict()["score"]) is float
    assert json.loads(found.to_json().encode()) == found.as_dict()
    assert "ü" in Hit("a", 1.0, 1.0, "ü").to_json()
    assert "\n" not in Hit("a", 1.0, 1.0, "a\nb").to_json()
    stored = Stored("a", "x", {"n": 1}, (Span(0, 1),), TokenVectors.from_arrays([rows(1)]))
    assert json.loads(stored.to_json()) == {"id": "a", "text": "x", "payload": {"n": 1}, "passages": [[0, 1]]}


@given(
    steps=st.lists(st.tuples(st.sampled_from(["add", "delete", "compact", "payload"]), st.integers(0, 8)), max_size=12)
)
def test_documents_come_in_the_order_they_were_added(steps: list[tuple[str, int]], tmp_path_factory: Any) -> None:
    order: list[str] = []
    with Index.open(tmp_path_factory.mktemp("order") / "i", dim=DIM, space_id=SPACE) as index:
        for step, seed in steps:
            name = f"d{seed}"
            if step == "add":
                index.upsert([document(seed), document(seed + 20)])
                order = [one for one in order if one not in {name, f"d{seed + 20}"}] + [name, f"d{seed + 20}"]
            elif step == "delete":
                index.delete(name)
                order = [one for one in order if one != name]
            elif step == "compact":
                index.compact()
            else:
                index.set_payloads({name: {"n": -1}})
        assert [one.id for one in index] == order


def test_one_snapshot_is_read_whatever_is_written_meanwhile(store: Index) -> None:
    store.add([document(seed, text=f"t{seed}") for seed in range(30)])
    seen = []
    for at, one in enumerate(store):
        seen.append((one.id, one.text, one.payload))
        store.upsert([document(40 + at), document(at, text="new", payload={"new": True})])
        store.delete(f"d{29 - at}")
        if at % 10 == 5:
            store.compact()
    assert seen == [(f"d{i}", f"t{i}", {"n": i}) for i in range(30)]
    first = iter(store)
    assert next(first).id == next(iter(store)).id


def test_iterating_reads_a_document_at_a_time(store: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add([document(seed, text=f"t{seed}") for seed in range(50)])
    read = iter(store)
    store.delete([f"d{seed}" for seed in range(1, 50)])
    assert next(read).id == "d0"
    read.close()  # type: ignore[attr-defined]
    assert len(list(store)) == 1
    store.close()
    with pytest.raises(StoreError, match="closed"):
        next(iter(store))


def test_contains_reads_no_text(store: Index, place: Path) -> None:
    """Also of a document that is damaged: it is there."""
    store.add([document(1, text="whole")])
    with sqlite3.connect(place / "index.sqlite") as connection:
        connection.execute("UPDATE texts SET text = CAST('other' AS BLOB)")
    connection.close()
    assert "d1" in store
    with pytest.raises(StoreError, match="d1"):
        store["d1"]


class Watched(ThreadPoolExecutor):
    """Remembers what it was given to do."""

    def __init__(self) -> None:
        super().__init__(1)
        self.given: list[Future[Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.given.append(super().submit(fn, *args, **kwargs))
        return self.given[-1]


def test_a_cancelled_search_is_given_up_between_its_steps(place: Path, model: colibri.Colibri) -> None:
    go_on, begun = threading.Event(), list[Callable[[], object]]()

    def load(_: object) -> colibri.Colibri:
        begun[0]()
        assert go_on.wait(60)
        return model

    async def main(index: Index) -> list[Future[Any]]:
        loop, loading, watched = asyncio.get_running_loop(), asyncio.Event(), Watched()
        loop.set_default_executor(watched)
        begun.append(lambda: loop.call_soon_threadsafe(loading.set))
        running = asyncio.create_task(index.asearch("bread"))
        await loading.wait()
        waiting = asyncio.create_task(index.asearch("bread"))
        await asyncio.sleep(0)  # it begins
        running.cancel()
        waiting.cancel()
        ended = await asyncio.gather(running, waiting, return_exceptions=True)
        assert [type(one) for one in ended] == [asyncio.CancelledError] * 2
        go_on.set()
        return watched.given

    with Index.open(place, model) as index:
        index.add([{"id": "a", "text": TEXT}])
    with Index.open(place, ARTEFACTS / "tiny-random-bert", load=load) as index:
        first, second = asyncio.run(main(index))
        assert isinstance(first.exception(60), Abandoned)
        assert second.cancelled()
        assert ids(asyncio.run(index.asearch("bread"))) == ["a"]
