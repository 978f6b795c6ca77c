"""An index whose tokens are pooled: half the rows, kept in its facts, and never mixed with another pool unasked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import colibri
from colibri import Index, InputError, StoreError
from colibri.files import make_anew
from colibri.index.storage import catalogue
from colibri.pooling import spans_within
from reference import ARTEFACTS
from store_contract import DIM, SPACE

BERT = str(ARTEFACTS / "tiny-random-bert")
Loader = Callable[[Any], colibri.Colibri]
TEXTS = {
    "birds": "The keeper counts the birds of the lake in the morning.",
    "house": "A house of stone stands by the road, and nobody lives in it.",
    "long": "The river is long. " * 40,
}


@pytest.fixture
def load(model: colibri.Colibri) -> Loader:
    """In place of `colibri.load`: the one that the tests have loaded."""
    return lambda source: model


@pytest.fixture
def made(tmp_path: Path, load: Loader) -> Callable[..., Index]:
    """Makes an index of the texts with a pool."""

    def make(name: str, pool: int | None) -> Index:
        index = Index.open(tmp_path / name, BERT, pool=pool, load=load)
        index.add([{"id": found, "text": text} for found, text in TEXTS.items()])
        return index

    return make


def rows_of(index: Index) -> dict[str, np.ndarray]:
    found = {one.id: one.vectors for one in index.documents(vectors=True)}
    return {name: vectors.rows for name, vectors in found.items() if vectors is not None}


def test_it_holds_what_pooling_the_rows_gives(made: Callable[..., Index], model: colibri.Colibri) -> None:
    with made("pooled", 2) as index:
        assert (index.pool, index.stats().pool) == (2, 2)
        wanted = model.encode_documents([TEXTS["birds"], TEXTS["house"]], index.dim).pooled(2)
        for i, name in enumerate(("birds", "house")):
            stored = index.get([name], vectors=True)[0]
            assert stored is not None
            assert stored.vectors is not None
            found = stored.vectors
            assert np.allclose(found.dequantize().rows, wanted[i], atol=1 / 127)
            first, last = wanted.starts[i : i + 2].tolist()
            assert wanted.spans is not None
            assert found.spans is not None
            assert found.spans.tolist() == wanted.spans[first:last].tolist()
            more = spans_within(wanted.more_spans, first, last)
            assert more is not None
            assert len(more)
            assert found.more_spans is not None
            assert found.more_spans.tolist() == more.tolist()
        assert index.verify().clean


def test_half_the_tokens_are_left_and_highlights_hold(made: Callable[..., Index]) -> None:
    with made("one", None) as one, made("two", 2) as two:
        assert 0.5 < two.stats().tokens / one.stats().tokens < 0.6
        (hit,) = two.search("birds of the lake", k=1, ids=["birds"], explain=True)
        text = hit.text or ""
        for match in hit.passages[0].matches:
            assert 0 <= match.document.start <= match.document.end <= len(text)
        words = {text[start:end] for start, end in hit.highlights()}
        assert words
        assert not any(" " in word for word in words)
        assert sum(match.weight for match in hit.passages[0].matches) == pytest.approx(hit.score, rel=1e-5)


def test_a_pool_is_kept_in_both_files_and_none_says_nothing(made: Callable[..., Index], load: Loader) -> None:
    with made("pooled", 3) as index:
        facts = json.loads((index.path / "index.json").read_text("utf-8"))
        assert facts["pool"] == "3"
    with made("plain", 1) as plain:
        assert "pool" not in json.loads((plain.path / "index.json").read_text("utf-8"))
        with plain._core.shelf.reading() as connection:
            assert catalogue.POOL not in catalogue.read_facts(connection)
    with Index.open(index.path, create=False, load=load) as again:
        assert again.pool == 3
        again.upsert([{"id": "more", "text": TEXTS["birds"]}])
        assert np.array_equal(rows_of(again)["more"], rows_of(again)["birds"])


@pytest.mark.parametrize(("own", "asked"), [(2, 3), (2, 1), (None, 2)])
def test_another_pool_is_refused(made: Callable[..., Index], own: int | None, asked: int) -> None:
    made("pooled", own).close()
    with pytest.raises(StoreError, match=rf"not by {asked}; .*--rebuild --pool {asked}"):
        made("pooled", asked)


@pytest.mark.parametrize("pool", [0, True, 2.0, "2"])
def test_a_pool_that_is_none_is_refused_before_anything_is_made(tmp_path: Path, pool: Any) -> None:
    with pytest.raises(InputError, match="pool: found"):
        Index.open(tmp_path / "new", BERT, pool=pool)
    assert not (tmp_path / "new").exists()


def test_vectors_of_another_encoder_are_taken_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"give it TokenVectors.pooled\(2\)"):
        Index.open(tmp_path / "new", dim=DIM, space_id=SPACE, pool=2)
    assert not (tmp_path / "new").exists()


def test_vectors_that_come_ready_are_not_pooled(made: Callable[..., Index], model: colibri.Colibri) -> None:
    with made("pooled", 2) as index:
        vectors = model.encode_documents([TEXTS["birds"]], index.dim)
        index.add([{"id": "ready", "text": TEXTS["birds"], "vectors": vectors}])
        assert len(rows_of(index)["ready"]) == len(vectors.rows)


def test_a_repair_keeps_the_pool_and_pools_what_it_encodes(made: Callable[..., Index], load: Loader) -> None:
    with made("pooled", 2) as index:
        before = rows_of(index)
        path = index.path / "segments" / "000001.rows"
        broken = bytearray(path.read_bytes())
        broken[3] ^= 255
        path.write_bytes(broken)
    with Index.open(index.path, create=False, load=load) as index:
        assert not index.verify().clean
        index.repair()
        assert (index.pool, index.verify().clean) == (2, True)
        found = rows_of(index)
        assert {name: rows.tolist() for name, rows in found.items()} == {k: v.tolist() for k, v in before.items()}


def test_a_pool_survives_a_broken_sqlite_file(made: Callable[..., Index], load: Loader) -> None:
    with made("pooled", 2) as index:
        place = index.path
    (place / "index.sqlite").write_bytes(b"SQLite format 3\0" + b"\0" * 5000)
    with Index.open(place, create=False, load=load) as index:
        index.repair()
        assert index.pool == 2
    with Index.open(place, create=False) as again:
        assert (again.pool, again.stats().pool) == (2, 2)


def test_an_export_of_rows_that_are_not_pooled_is_pooled_as_it_comes_in(
    made: Callable[..., Index], tmp_path: Path
) -> None:
    with made("one", None) as one, made("two", 2) as two:
        one.export(tmp_path / "plain")
        two.export(tmp_path / "pooled")
        with Index.open(tmp_path / "back", BERT, pool=2) as back:
            assert back.import_(tmp_path / "plain") == len(TEXTS)
            assert {k: v.shape for k, v in rows_of(back).items()} == {k: v.shape for k, v in rows_of(two).items()}
            assert back.import_(tmp_path / "pooled", replace=True) == len(TEXTS)
            assert {k: v.tolist() for k, v in rows_of(back).items()} == {k: v.tolist() for k, v in rows_of(two).items()}
        for pool in (None, 3):
            with (
                Index.open(tmp_path / f"other {pool}", BERT, pool=pool) as other,
                pytest.raises(InputError, match="holds tokens pooled by 2, this index pools by"),
            ):
                other.import_(tmp_path / "pooled")


@pytest.mark.parametrize(("own", "asked", "wanted"), [(None, 2, 2), (2, None, 2), (2, 1, 1)])
def test_a_rebuild_takes_another_pool_or_keeps_its_own(
    made: Callable[..., Index], load: Loader, own: int | None, asked: int | None, wanted: int
) -> None:
    with made("index", own) as index, made("as it should be", wanted) as other:
        with Index.open(index.path, create=False, load=load) as beside:
            assert beside.pool == (own or 1)
            make_anew(index, None, None, load, lambda tokens: None, pool=asked)
            assert {k: v.tolist() for k, v in rows_of(index).items()} == {
                k: v.tolist() for k, v in rows_of(other).items()
            }
            assert beside.commits() == index.commits()  # whoever had it open follows
            assert (index.pool, beside.pool) == (wanted, wanted)
        assert json.loads((index.path / "index.json").read_text("utf-8")).get("pool", "1") == str(wanted)
        assert index.verify().clean


def test_a_writer_that_met_no_pool_yet_is_told_that_the_index_was_made_anew(
    made: Callable[..., Index], load: Loader
) -> None:
    with made("index", None) as index, Index.open(index.path, create=False, load=load) as beside:
        make_anew(index, None, None, load, lambda tokens: None, pool=2)
        with pytest.raises(StoreError, match="was made anew"):
            beside.delete(["birds"])
        assert beside.delete(["birds"]) == 1
        assert (beside.pool, index.count()) == (2, len(TEXTS) - 1)


def test_a_takeover_that_changes_nothing_but_documents_refuses_no_writer(
    made: Callable[..., Index], load: Loader
) -> None:
    with made("index", None) as index, Index.open(index.path, create=False, load=load) as beside:
        make_anew(index, None, None, load, lambda tokens: None)
        assert beside.delete(["birds"]) == 1
        assert (beside.pool, index.count()) == (1, len(TEXTS) - 1)


def test_pooled_rows_are_kept_as_int4_too_and_conversions_lose_no_place(tmp_path: Path, load: Loader) -> None:
    with Index.open(tmp_path / "both", BERT, rows="int4", pool=2, load=load) as index:
        index.add([{"id": found, "text": text} for found, text in TEXTS.items()])
        assert (index.rows, index.pool) == ("int4", 2)
        before = {one.id: one.vectors for one in index.documents(vectors=True)}
        index.convert(rows="int8")
        assert (index.rows, index.pool) == ("int8", 2)
        index.convert(rows="int4")
        assert index.verify().clean
        for one in index.documents(vectors=True):
            vectors, known = one.vectors, before[one.id]
            assert vectors is not None
            assert known is not None
            assert vectors.spans is not None
            assert known.spans is not None
            assert vectors.spans.tolist() == known.spans.tolist()
            assert vectors.more_spans is not None
            assert known.more_spans is not None
            assert vectors.more_spans.tolist() == known.more_spans.tolist()
        (hit,) = index.search("birds of the lake", k=1, ids=["long"], explain=True)
        assert any(match.also for match in hit.passages[0].matches)
