"""Searches that sign bits screen find what a scan of all rows finds, or nearly, and a rule says how nearly."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from colibri import Document, Hit, Index, StoreDamaged, TokenVectors
from colibri.index import ranking, screen
from colibri.index.scores import Part, Scores, Some
from colibri.index.screen import Line
from colibri.index.storage import segments
from colibri.index.storage.segments import Segment
from rounds import rounds
from store_contract import DIM, SPACE, document, rows

WIDE = 64


@pytest.fixture(autouse=True)
def screened(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few passages there are, and although NumPy scores bits here."""
    monkeypatch.setattr(ranking, "SCREENED_FROM", 0)
    monkeypatch.setattr(ranking, "screening_kernel", lambda dim, work: "generic")


def shown(hits: list[Hit]) -> list[tuple[Any, ...]]:
    """All of them but by which way they were found."""
    return [(hit.id, hit.score, hit.normalised, hit.passages, hit.payload, hit.words) for hit in hits]


def clustered(seed: int, count: int, dim: int = WIDE) -> list[Document]:
    """Documents of 2 to 6 unit rows that lie near some of 40 directions, as those of a language's words do."""
    chances = np.random.default_rng(seed)
    words = np.random.default_rng(40).standard_normal((40, dim))
    made = []
    for number in range(count):
        own = words[chances.integers(0, len(words), chances.integers(2, 7))]
        own = own + 0.4 * chances.standard_normal(own.shape)
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        made.append(Document(id=f"d{number}", vectors=own.astype(np.float32), payload={"n": number % 7}))
    return made


def asked(seed: int, tokens: int = 8, dim: int = WIDE) -> NDArray[np.float32]:
    (made,) = clustered(seed, 1, dim)
    vectors = np.asarray(made.vectors)
    found = np.concatenate([vectors] * tokens)[:tokens]
    return (found + np.random.default_rng(seed).standard_normal(found.shape) * 0.05).astype(np.float32)


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """1,200 documents in several segments; a search scores 40 of them at first."""
    monkeypatch.setattr(screen, "FIRST", 40)
    monkeypatch.setattr(segments, "FULL_PASSAGES", 300)
    index = Index.open(tmp_path / "large", dim=WIDE, space_id="")
    made = clustered(0, 1_200)
    for first in range(0, len(made), 400):
        index.add(made[first : first + 400])
    return index


def test_scores_and_order_are_those_of_rows_and_hardly_any_of_the_best_is_lost(large: Index) -> None:
    kept = wanted = 0
    for seed in range(rounds(quick=10, soak=200)):
        hits, exact = (large.search(asked(seed), k=10, exact=exact) for exact in (False, True))
        assert {hit.screened for hit in hits} == {True}
        assert {hit.screened for hit in exact} == {False}
        scores = {hit.id: hit.score for hit in large.search(asked(seed), k=30, exact=True, passages=1)}
        assert all(hit.score == scores[hit.id] for hit in hits if hit.id in scores)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        kept += len({hit.id for hit in hits} & {hit.id for hit in exact})
        wanted += len(exact)
    assert kept >= 0.99 * wanted


def test_few_passages_are_scored_by_their_rows(large: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    before = ranking._left

    def counting(query: Any, some: Any, **options: Any) -> Any:
        looked.extend(len(places) for _, places in some)
        return before(query, some, **options)

    monkeypatch.setattr(ranking, "_left", counting)
    for seed in range(10):
        large.search(asked(seed), k=5)
    assert 10 * 40 <= sum(looked) < 10 * 600


def test_every_way_of_asking_finds_what_a_scan_finds(store: Index) -> None:
    """So few documents that a screen scores all of them: what is wrong here is no rule's fault."""
    made = [document(seed, text=f"word{seed % 5} n{seed}") for seed in range(60)]
    book = TokenVectors.from_arrays([rows(1_000 + seed, 2) for seed in range(9)])
    store.add([*made[:30], Document(id="book", vectors=book, text="word1 of a book", payload={"n": 200})])
    store.add(made[30:])
    store.delete(["d3", "d40"])
    query = rows(7, 3)
    ways: list[dict[str, Any]] = [
        {"k": 5},
        {"k": 100, "passages": 9},
        {"k": 4, "offset": 7},
        {"k": 100, "min_score": 0.5},
        {"k": 9, "where": {"n": {"$lt": 30}}},
        {"k": 9, "ids": ["d5", "book", "absent"]},
        {"k": 3, "explain": True},
        {"k": 6, "mode": "both", "text": "word1 -n11"},
        {"k": 6, "mode": "words", "text": "word1"},
    ]
    for way in ways:
        found, exact = store.search(query, **way), store.search(query, exact=True, **way)
        assert shown(found) == shown(exact)
        assert found == exact  # which way was taken does not count
        assert all(hit.screened == (way.get("mode") != "words") for hit in found)
        if "text" not in way:
            queries = TokenVectors.from_arrays([query, rows(8, 1), rows(9, 12)])
            many = [store.search_batch(queries, exact=exact, **way) for exact in (False, True)]
            assert [shown(hits) for hits in many[0]] == [shown(hits) for hits in many[1]]
            assert shown(many[0][0]) == shown(exact)
        assert shown(asyncio.run(store.asearch(query, **way))) == shown(exact)
        assert not any(hit.screened for hit in asyncio.run(store.asearch(query, exact=True, **way)))


def test_equal_documents_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are equal have equal bits: no limit cuts between them."""
    monkeypatch.setattr(screen, "FIRST", 4)
    with Index.open(tmp_path / "equal", dim=DIM, space_id=SPACE) as index:
        index.add([document(1, id=f"e{number:03}") for number in range(200)])
        index.add([document(seed, id=f"o{seed}") for seed in range(2, 40)])
        hits = index.search(rows(1, 2), k=12)
        assert [hit.id for hit in hits] == [f"e{number:03}" for number in range(12)]
        assert shown(hits) == shown(index.search(rows(1, 2), k=12, exact=True))


def test_segments_without_sign_bits_are_scanned_beside_those_that_have_some(
    large: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    large.add([Document(id="long", vectors=3 * asked(3))])  # leaves the last segment without
    with large._core.reading() as (_, snapshot):
        assert {segment.signs is None for segment in snapshot.segments} == {True, False}
    kept = 0
    for seed in range(10):
        hits, exact = (large.search(asked(seed), k=10, exact=exact) for exact in (False, True))
        assert "long" in {hit.id for hit in hits} if seed == 3 else True
        kept += len({hit.id for hit in hits} & {hit.id for hit in exact})
    assert kept >= 98


def test_a_search_of_few_passages_scores_all_of_them(large: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "SCREENED_FROM", 8 * WIDE * 4 * 600)  # 8 tokens and half of the passages
    assert {hit.screened for hit in large.search(asked(1))} == {True}
    assert {hit.screened for hit in large.search(asked(1, tokens=2))} == {False}
    assert {hit.screened for hit in large.search(asked(1), where={"n": 3})} == {False}
    assert {hit.screened for hit in large.search(asked(1), where={"n": {"$lt": 6}})} == {True}
    assert {hit.screened for hit in large.search(asked(1), ids=[f"d{n}" for n in range(20)])} == {False}
    mixed = TokenVectors.from_arrays([asked(1), asked(2, tokens=2), asked(3, tokens=1), asked(4)])
    ways = [{hit.screened for hit in hits} for hits in large.search_batch(mixed)]
    assert ways == [{True}, {False}, {False}, {True}]


def test_the_more_are_asked_for_the_more_rows_are_screened(large: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "SCREENED_FROM", 8 * WIDE * 4 * 600)  # 8 tokens and half of the passages
    ways = {k: {hit.screened for hit in large.search(asked(1), k=k)} for k in (1, 12, 23, 25, 100)}
    assert ways == {1: {True}, 12: {True}, 23: {True}, 25: {False}, 100: {False}}
    assert {hit.screened for hit in large.search(asked(1), k=12, offset=13)} == {False}
    monkeypatch.setattr(ranking, "SCREENED_FROM", 0)
    assert {hit.screened for hit in large.search(asked(1), k=100)} == {True}


@pytest.mark.parametrize(
    ("kernel", "rows", "wanted"), [("avx2", 1, 1), ("avx2", 10**9, 0), ("avx-vnni", 1, 0), (None, 1, 0)]
)
def test_where_few_query_tokens_take_as_long_as_many_rows_alone_decide(
    large: Index, monkeypatch: pytest.MonkeyPatch, kernel: str | None, rows: int, wanted: int
) -> None:
    monkeypatch.setattr(ranking, "SCREENED_FROM", 10**15)
    monkeypatch.setattr(ranking, "SCREENED_ROWS", {"avx2": rows})
    monkeypatch.setattr(ranking, "screening_kernel", lambda dim, work: kernel)
    assert bool(large.search(asked(3), k=5)[0].screened) == bool(wanted)
    assert not large.search(asked(3), k=5, exact=True)[0].screened


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_damaged_is_told(store: Index, place: Path, value: float) -> None:
    store.add([document(seed) for seed in range(30)])
    with (place / "segments" / "000001.scales").open("r+b") as file:
        file.write(np.float32(value).tobytes())
    with Index.open(place) as index, pytest.raises(StoreDamaged):
        index.search(rows(0, 1), k=3)


def test_sign_bits_that_changed_never_return_what_is_not_there(store: Index, place: Path) -> None:
    store.add([document(seed) for seed in range(30)])
    exact = store.search(rows(0, 4), k=30, exact=True)
    (place / "segments" / "000001.signs").write_bytes(bytes((place / "segments" / "000001.signs").stat().st_size))
    with Index.open(place) as index:
        assert shown(index.search(rows(0, 4), k=30)) == shown(exact)
        assert not index.verify().clean


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux tells how a map is read")
def test_a_search_that_picks_rows_has_no_others_read(large: Index) -> None:
    """What is not in memory is read page by page then, and ahead again for a scan."""

    def flags() -> set[bool]:
        """Of maps of rows and scales, whether their pages are read one by one."""
        found, ours = set(), False
        for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                path = words[5] if len(words) > 5 else ""
                ours = path.startswith(str(large.path)) and path.endswith((".rows", ".scales"))
            elif words[0] == "VmFlags:" and ours:
                found.add("rr" in words[1:])
        return found

    large.search(asked(3), k=5)
    assert True in flags()
    large.search(asked(3), k=5, exact=True)
    assert flags() == {False}


@dataclass(frozen=True)
class _Slots:
    """What `Scores` asks of a segment."""

    base: int


def parts_of(bits: NDArray[np.float32], ends: Sequence[int] = ()) -> list[Part]:
    """Passages in segments that end there, and one of the rest; an empty one among them."""
    bounds = [0, *sorted(min(end, len(bits)) for end in ends), len(bits), len(bits)]
    return [
        Part(cast("Segment", _Slots(first)), np.full(last - first, -np.inf, np.float32), bits[first:last].copy())
        for first, last in pairwise(bounds)
    ]


def _picked(exact: NDArray[np.float32], some: Some) -> list[NDArray[np.float32]]:
    return [exact[segment.base + places] for segment, places in some]


@given(
    seed=st.integers(0, 10_000),
    noise=st.floats(0.001, 0.5),
    slope=st.floats(0.2, 3),
    count=st.integers(1, 60),
    passages=st.integers(1, 5_000),
    ends=st.lists(st.integers(0, 5_000), max_size=4),
)
def test_what_is_left_out_is_as_unlikely_as_the_rule_says(
    seed: int, noise: float, slope: float, count: int, passages: int, ends: list[int]
) -> None:
    chances = np.random.default_rng(seed)
    bits = chances.standard_normal(passages).astype(np.float32)
    exact = (1 + slope * bits + noise * chances.standard_normal(passages)).astype(np.float32)
    scores = Scores(parts_of(bits, ends), partial(_picked, exact))
    found = scores.best(count)
    wanted = np.lexsort((np.arange(passages), -exact))[:count]
    assert len(found) == min(count, passages)
    assert [score for score, _ in found] == [float(exact[slot]) for _, slot in found]
    missed = len(set(wanted.tolist()) - {slot for _, slot in found})
    assert missed <= 1 + 0.02 * count  # one of few may be: on average it is 0.002 of them


def test_the_mean_share_that_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    chances = np.random.default_rng(5)
    missed = looked = 0
    for _ in range(60):
        bits = chances.standard_normal(20_000).astype(np.float32)
        exact = bits + np.float32(0.15) * chances.standard_normal(20_000).astype(np.float32)
        scores = Scores(parts_of(bits), partial(_picked, exact))
        found = {slot for _, slot in scores.best(10)}
        missed += len(set(np.argsort(-exact)[:10].tolist()) - found)
        looked += int((scores._parts[0].scores > -np.inf).sum())
    assert missed <= 3  # of 600
    assert looked < 60 * 2_000


def test_asking_again_for_more_goes_on_where_the_first_ended() -> None:
    chances = np.random.default_rng(6)
    bits = chances.standard_normal(9_000).astype(np.float32)
    exact = bits + np.float32(0.1) * chances.standard_normal(9_000).astype(np.float32)
    times = np.zeros(9_000, np.int64)

    def score(some: Some) -> list[NDArray[np.float32]]:
        for segment, places in some:
            times[segment.base + places] += 1
        return _picked(exact, some)

    scores = Scores(parts_of(bits, [8_500]), score)
    few = scores.best(5)
    scores.know(np.array([8_000, 8_001, 8_000, 7]))
    own = scores.of(8_000, 2)
    assert own is not None
    assert np.array_equal(own, exact[8_000:8_002])
    many = scores.best(500)
    assert many[:5] == few
    assert times.max() == 1
    assert scores.of(9_000, 1) is None


@pytest.mark.parametrize(("noise", "calls"), [(0.02, 2), (3.0, 3)])
def test_where_bits_say_little_the_rest_is_scored_at_once(noise: float, calls: int) -> None:
    """Some, then what the first thousands say: all of them, in one call, or none."""
    chances = np.random.default_rng(7)
    bits = chances.standard_normal(60_000).astype(np.float32)
    exact = bits + np.float32(noise) * chances.standard_normal(60_000).astype(np.float32)
    looked: list[int] = []

    def score(some: Some) -> list[NDArray[np.float32]]:
        looked.append(sum(len(places) for _, places in some))
        return _picked(exact, some)

    scores = Scores(parts_of(bits, [20_000, 41_000]), score)
    found = [slot for _, slot in scores.best(20)]
    assert set(found) == set(np.argsort(-exact)[:20].tolist())
    assert (sum(looked) == 60_000) == (calls == 3)
    assert len(looked) <= calls
    scores.best(500 if calls == 3 else 20)
    assert len(looked) <= calls


def test_how_many_are_needed_is_guessed_beyond_those_that_are_in_order() -> None:
    line = Line(0.0, 1.0, 1.0)
    everyone = np.sort(np.random.default_rng(8).standard_normal(64_000).astype(np.float32))[::-1]
    head, others = everyone[:4_096], everyone[4_096 :: screen.ONE_IN]
    exact = screen.more(line, 4.5, 10, everyone, np.zeros(0, np.float32))
    guessed = screen.more(line, 4.5, 10, head, others)
    assert exact > 3 * len(head)
    assert abs(guessed - exact) < 0.02 * exact
    assert screen.more(line, 40.0, 10, head, others) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_no_part_of_the_line(value: float) -> None:
    bits = np.array([1, 2, 3, 4], np.float32)
    line = Line.through(bits, np.array([3, 5, value, 9], np.float32))
    assert (round(line.level, 5), round(line.slope, 5)) == (1, 2)
    assert line.spread < 1e-5


def test_a_line_of_nothing_and_of_one() -> None:
    nothing = np.zeros(0, np.float32)
    assert Line.through(nothing, nothing) == Line(0.0, 1.0, 0.0)
    one = Line.through(np.array([2], np.float32), np.array([5], np.float32))
    assert (one.level, one.slope, one.spread) == (3, 1, 0)


def test_chances_are_those_of_a_normal_distribution() -> None:
    line = Line(0.0, 1.0, 2.0)
    found = line.chances(np.array([9, 0, -2, -4, -6, -300], np.float32), 0.0)
    wanted = [0.5, 0.5, 0.158655, 0.0227501, 0.0013499, 0.0]
    assert np.allclose(found, wanted, rtol=0.12, atol=1e-12)


def test_chances_are_a_normal_variables_and_none_where_nothing_is_expected() -> None:
    line = Line(level=1.0, slope=2.0, spread=0.5)
    away = np.array([0.5, 1, 2, 3, 5, 8, 8.9, 9.5, 40, np.inf])
    bits = ((3.0 - 0.5 * away - 1.0) / 2).astype(np.float32)
    found = line.chances(bits, least=3.0)
    wanted = [0.5 * math.erfc(one / math.sqrt(2)) for one in away.tolist()]
    assert np.allclose(found[:7], wanted[:7], rtol=0.1)
    assert found[7:].tolist() == [0.0, 0.0, 0.0]


@given(
    seed=st.integers(0, 10_000),
    slope=st.sampled_from([0.0, 1e-3, 0.3, 2.0]),
    spread=st.sampled_from([0.0, 1e-4, 0.05, 1.0]),
    beyond=st.floats(-3, 20),
    count=st.integers(1, 40),
    sizes=st.tuples(st.integers(1, 300), st.integers(0, 300)),
)
def test_how_many_are_scored_next_is_what_all_that_wait_add_up_to(
    seed: int, slope: float, spread: float, beyond: float, count: int, sizes: tuple[int, int]
) -> None:
    line = Line(0.2, slope, spread)
    all_bits = np.sort(np.random.default_rng(seed).standard_normal(sum(sizes)).astype(np.float32))[::-1]
    waiting, others = all_bits[: sizes[0]], all_bits[sizes[0] :]
    least = 0.2 + slope * float(waiting[0]) + beyond * spread
    behind = [line.chances(np.array([one]), least)[0] for one in waiting]
    beside = [line.chances(np.array([one]), least)[0] * screen.ONE_IN for one in others]
    wanted = sum(sum(behind[i:]) + sum(beside) > screen.MISSED * count for i in range(len(behind)))
    if wanted == len(waiting):
        beside.sort()
        wanted += screen.ONE_IN * sum(sum(beside[: i + 1]) > screen.MISSED * count for i in range(len(beside)))
    found = screen.more(line, least, count, waiting, np.random.default_rng(seed).permutation(others))
    assert abs(found - wanted) <= screen.ONE_IN  # sums in another order may lie on either side of the bound


@pytest.mark.parametrize("step", [16, 15, 1])
def test_best_passages_in_every_sixteenth_place_are_found(step: int) -> None:
    chances = np.random.default_rng(step)
    bits = chances.standard_normal(50_000).astype(np.float32)
    for first in (0, 5):
        some = bits.copy()
        some[first::step] += 5
        exact = some + np.float32(0.05) * chances.standard_normal(50_000).astype(np.float32)
        scores = Scores(parts_of(some, [20_000]), partial(_picked, exact))
        found = {slot for _, slot in scores.best(10)}
        assert len(found & set(np.argsort(-exact)[:10].tolist())) >= 9
        assert 0 < len(scores._head.bits) <= 3 * 4_096 + 4 * len(scores._seen)


@pytest.mark.parametrize("copies", [1, 60])
def test_the_best_are_found_where_many_passages_share_what_answers(copies: int) -> None:
    """A query of one token: passages that share a row score alike, and 256 of the largest bits are few rows."""
    turns = rounds(quick=20, soak=100)
    kept = looked = 0
    for seed in range(turns):
        chances = np.random.default_rng(seed)
        exact = chances.standard_normal(100_000 // copies).astype(np.float32)
        bits = exact + np.float32(0.4) * chances.standard_normal(len(exact)).astype(np.float32)
        mixed = chances.permutation(np.repeat(np.arange(len(exact)), copies))
        exact, bits = exact[mixed], bits[mixed]
        scores = Scores(parts_of(bits, [5_000, 61_000]), partial(_picked, exact))
        kept += sum(score >= np.sort(exact)[-10] for score, _ in scores.best(10))
        looked += int(sum((part.scores > -np.inf).sum() for part in scores._parts))
    assert kept >= 0.99 * 10 * turns
    assert looked < turns * 20_000


def test_a_line_that_stands_in_very_many_passages_does_not_make_a_search_a_scan() -> None:
    chances = np.random.default_rng(8)
    bits = chances.standard_normal(200_000).astype(np.float32)
    bits[::20] = 6
    exact = bits + np.float32(0.1) * chances.standard_normal(len(bits)).astype(np.float32)
    exact[::20] = 6
    scores = Scores(parts_of(bits), partial(_picked, exact))
    assert [slot for _, slot in scores.best(10)] == list(range(0, 200, 20))
    assert int((scores._parts[0].scores > -np.inf).sum()) <= 3 * 10_000


def test_passages_that_are_alike_tell_once_what_they_tell() -> None:
    told = screen.Told.nothing()
    assert len(told) == 0
    assert told.line() == Line(0.0, 1.0, 0.0)
    bits, exact = (np.array(values, np.float32) for values in ([1, 2, 1, 3, 2], [1.5, 2, 1.5, 3, 2.5]))
    for first in range(5):
        told = told.with_more(bits[first : first + 1], exact[first : first + 1])
    assert len(told) == 4
    for again in (told, told.with_more(bits, exact)):
        assert again.line() == pytest.approx(Line.through(bits[[0, 1, 3, 4]], exact[[0, 1, 3, 4]]))
