"""int4 rows in place of int8 ones: half of the bytes, the same operations, and one made of the other."""

import json
import random
import signal
import sqlite3
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from colibri import Document, Index, InputError, ShapeError, StoreDamaged, StoreError, TokenVectors
from colibri.index import RowKind, ingest
from colibri.index.storage import catalogue, segments, transaction
from colibri.scoring import maxsim
from reference import int8_maxsim
from rounds import rounds
from sign_files import signed
from store_contract import DIM, SPACE, document, rows

KINDS: tuple[RowKind, ...] = ("int8", "int4")
CHILD = """
import sys
from colibri import Index
from colibri.index.storage import segments
segments.FULL_PASSAGES = 10
with Index.open(sys.argv[1], create=False) as index:
    print("ready", flush=True)
    for turn in range(1000):
        index.convert(rows=("int8", "int4")[turn % 2])
        print(turn, flush=True)
"""


def made(place: Path, kind: RowKind, count: int = 20) -> Index:
    index = Index.open(place, dim=DIM, space_id=SPACE, rows=kind)
    index.add([document(seed, text=f"text {seed}") for seed in range(count)])
    return index


def facts(place: Path) -> dict[str, str]:
    with closing(sqlite3.connect(place / "index.sqlite")) as connection:
        return catalogue.read_facts(connection)


def flip(path: Path, at: int, bit: int = 0) -> None:
    """One bit of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def plain_score(query: np.ndarray, found: TokenVectors) -> float:
    """By plain loops over int4 rows: of each byte the lower and the upper four bits, less 8."""
    assert found.scales is not None
    integers = [[int(byte) % 16 - 8 for byte in row] + [int(byte) // 16 - 8 for byte in row] for row in found.rows]
    return float(int8_maxsim(query, [list(zip(integers, found.scales, strict=True))])[0])


def test_an_index_says_what_it_keeps_and_half_of_the_bytes_lie_on_the_disk(tmp_path: Path) -> None:
    sizes = {}
    for kind in KINDS:
        with made(tmp_path / kind, kind) as index:
            assert (index.rows, index.stats().rows) == (kind, kind)
            sizes[kind] = (tmp_path / kind / "segments" / "000001.rows").stat().st_size
            tokens = index.stats().tokens
        with Index.open(tmp_path / kind) as index:  # what it is need not be said again
            assert index.rows == kind
    assert sizes == {"int8": tokens * DIM, "int4": tokens * DIM // 2}
    with Index.open(tmp_path / "new", dim=DIM, space_id=SPACE) as index:
        assert index.rows == "int8"


def test_scores_are_those_of_int4_rows_to_the_bit(tmp_path: Path) -> None:
    query = rows(99, 4)
    with made(tmp_path / "index", "int4") as index:
        hits = index.search(query, k=20, explain=True)
        assert len(hits) == 20
        for hit in hits:
            given = document(int(hit.id[1:])).vectors
            kept = TokenVectors.from_arrays([np.asarray(given)]).quantize("int4")
            (stored,) = index.get(hit.id, vectors=True)
            assert stored is not None
            assert stored.vectors is not None
            assert stored.vectors.kind == "int4"
            assert np.array_equal(stored.vectors.rows, kept.rows)
            assert hit.score == plain_score(query, kept) == float(maxsim(query, kept)[0])
            matches = hit.passages[0].matches
            assert matches is not None
            assert sum(match.similarity for match in matches) == pytest.approx(hit.score, abs=1e-5)
        for mode in ("both", "words"):
            found = index.search(query, k=3, mode=mode, text='"text 7"')
            assert [hit.id for hit in found] == ["d7"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", ["int8", "int4", None])
def test_vectors_of_any_kind_are_taken_as_the_numbers_they_hold(
    tmp_path: Path, kind: RowKind, given: RowKind | None
) -> None:
    plain = TokenVectors.from_arrays([rows(1, 3), rows(2, 2)])
    vectors = plain if given is None else plain.quantize(given)
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE, rows=kind) as index:
        index.add([document(5), Document(id="a", vectors=vectors), document(6)])
        (found,) = index.get("a", vectors=True)
        assert found is not None
        assert found.vectors is not None
        wanted = vectors.quantize(kind)
        assert np.array_equal(found.vectors.rows, wanted.rows)
        assert found.vectors.scales is not None
        assert wanted.scales is not None
        assert np.array_equal(found.vectors.scales, wanted.scales)


@pytest.mark.parametrize("given", ["int8", "int4"])
@pytest.mark.parametrize("scale", [np.nan, np.inf, 3e38])
def test_rows_that_are_not_finite_are_refused(tmp_path: Path, given: RowKind, scale: float) -> None:
    vectors = TokenVectors.from_arrays([rows(1, 3)]).quantize(given)
    scales = np.array([1, scale, 1], np.float32)
    broken = TokenVectors(vectors.rows, vectors.starts, scales=scales)
    with made(tmp_path / "index", "int4") as index:
        if given == "int4" and scale == 3e38:  # kept as it is, as an int8 index keeps int8
            index.add([Document(id="broken", vectors=broken)])
        else:
            with pytest.raises(InputError, match="'broken' are not finite"):
                index.add([Document(id="fine", vectors=vectors), Document(id="broken", vectors=broken)])
            assert index.count() == 20
        assert index.verify().clean


def test_whatever_writes_rows_writes_int4_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 30)
    with made(tmp_path / "index", "int4") as index:
        index.add([document(seed) for seed in range(20, 45)])
        monkeypatch.setattr(ingest, "_BATCH_DOCUMENTS", 4)
        for share in (1, 1_000):  # what was staged in files is copied to the end of a segment, or becomes one
            monkeypatch.setattr(transaction, "OWN_SHARE", share)
            index.upsert([document(seed, id=f"s{share}-{seed}") for seed in range(12)])
            assert index.verify().clean
        index.delete([f"d{seed}" for seed in range(0, 40, 2)])
        before = index.search(rows(3, 4), k=60)
        gone = index.stats().gone_tokens
        assert index.compact() == gone * (DIM // 2 + 4)
        assert index.search(rows(3, 4), k=60) == before
        assert all(signed(index))
        assert index.verify().clean
        index.export(tmp_path / "export")
        with Index.open(tmp_path / "wide", dim=DIM, space_id=SPACE) as wide:
            wide.import_(tmp_path / "export")
            assert [(hit.id, hit.score) for hit in wide.search(rows(3, 4), k=60)] == [(h.id, h.score) for h in before]
        with Index.open(tmp_path / "other", dim=DIM, space_id=SPACE, rows="int4") as other:
            other.import_(tmp_path / "export")
            assert [(hit.id, hit.score) for hit in other.search(rows(3, 4), k=60)] == [(h.id, h.score) for h in before]
    with made(tmp_path / "taking", "int8") as index:
        assert index.take_over(tmp_path / "other", index.commits())
        assert index.rows == "int4"
        assert [(hit.id, hit.score) for hit in index.search(rows(3, 4), k=60)] == [(h.id, h.score) for h in before]
        index.add([document(77)])
        assert index.verify().clean
        assert all(signed(index))


@pytest.mark.parametrize("kind", ["rows", "scales"])
def test_flipped_bits_are_found_and_mended(tmp_path: Path, kind: str) -> None:
    with made(tmp_path / "index", "int4", 12) as index:
        index.close()
    file = tmp_path / "index" / "segments" / f"000001.{kind}"
    ends = np.frombuffer((tmp_path / "index" / "segments" / "000001.ends").read_bytes(), "<i8")
    whole, width = file.read_bytes(), {"rows": DIM // 2, "scales": 4}[kind]
    chances = random.Random(kind)
    with Index.open(tmp_path / "index") as index:
        for at in range(0, len(whole), 11):
            flip(file, at, chances.randrange(8))
            owner = f"d{int(np.searchsorted(ends, at // width, side='right'))}"
            assert index.verify().damaged == (owner,)
            with pytest.raises(StoreDamaged):
                index.get(owner)
            with pytest.raises(StoreDamaged, match="nothing was converted"):
                index.convert(rows="int8")
            file.write_bytes(whole)
        flip(file, 3, 2)
        assert index.repair().dropped == ("d0",)
        assert index.verify().clean
        assert index.count() == 11
        assert all(signed(index))


def test_one_becomes_the_other_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 6)
    place = tmp_path / "index"
    with made(place, "int8") as index, Index.open(place) as reader:
        index.delete("d3")
        query = rows(4, 3)
        assert reader.search(query, k=30)
        assert index.convert(rows="int8") == 0
        assert index.convert(rows="int4") == 19
        assert index.convert(rows="int4") == index.convert() == 0
        assert facts(place)["scheme"] == json.loads((place / "index.json").read_text("utf-8"))["scheme"] == "int4-scale"
        assert index.stats().gone_tokens == 0
        for found in (index, reader):
            hits = found.search(query, k=30)
            assert found.rows == "int4"
            assert found.verify().clean
            assert all(signed(found))
        for hit in hits:
            given = TokenVectors.from_arrays([np.asarray(document(int(hit.id[1:])).vectors)])
            assert hit.score == plain_score(query, given.quantize("int8").quantize("int4"))
            assert hit.text == f"text {hit.id[1:]}"
        assert [hit.id for hit in index.search(query, mode="words", text='"text 9"')] == ["d9"]
        index.upsert([document(50)])
        assert index.convert(rows="int8") == 20
        assert [(hit.id, hit.score) for hit in reader.search(query, k=30) if hit.id != "d50"] == [
            (hit.id, hit.score) for hit in hits
        ]
        assert reader.rows == "int8"
        assert reader.verify().clean
    with Index.open(place, create=False) as index:
        assert index.rows == "int8"


def test_offsets_of_tokens_go_along_each_kind_s_own_way(tmp_path: Path) -> None:
    place = tmp_path / "index"
    text = "A small bird sings."
    spans = np.array([[0, 0], [0, 1], [2, 7], [8, 12], [13, 18], [17, 19]], np.int32)
    vectors = TokenVectors(rows(3, 6), np.array([0, 4, 6]), spans)

    def kept() -> list[bytes]:
        with closing(sqlite3.connect(place / "index.sqlite")) as connection:
            return [data for (data,) in connection.execute("SELECT spans FROM passages ORDER BY slot")]

    with Index.open(place, dim=DIM, space_id=SPACE) as index:
        index.add([Document(id="a", text=text, vectors=vectors)])
        before = kept()
        assert index.convert(rows="int4") == 1
        assert [data[0] for data in kept()] == [0xFF, 0xFF]
        (found,) = index.get("a", vectors=True)
        assert found is not None
        assert found.vectors is not None
        assert found.vectors.spans is not None
        assert found.vectors.spans.tolist() == spans.tolist()
        (hit,) = index.search(rows(3, 1), k=1, explain=True)
        assert hit.text == text
        assert index.convert(rows="int8") == 1
        assert kept() == before
        assert index.verify().clean


@pytest.mark.parametrize(("kind", "most"), [("int8", 70.5), ("int4", 38.0)])
def test_bytes_a_token_ids_passages_and_offsets_included(tmp_path: Path, kind: RowKind, most: float) -> None:
    """64 dims, passages of 107 tokens as those of the dev sets (benchmarks/NOTES.md); a text and its words apart."""
    documents, tokens = 400, 107
    rng = np.random.default_rng(0)
    lengths = rng.choice([1, 2, 3, 4, 5, 6], tokens, p=[0.33, 0.22, 0.15, 0.1, 0.1, 0.1])
    gaps = rng.choice([0, 1, -1], tokens, p=[0.49, 0.49, 0.02])
    ends = np.cumsum(lengths + np.maximum(gaps, 0))
    spans = np.stack([ends - lengths - (gaps < 0), ends], axis=1).astype(np.int32)
    given = rng.integers(-50, 51, (tokens, 64)).astype(np.int8)
    scales = np.full(tokens, 0.004, np.float32)
    vectors = TokenVectors(given, np.array([0, tokens]), spans, scales=scales).quantize(kind)
    place = tmp_path / "index"
    Index.open(place, dim=64, space_id=SPACE, rows=kind).close()
    empty = on_disk(place)
    with Index.open(place) as index:
        index.add([Document(id=f"document-{i}", vectors=vectors) for i in range(documents)])
        assert all(signed(index))
    signs = on_disk(place / "segments", "*.signs")
    assert signs == 9 * documents * tokens
    assert (on_disk(place) - empty) / (documents * tokens) <= most + 9
    with Index.open(place) as index:
        for other in KINDS:
            index.convert(rows=other)
    assert (on_disk(place) - empty) / (documents * tokens) <= 38 + 9, "no page is left that nothing is in"


def on_disk(folder: Path, pattern: str = "*") -> int:
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())


def test_who_was_writing_meanwhile_is_refused_and_who_reads_goes_on(tmp_path: Path) -> None:
    with made(tmp_path / "index", "int8", 5) as index, Index.open(tmp_path / "index") as other:
        listing = other.documents(vectors=True)
        first = next(listing)

        def stream() -> Iterator[Document]:
            yield document(7)
            index.convert(rows="int4")
            yield document(8)

        with pytest.raises(StoreError, match="int4 rows"):
            other.upsert(stream())
        assert [first.id, *(one.id for one in listing)] == [f"d{seed}" for seed in range(5)]
        assert other.upsert([document(7)]) == 1
        assert other.count() == 6
        assert other.verify().clean


@pytest.mark.parametrize(
    "work",
    [
        lambda index: index.add([document(9)]),
        lambda index: index.delete("d1"),
        lambda index: index.compact(),
        lambda index: index.set_payloads({"d1": {"n": 2}}),
        lambda index: index.convert(rows="int4"),
        lambda index: index.verify(),
        lambda index: index.get("d1", vectors=True),
        lambda index: index.search(rows(1, 2)),
    ],
    ids=["add", "delete", "compact", "set_payloads", "convert", "verify", "get", "search"],
)
def test_whatever_comes_first_on_a_handle_from_before_sees_the_new_rows(
    tmp_path: Path, work: Callable[[Index], object]
) -> None:
    with made(tmp_path / "index", "int8", 5) as index, Index.open(tmp_path / "index") as other:
        assert other.count() == 5
        index.convert(rows="int4")
        found = work(other)
        assert getattr(found, "clean", True)
        assert other.rows == "int4"
        assert other.verify().clean


def test_who_repairs_with_a_handle_from_before_repairs_what_is_there(tmp_path: Path) -> None:
    with made(tmp_path / "index", "int8", 5) as index, Index.open(tmp_path / "index") as other:
        index.convert(rows="int4")
        done = other.repair()
        assert (done.encoded, done.dropped) == ((), ())
        assert other.rows == "int4"
        assert other.verify().clean
        assert facts(tmp_path / "index")["scheme"] == "int4-scale"


def test_an_empty_index_is_converted(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE) as index:
        assert index.convert(rows="int4") == 0
        assert index.rows == "int4"
        index.add([document(1)])
        assert index.verify().clean
    with Index.open(tmp_path / "index") as index:
        assert index.rows == "int4"
        assert index.count() == 1


def test_what_cannot_be_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found 'int2', an index keeps int8 or int4"):
        Index.open(tmp_path / "index", dim=DIM, space_id=SPACE, rows="int2")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="wanted an even dim, found 7"):
        Index.open(tmp_path / "index", dim=7, space_id=SPACE, rows="int4")
    assert not (tmp_path / "index").exists()
    with Index.open(tmp_path / "odd", dim=7, space_id=SPACE) as index:
        with pytest.raises(ShapeError, match="wanted an even dim"):
            index.convert(rows="int4")
        with pytest.raises(InputError, match="found 'float32'"):
            index.convert(rows="float32")  # type: ignore[arg-type]
    with made(tmp_path / "index", "int4"):
        with pytest.raises(StoreError, match="has int4 rows, not int8; `colibri index --convert --rows int8`"):
            Index.open(tmp_path / "index", rows="int8")
        Index.open(tmp_path / "index", rows="int4").close()


def test_programs_before_int4_neither_open_it_nor_write_behind_its_rows(tmp_path: Path) -> None:
    """They ask for "int8-scale" when they open an index, and for this checksum of a segment before they write."""
    with made(tmp_path / "index", "int8", 5) as index:
        for kind in ("int4", "int8"):
            index.convert(rows=kind)
            assert (facts(tmp_path / "index")["scheme"] == "int8-scale") == (kind == "int8")
            with closing(sqlite3.connect(tmp_path / "index" / "index.sqlite")) as connection:
                found = connection.execute("SELECT number, passages, tokens, gone, crc FROM segments").fetchall()
            assert found
            for number, passages, tokens, gone, crc in found:
                before = zlib.crc32(gone, zlib.crc32(struct.pack("<qqq", number, passages, tokens)))
                assert (crc == before) == (kind == "int8")


def test_an_index_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    with made(tmp_path / "index", "int4", 5) as index:
        with closing(sqlite3.connect(tmp_path / "index" / "index.sqlite", isolation_level=None)) as connection:
            catalogue.write_fact(connection, "scheme", "int2-scale")
        with pytest.raises(StoreError, match="int2-scale, this runtime reads int8-scale, int4-scale; upgrade"):
            index.search(rows(1, 2))
    with pytest.raises(StoreError, match=r"\(int2-scale\), this runtime reads 2 \(int8-scale, int4-scale\)"):
        Index.open(tmp_path / "index")


def test_sigkill_leaves_one_of_both_whole(tmp_path: Path) -> None:
    place = tmp_path / "index"
    with made(place, "int4", 40) as index:
        index.convert(rows="int8")
        index.convert(rows="int4")
        hits = [(hit.id, hit.score) for hit in index.search(rows(9, 3), k=40)]
    chances = random.Random(3)
    for _ in range(rounds(quick=2, soak=100)):
        command = [sys.executable, "-c", CHILD, str(place)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(1 + chances.randrange(4)):
                child.stdout.readline()
            try:
                child.wait(chances.random() * 0.03)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
            child.wait()
        with Index.open(place, create=False) as index:
            assert index.count() == 40
            assert index.verify().clean
            assert all(signed(index))
            assert [(hit.id, hit.score) for hit in index.search(rows(9, 3), k=40)] == hits
            index.delete("absent")  # the next writer takes away what the killed one left
            assert json.loads((place / "index.json").read_text("utf-8"))["scheme"] == f"{index.rows}-scale"
            known = {f"{segment.number:06d}" for segment in segments_of(index)}
        assert {path.stem for path in (place / "segments").iterdir()} == known


def segments_of(index: Index) -> tuple[segments.Segment, ...]:
    with index._core.reading() as (_, snapshot):
        return snapshot.segments
