"""Texts in an index: encoded, split, explained, and encoded again when their rows broke."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri import Document, Index, InputError, ShapeError, StoreDamaged, StoreError, TokenVectors
from colibri.index import encoding
from colibri.index.storage.token_spans import packed, unpacked
from reference import ARTEFACTS

TINY = ARTEFACTS / "tiny-random-bert"
LONG = "\n\n".join(f"Paragraph {i}. The bird number {i} sings in a tree, and nobody knows why." for i in range(40))


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(TINY, variant="cpu-fp32")


@pytest.fixture
def texts(place: Path, model: colibri.Colibri) -> Iterator[Index]:
    with Index.open(place, model) as index:
        yield index


def test_the_smallest_head_is_the_default(texts: Index, model: colibri.Colibri) -> None:
    assert texts.dim == min(model.dims)
    assert texts.space_id == model.manifest.space_id
    assert texts.model_name == model.name


def test_scores_are_those_of_the_model(texts: Index, model: colibri.Colibri) -> None:
    documents = ["a bird sings", "a house stands", "birds and houses", "🐦", "\ud800", ""]
    texts.add([{"id": str(i), "text": text} for i, text in enumerate(documents)])
    vectors = model.encode_documents(documents, texts.dim).quantize()
    wanted = model.score(model.encode_queries(["bird"], texts.dim), vectors)
    hits = texts.search("bird", k=10)
    assert [(hit.id, hit.score) for hit in hits] == [
        (str(i), float(wanted[i])) for i in (-wanted).argsort(kind="stable")
    ]
    assert [hit.text for hit in hits] == [documents[int(hit.id)] for hit in hits]
    assert texts.search_batch(["bird", "house"], k=10)[0] == hits


def test_int4_vectors_are_taken_as_the_numbers_they_hold(texts: Index, model: colibri.Colibri) -> None:
    ready = model.encode_documents(["a bird sings"], texts.dim).quantize("int4")
    texts.add([{"id": "bird", "text": "a bird sings", "vectors": ready}])
    query = model.encode_queries(["bird"], texts.dim)
    (hit,) = texts.search("bird")
    assert hit.score == float(model.score(query, ready.quantize())[0]) == float(model.score(query, ready)[0])
    with pytest.raises(ShapeError, match="int4 vectors without scales"):
        texts.add([{"id": "bare", "vectors": replace(ready, scales=None)}])


def test_a_long_text_is_split_and_found_by_its_passages(texts: Index) -> None:
    texts.add([{"id": "long", "text": LONG}, {"id": "short", "text": "A house."}], passage_tokens=30, overlap_tokens=5)
    (long, _) = texts.get(["long", "short"])
    assert long is not None
    assert len(long.passages) > 10
    covered = set()
    for passage in long.passages:
        covered |= set(range(passage.start, passage.end))
    assert {i for i, character in enumerate(LONG) if not character.isspace()} <= covered
    (hit, *_) = texts.search("bird number 17", k=1, explain=True, passages=2)
    assert len(hit.passages) == 2
    for found in hit.passages:
        assert (found.start, found.end) in long.passages
        inside = [match.document for match in found.matches if match.document.end]
        assert inside
        assert all(found.start <= span.start < span.end <= found.end for span in inside)
        assert sum(match.weight for match in found.matches) == pytest.approx(found.score, abs=1e-4)


def test_passages_end_before_the_borders_of_a_document(texts: Index) -> None:
    text = "A bird. " * 40
    places = [text.index("bird", 40 * i) for i in range(8)]  # within sentences, where no passage would begin
    texts.add([{"id": "pages", "text": text, "borders": places}], passage_tokens=30, overlap_tokens=10)
    (pages,) = texts.get(["pages"])
    assert pages is not None
    begins = [passage.start for passage in pages.passages]
    assert len(begins) > 4
    assert set(begins[1:]) <= set(places)
    ends = [passage.end for passage in pages.passages]
    assert all(end <= start for end, start in zip(ends, begins[1:], strict=False))


@pytest.mark.parametrize("borders", [[-1], [3, 2], "12", [1.5], 7, [None]])
def test_borders_that_are_none_are_refused(texts: Index, borders: Any) -> None:
    with pytest.raises(InputError, match=r"documents\[0\]: borders .*wanted .*whole numbers"):
        texts.add([{"id": "a", "text": "a bird", "borders": borders}])


def test_no_split_is_one_passage_cut_at_the_models_limit(texts: Index) -> None:
    texts.add([{"id": "long", "text": LONG}], split=False)
    (long,) = texts.get("long", vectors=True)
    assert long is not None
    assert long.vectors is not None
    assert long.passages == ((0, len(LONG)),)
    assert len(long.vectors.rows) <= 40


def test_texts_that_are_not_kept_are_not_there(texts: Index) -> None:
    texts.add([{"id": "a", "text": "a bird", "payload": {"path": "/x"}}], keep_text=False)
    (hit,) = texts.search("bird", explain=True)
    assert (hit.text, hit.payload) == (None, {"path": "/x"})
    assert hit.passages[0].end == 6


def test_documents_are_read_as_they_are_encoded(texts: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator of thousands is never held as a whole."""
    monkeypatch.setattr(encoding, "_CHUNK_TOKENS", 1_000)
    ahead = 0

    def stream() -> Iterator[dict[str, Any]]:
        nonlocal ahead
        for i in range(3_000):
            ahead = i
            yield {"id": str(i), "text": f"bird {i}"}

    seen: list[int] = []
    assert texts.add(stream(), progress=lambda tokens: seen.append(ahead)) == 3_000
    assert len(seen) == 3_000
    assert seen[0] < 2_000
    assert texts.count() == 3_000


def test_ready_vectors_and_texts_mix(texts: Index, model: colibri.Colibri) -> None:
    vectors = model.encode_documents(["a bird"], texts.dim)
    texts.add(
        [
            {"id": "a", "text": LONG},
            Document(id="b", text="a bird", vectors=vectors),
            {"id": "c", "text": "house"},
            Document(id="d", vectors=vectors[0]),
        ]
    )
    assert texts.count() == 4
    assert texts.verify().clean
    (b, d) = texts.get(["b", "d"])
    assert b is not None
    assert d is not None
    assert b.passages == ((0, 6),)
    assert d.passages == ((0, 0),)


def test_a_known_id_is_refused_before_anything_is_encoded(texts: Index) -> None:
    texts.add([{"id": "a", "text": "bird"}])
    with pytest.raises(InputError, match="'a' is there already"):
        texts.add([{"id": "b", "text": "new"}, {"id": "a", "text": "bird"}])
    assert texts.count() == 1


def test_another_variant_opens_it_and_another_space_does_not(place: Path, texts: Index) -> None:
    texts.add([{"id": "a", "text": "bird"}])
    with Index.open(place, colibri.load(TINY, variant="cpu-int8")) as index:
        assert index.search("bird")[0].id == "a"
    with pytest.raises(StoreError, match=r"was made with .*whose vectors do not compare .*; open it with"):
        Index.open(place, ARTEFACTS / "tiny-random-xlmr")
    with pytest.raises(StoreError, match="has dim"):
        Index.open(place, TINY, dim=128 if texts.dim != 128 else 64)


def test_the_model_it_was_made_with_is_the_default(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", TINY) as index:
        index.add([{"id": "a", "text": "bird"}])
    with Index.open(tmp_path / "index") as index:
        assert index.model_name == str(TINY)
        assert index.search("bird")[0].id == "a"


def test_broken_rows_are_encoded_again(place: Path, texts: Index) -> None:
    texts.add([{"id": str(i), "text": f"bird number {i}", "payload": {"i": i}} for i in range(9)])
    before = texts.search("bird", k=9)
    rows = place / "segments" / "000001.rows"
    data = bytearray(rows.read_bytes())
    data[3] ^= 1
    rows.write_bytes(bytes(data))
    with Index.open(place, TINY) as index:
        with pytest.raises(StoreDamaged):
            index.search("bird", k=9)
        done = index.repair()
        assert (done.encoded, done.dropped) == (("0",), ())
        assert index.verify().clean
        found = {hit.id: (round(hit.score, 3), hit.payload) for hit in index.search("bird", k=9)}
        assert found.keys() == {hit.id for hit in before}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"passage_tokens": 0}, "passage_tokens"),
        ({"overlap_tokens": -1}, "from 0"),
        ({"passage_tokens": "x"}, "found"),
    ],
)
def test_options_that_are_none_are_refused(texts: Index, options: dict[str, Any], wanted: str) -> None:
    with pytest.raises(InputError, match=wanted):
        texts.add([{"id": "a", "text": "b"}], **options)


@pytest.mark.parametrize("documents", ["text", {"id": "a", "text": "b"}, Document(id="a", text="b"), 5])
def test_a_single_document_is_no_list(texts: Index, documents: Any) -> None:
    with pytest.raises(InputError, match="list of documents"):
        texts.add(documents)


@pytest.mark.parametrize(
    "document", [{"text": "a"}, {"id": "a"}, {"id": "a", "text": 5}, {"id": "a", "text": "b", "metadata": {}}, "text"]
)
def test_what_is_no_document_is_named(texts: Index, document: Any) -> None:
    with pytest.raises(InputError, match=r"documents\[1\]"):
        texts.add([{"id": "x", "text": "y"}, document])
    assert texts.count() == 0


SPANS = st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), max_size=30)


@given(SPANS)
def test_any_spans_come_back(spans: list[tuple[int, int]]) -> None:
    given_spans = np.array(spans, np.int32).reshape(-1, 2)
    data = packed(given_spans)
    found, more = unpacked(data, len(given_spans))
    assert more is None
    assert found is not None
    np.testing.assert_array_equal(found, given_spans)
    if data and len(data) > 1:
        with pytest.raises(StoreDamaged):
            unpacked(data[:-1], len(given_spans))
        with pytest.raises(StoreDamaged):
            unpacked(data + b"\0", len(given_spans))


@given(SPANS.filter(len), st.data())
def test_any_further_spans_come_back(spans: list[tuple[int, int]], data: st.DataObject) -> None:
    given_spans = np.array(spans, np.int32).reshape(-1, 2)
    place = st.tuples(st.integers(0, len(spans) - 1), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
    listed = sorted(data.draw(st.lists(place, min_size=1, max_size=20)))
    bytes_ = packed(given_spans, np.array(listed, np.int32))
    found, more = unpacked(bytes_, len(given_spans))
    assert found is not None
    assert more is not None
    assert (found.tolist(), sorted(map(tuple, more.tolist()))) == (given_spans.tolist(), listed)
    assert (np.diff(more[:, 0]) >= 0).all()
    assert bytes_ is not None
    for wrong in (bytes_[:-1], bytes_ + b"\0"):
        with pytest.raises(StoreDamaged):
            unpacked(wrong, len(given_spans))
    for tokens in (len(given_spans) - 1, len(given_spans) + 1):
        with pytest.raises(StoreDamaged):
            unpacked(bytes_, tokens)


@given(st.binary(max_size=40), st.integers(0, 9))
def test_any_bytes_are_spans_or_refused(data: bytes, tokens: int) -> None:
    for each in (data, b"\xf2" + data):
        try:
            spans, more = unpacked(each, tokens)
        except StoreDamaged:
            continue
        assert spans is not None
        assert spans.shape == (tokens, 2)
        assert more is None or ((more[:, 0] >= 0) & (more[:, 0] < tokens)).all()


def test_places_of_pooled_tokens_take_two_bytes(mini_spans: TokenVectors) -> None:
    found = mini_spans.pooled(2)
    assert found.spans is not None
    assert found.more_spans is not None
    data = packed(found.spans, found.more_spans)
    assert data is not None
    assert len(data) <= 2.3 * (len(found.spans) + len(found.more_spans)) + 2


def test_spans_of_a_text_take_a_byte_a_token(mini_spans: TokenVectors) -> None:
    assert mini_spans.spans is not None
    data = packed(mini_spans.spans)
    assert data is not None
    assert len(data) <= 1.1 * len(mini_spans.spans)


@pytest.fixture(scope="module")
def mini_spans() -> TokenVectors:
    return colibri.load().encode_documents([LONG])
