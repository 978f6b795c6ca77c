"""An index follows its files: new, changed, touched, moved, gone, unreadable."""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

import colibri
from colibri import Index
from colibri.files import known
from colibri.files.filling import Filling
from colibri.files.looking import Job
from colibri.files.reading import Item
from colibri.files.safely import Reader
from colibri.files.summary import Summary
from colibri.files.sync import Sync, Wanted
from colibri.files.text import Unreadable
from colibri.index import Document
from colibri.vectors import Span
from reference import ARTEFACTS


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(ARTEFACTS / "tiny-random-bert", variant="cpu-fp32")


@pytest.fixture
def index(tmp_path: Path, model: colibri.Colibri) -> Iterator[Index]:
    with Index.open(tmp_path / "index", model) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files" / "sub").mkdir(parents=True)
    for name in ("a.txt", "b.md", "sub/c.py", "sub/d.html"):
        (tmp_path / "files" / name).write_text(f"the bird of {name}", encoding="utf-8")
    return tmp_path / "files"


def sync(index: Index, *roots: Path, encoded: list[int] | None = None, **wanted: object) -> Summary:
    work = Sync(index, Wanted(**wanted))  # type: ignore[arg-type]
    due = work.plan(roots)
    return work.run(due, (encoded if encoded is not None else []).append)


def held(index: Index, folder: Path) -> set[str]:
    return {str(Path(stored.id.split("#")[0]).relative_to(folder)) for stored in index.documents()}


def counts(summary: Summary) -> tuple[int, int, int, int]:
    return summary.indexed, summary.unchanged, summary.removed, len(summary.skipped)


def test_files_are_indexed_once(index: Index, folder: Path) -> None:
    encoded: list[int] = []
    assert counts(sync(index, folder, encoded=encoded)) == (4, 0, 0, 0)
    assert len(encoded) == 4
    assert counts(sync(index, folder, encoded=encoded)) == (0, 4, 0, 0)
    assert len(encoded) == 4
    assert held(index, folder) == {"a.txt", "b.md", "sub/c.py", "sub/d.html"}
    (found,) = index.search("bird", k=1, where={"file.suffix": "py"})
    assert found.payload is not None
    assert found.id == found.payload["file"]["path"] == str(folder / "sub" / "c.py")


def test_changes_are_followed(index: Index, folder: Path) -> None:
    sync(index, folder)
    (folder / "a.txt").write_text("a new text about houses", encoding="utf-8")
    (folder / "b.md").unlink()
    shutil.move(folder / "sub" / "c.py", folder / "moved.py")
    (folder / "new.txt").write_text("new", encoding="utf-8")
    encoded: list[int] = []
    summary = sync(index, folder, encoded=encoded)
    assert (counts(summary), summary.moved) == ((2, 2, 1, 0), 1)
    assert len(encoded) == 2
    assert held(index, folder) == {"a.txt", "moved.py", "new.txt", "sub/d.html"}
    (a,) = index.get(str(folder / "a.txt"))
    assert a is not None
    assert a.text == "a new text about houses"


def test_a_touched_file_is_not_encoded_again(index: Index, folder: Path) -> None:
    sync(index, folder)
    os.utime(folder / "a.txt", ns=(1, 1))
    encoded: list[int] = []
    assert counts(sync(index, folder, encoded=encoded)) == (0, 4, 0, 0)
    assert encoded == []
    (a,) = index.get(str(folder / "a.txt"))
    assert a is not None
    assert a.payload is not None
    assert a.payload["file"]["mtime_ns"] == 1
    assert index.verify().clean


def test_other_folders_and_globs_leave_the_rest_alone(index: Index, folder: Path, tmp_path: Path) -> None:
    sync(index, folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.txt").write_text("x", encoding="utf-8")
    index.add([{"id": "mine", "text": "no file", "payload": {"file": "a string"}}])
    assert counts(sync(index, tmp_path / "other")) == (1, 0, 0, 0)
    assert counts(sync(index, folder, globs=["*.md"])) == (0, 1, 0, 0)
    assert index.count() == 6
    (folder / "a.txt").unlink()
    assert counts(sync(index, folder / "sub")) == (0, 2, 0, 0)
    assert counts(sync(index, folder, globs=["*.md"])) == (0, 1, 1, 0)
    assert index.count() == 5


def test_a_file_that_git_ignores_by_now_leaves(index: Index, folder: Path) -> None:
    sync(index, folder)
    (folder / ".gitignore").write_text("sub/\n", encoding="utf-8")
    assert counts(sync(index, folder)) == (0, 2, 2, 0)


def test_bad_files_are_named_and_cost_only_themselves(index: Index, folder: Path) -> None:
    (folder / "binary.txt").write_bytes(b"\0\1\2")
    (folder / "empty.txt").write_text("  \n", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    (folder / "broken.jsonl").write_text('{"text": "a"}\n{', encoding="utf-8")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8")
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(2 << 30)  # 2 GB that take no room
    summary = sync(index, folder)
    assert counts(summary) == (5, 0, 0, 4)
    assert summary.not_read == {".jpg": 1}
    why = {Path(path).name: said for path, said in summary.skipped.items()}
    assert why["binary.txt"] == "is binary"
    assert why["huge.txt"].startswith("2,048 MB, more than 64")
    ((path, said),) = summary.remarks.items()
    assert path.endswith("broken.jsonl")
    assert "line 2" in said[0]
    assert held(index, folder) == {"a.txt", "b.md", "sub/c.py", "sub/d.html", "broken.jsonl"}


def test_a_file_that_grew_too_large_leaves_and_one_that_cannot_be_opened_stays_and_that_is_said(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(index, folder)
    (folder / "a.txt").write_text("the bird " * 200_000, encoding="utf-8")
    summary = sync(index, folder, max_bytes=1 << 20)
    assert summary.skipped == {str(folder / "a.txt"): "1 MB, more than 1 (--max-mb)"}
    assert held(index, folder) == {"b.md", "sub/c.py", "sub/d.html"}
    (folder / "b.md").write_text("the bird of another day", encoding="utf-8")
    real = Path.read_bytes

    def denied(self: Path) -> bytes:
        if self.name == "b.md":
            raise PermissionError(13, "Permission denied")
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", denied)
    summary = sync(index, folder, max_bytes=1 << 20)
    assert summary.skipped[str(folder / "b.md")] == "Permission denied; what the index has of it stays"
    assert held(index, folder) == {"b.md", "sub/c.py", "sub/d.html"}


def test_without_the_extra_files_say_what_to_install(
    index: Index, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "without").mkdir()
    for name in ("pypdf", "pypdfium2"):
        (tmp_path / "without" / f"{name}.py").write_text("raise ImportError", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "without"))
    (folder / "paper.pdf").write_bytes(b"%PDF-1.7")
    summary = sync(index, folder)
    assert "colibri-edge[files]" in summary.skipped[str(folder / "paper.pdf")]
    assert summary.indexed == 4


def test_rows_are_documents_of_their_own(index: Index, folder: Path) -> None:
    rows = folder / "rows.jsonl"

    def write(*entries: dict[str, object]) -> None:
        rows.write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")

    write({"key": "x", "text": "a bird", "lang": "en"}, {"key": "y", "text": "a house", "lang": "en"})
    sync(index, rows, id_field="key")
    assert {stored.id for stored in index.documents()} == {f"{rows}#x", f"{rows}#y"}
    assert index.count({"lang": "en", "file.line": 2}) == 1
    write({"key": "y", "text": "a house"}, {"key": "z", "text": "a tree"})
    assert counts(sync(index, rows, id_field="key")) == (1, 0, 0, 0)
    assert {stored.id for stored in index.documents()} == {f"{rows}#y", f"{rows}#z"}
    os.utime(rows, ns=(5, 5))
    assert counts(sync(index, rows, id_field="key")) == (0, 1, 0, 0)
    assert counts(sync(index, rows, id_field="key")) == (0, 1, 0, 0)
    assert index.count({"file.mtime_ns": 5}) == 2
    rows.unlink()
    assert counts(sync(index, folder)) == (4, 0, 1, 0)


def test_an_interruption_keeps_what_was_done(index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colibri.files.filling._BATCH_DOCUMENTS", 1)
    real = Reader.read

    def stop(self: Reader, name: str, data: bytes) -> Iterator[Item]:
        if name == "c.py":
            raise KeyboardInterrupt
        return real(self, name, data)

    monkeypatch.setattr(Reader, "read", stop)
    with pytest.raises(KeyboardInterrupt):
        sync(index, folder)
    assert held(index, folder) == {"a.txt", "b.md"}
    monkeypatch.setattr(Reader, "read", real)
    assert counts(sync(index, folder)) == (2, 2, 0, 0)
    assert index.verify().clean


def test_small_files_are_kept_when_a_large_one_is_interrupted(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colibri.files.filling._BATCH_CHARACTERS", 200)
    (folder / "sub" / "z.txt").write_text("the bird " * 50, encoding="utf-8")
    real = Filling._upsert

    def stop(self: Filling, documents: Iterator[Document], job: Job) -> None:
        some = list(documents)
        if any(len(one.text or "") > 200 for one in some):
            raise KeyboardInterrupt
        real(self, iter(some), job)

    monkeypatch.setattr(Filling, "_upsert", stop)
    with pytest.raises(KeyboardInterrupt):
        sync(index, folder)
    assert held(index, folder) == {"a.txt", "b.md", "sub/c.py", "sub/d.html"}


def test_a_file_is_found_by_its_name_and_folder(index: Index, tmp_path: Path) -> None:
    (tmp_path / "files" / "Travel").mkdir(parents=True)
    scan = tmp_path / "files" / "Travel" / "passport scan 2024.txt"
    scan.write_text("Issued in Bern. " * 400, encoding="utf-8")
    sync(index, tmp_path / "files")
    (stored,) = index.get(str(scan))
    assert stored is not None
    assert stored.text == "Issued in Bern. " * 400
    assert stored.payload is not None
    assert stored.payload["file"]["about"] == "passport scan 2024\nfiles Travel"
    assert stored.passages.count(Span(0, 0)) == 1
    (hit,) = index.search("passport scan 2024\nfiles Travel", k=1, explain=True, passages=100)
    assert (hit.passages[0].start, hit.passages[0].end) == (0, 0)
    assert {match.document for match in hit.passages[0].matches} == {Span(0, 0)}
    assert hit.score == pytest.approx(hit.passages[0].score)


@pytest.mark.parametrize("split", [True, False])
def test_words_about_a_file_survive_a_repair_and_an_export(
    index: Index, folder: Path, tmp_path: Path, model: colibri.Colibri, split: bool
) -> None:
    sync(index, folder, split=split)
    before = {stored.id: stored.passages for stored in index.documents()}
    assert all(Span(0, 0) in passages for passages in before.values())
    assert index.verify().clean
    query = "a\nfiles"
    scores = [(hit.id, hit.score) for hit in index.search(query, k=4)]
    index.export(tmp_path / "out")
    with Index.open(tmp_path / "copy", model) as copy:
        assert copy.import_(tmp_path / "out") == 4
        assert copy.verify().clean
        assert [(hit.id, hit.score) for hit in copy.search(query, k=4)] == scores
    for rows in (tmp_path / "index" / "segments").glob("*.rows"):
        rows.write_bytes(bytes(len(rows.read_bytes())))
    assert not index.verify().clean
    assert len(index.repair().encoded) == 4
    assert index.verify().clean
    assert {stored.id: stored.passages for stored in index.documents()} == before
    assert [(hit.id, hit.score) for hit in index.search(query, k=4)] == scores


def test_what_nothing_reads_is_counted_and_what_was_given_is_named(index: Index, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (folder / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (folder / "picture").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    (folder / "numbers.unheard").write_bytes(b"0 1 2\n" * 300_000)
    (folder / "song.txt").write_bytes(b"ID3\x04\x00\x00\x00")
    summary = sync(index, folder)
    assert summary.not_read == {".jpg": 2, "picture": 1, ".unheard": 1}
    assert summary.skipped == {str(folder / "song.txt"): "is of a kind that nothing here reads (audio)"}
    assert sync(index, folder).not_read == summary.not_read
    given = sync(index, folder / "a.jpg")
    assert given.not_read == {}
    assert given.skipped == {str(folder / "a.jpg"): "is of a kind that nothing here reads (picture)"}


@pytest.mark.parametrize("batch", [256, 1])
def test_what_nothing_reads_in_an_archive_is_counted_whether_it_is_read_or_not(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("colibri.files.filling._BATCH_DOCUMENTS", batch)
    place = tmp_path / "a.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name in ("a.txt", "b.txt", "c.txt", "d.exe", "e.jpg", "f.jpg"):
            archive.writestr(name, f"the bird of {name}")
    wanted = {".exe": 1, ".jpg": 2}
    assert sync(index, place).not_read == wanted
    again = sync(index, place)
    assert (counts(again), again.not_read) == ((0, 1, 0, 0), wanted)
    os.utime(place, ns=(5, 5))
    assert sync(index, place).not_read == sync(index, place).not_read == wanted
    assert index.count({"file.not_read": {"$exists": True}}) == 1


def test_a_file_is_read_again_when_its_reader_has_changed(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(index, folder)
    monkeypatch.setattr("colibri.files.facts.READERS", known.READERS - {"HTML 1"})
    assert counts(sync(index, folder)) == (1, 3, 0, 0)


def test_a_file_that_becomes_another_kind_leaves(index: Index, folder: Path) -> None:
    sync(index, folder)
    (folder / "a.txt").write_bytes(b"\xff\xd8\xff\xe0\x00")
    (folder / "b.md").write_bytes(b"  ")
    summary = sync(index, folder)
    assert set(summary.skipped) == {str(folder / "a.txt"), str(folder / "b.md")}
    assert held(index, folder) == {"sub/c.py", "sub/d.html"}


@pytest.mark.parametrize("batch", [1, 256])
def test_one_row_more_or_less_is_followed_and_own_fields_survive(
    index: Index, folder: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colibri.files.filling._BATCH_DOCUMENTS", batch)
    rows = folder / "rows.jsonl"
    rows.write_text('{"text": "one", "file": "mine", "line": 7}\n{"text": "two"}', encoding="utf-8")
    sync(index, rows)
    (first,) = index.get(f"{rows}#1")
    assert first is not None
    assert first.payload is not None
    assert (first.payload["file_"], first.payload["line"], first.payload["file"]["line"]) == ("mine", 7, 1)
    rows.write_text('{"text": "one"}', encoding="utf-8")
    sync(index, rows)
    assert [stored.id for stored in index.documents()] == [f"{rows}#1"]


def test_a_row_that_no_index_takes_costs_only_itself(index: Index, folder: Path) -> None:
    deep = "[" * 300 + "]" * 300
    lines = ['{"text": "one"}', '{"text": "two", "n": NaN}', f'{{"text": "three", "d": {deep}}}', '{"text": " "}',
             '{"text": "five"}']  # fmt: skip
    rows = folder / "rows.jsonl"
    rows.write_text("\n".join(lines), encoding="utf-8")
    summary = sync(index, rows)
    assert [stored.text for stored in index.documents()] == ["one", "five"]
    assert summary.indexed == 1
    (said,) = summary.remarks.values()
    assert [remark.split(":")[0] for remark in said] == ["line 2", "line 3", "line 4"]


def test_two_rows_of_one_id_are_said(index: Index, folder: Path) -> None:
    rows = folder / "rows.jsonl"
    rows.write_text('{"id": 1, "text": "one cat"}\n{"id": 1, "text": "two dogs"}', encoding="utf-8")
    summary = sync(index, rows, id_field="id")
    assert [stored.text for stored in index.documents()] == ["two dogs"]
    ((said,),) = summary.remarks.values()
    assert "line 1" in said
    assert "line 2" in said


@pytest.mark.parametrize("batch", [5, 256])
def test_what_was_read_before_a_limit_stays_and_is_not_read_again_under_the_same(
    index: Index, folder: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colibri.files.filling._BATCH_DOCUMENTS", batch)
    rows = folder / "rows.jsonl"
    rows.write_text("".join(f'{{"text": "row {i}"}}\n' for i in range(60)), encoding="utf-8")
    real = Reader.read

    def slow(self: Reader, name: str, data: bytes) -> Iterator[Item]:
        yield from islice(real(self, name, data), 30)
        raise Unreadable("took longer than 120 s")

    monkeypatch.setattr(Reader, "read", slow)
    summary = sync(index, rows)
    assert summary.indexed == 1
    assert index.count() == 30
    assert summary.remarks == {str(rows): ["was not read to its end: took longer than 120 s"]}
    monkeypatch.setattr(Reader, "read", real)
    again = sync(index, rows)
    assert counts(again) == (0, 1, 0, 0)
    assert again.remarks == summary.remarks
    assert counts(sync(index, rows, max_seconds=60.0)) == (0, 1, 0, 0)  # it would get no further
    assert counts(sync(index, rows, max_seconds=240.0)) == (1, 0, 0, 0)
    assert index.count() == 60
    assert sync(index, rows).remarks == {}


def test_files_that_meet_a_limit_are_named_and_the_run_goes_on(index: Index, folder: Path) -> None:
    (folder / "c_long.html").write_bytes(b"<!doctype html>" + b"<p>The keeper counts <b>gulls</b>.</p>\n" * 1_500_000)
    summary = sync(index, folder, max_seconds=1.5)
    assert summary.skipped == {str(folder / "c_long.html"): "took longer than 1.5 s"}
    assert summary.indexed == 4


def test_many_remarks_of_one_file_are_counted() -> None:
    summary = Summary()
    for i in range(250):
        summary.remark("a.csv", f"line {i}")
        summary.remark("a.csv", "line 0")
    assert len(summary.remarks["a.csv"]) == 101
    assert summary.remarks["a.csv"][-1] == "and 150 more"


def test_names_need_not_be_utf_8(index: Index, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    odd = os.fsencode(tmp_path / "files") + b"/caf\xe9 bread.txt"
    try:
        with open(odd, "wb") as file:  # noqa: PTH123 - pathlib takes no bytes
            file.write(b"baked")
    except OSError:
        pytest.skip("this file system takes no such names")
    assert sync(index, tmp_path / "files").indexed == 1
    (stored,) = index.documents()
    assert stored.id.endswith("caf\\udce9 bread.txt")
    assert stored.payload is not None
    assert stored.payload["file"]["about"] == "caf? bread\nfiles"
    assert counts(sync(index, tmp_path / "files")) == (0, 1, 0, 0)


def test_where_no_process_can_be_started_texts_are_indexed_and_the_rest_is_named(
    index: Index, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "")
    summary = sync(index, folder)
    assert {"a.txt", "b.md"} <= held(index, folder)
    assert "sys.executable is empty" in summary.skipped[str(folder / "sub" / "d.html")]
    (folder / "sub" / "d.html").write_text("<p>changed", encoding="utf-8")
    monkeypatch.undo()
    sync(index, folder)
    (folder / "sub" / "d.html").write_text("<p>changed again", encoding="utf-8")
    monkeypatch.setattr("sys.executable", "")
    assert str(folder / "sub" / "d.html") in sync(index, folder).skipped
    assert held(index, folder) == {"a.txt", "b.md", "sub/c.py", "sub/d.html"}


def test_what_lay_on_a_disk_that_is_not_mounted_any_more_stays(index: Index, folder: Path) -> None:
    sync(index, folder)
    shutil.rmtree(folder / "sub")
    (folder / "sub").mkdir()
    work = Sync(index)
    work.plan_jobs([Job(root=folder, wanted=Wanted(), mounts=(str(folder / "sub"),))], {str(folder)})
    assert counts(work.summary) == (0, 2, 0, 1)
    assert "nothing is mounted there any more; what the index has of it stays" in work.summary.skipped.values()
    assert held(index, folder) == {"a.txt", "b.md", "sub/c.py", "sub/d.html"}
    assert counts(sync(index, folder)) == (0, 2, 2, 0)


def test_two_files_of_one_size_and_time_that_were_swapped_are_told_apart(index: Index, folder: Path) -> None:
    for name, text in (("x.txt", "text one"), ("y.txt", "text two")):
        (folder / name).write_text(text, encoding="utf-8")
        os.utime(folder / name, ns=(7, 7))
    sync(index, folder)
    (folder / "x.txt").rename(folder / "z.txt")
    (folder / "y.txt").rename(folder / "x.txt")
    (folder / "z.txt").rename(folder / "y.txt")
    encoded: list[int] = []
    summary = sync(index, folder, encoded=encoded)
    assert (counts(summary), summary.moved, encoded) == ((0, 6, 0, 0), 2, [])
    texts = {Path(one.id).name: one.text for one in index.documents() if Path(one.id).suffix == ".txt"}
    assert (texts["x.txt"], texts["y.txt"]) == ("text two", "text one")


def test_a_file_takes_the_place_of_another(index: Index, folder: Path) -> None:
    rows = folder / "rows.jsonl"
    rows.write_text('{"text": "one"}\n{"text": "two"}\n{"text": "three"}\n', encoding="utf-8")
    (folder / "new.jsonl").write_text('{"text": "four"}\n', encoding="utf-8")
    sync(index, folder)
    (folder / "new.jsonl").replace(rows)
    encoded: list[int] = []
    summary = sync(index, folder, encoded=encoded)
    assert (summary.moved, encoded) == (1, [])
    assert [one.text for one in index.documents({"file.suffix": "jsonl"})] == ["four"]
    assert index.verify().clean


def test_what_another_run_did_meanwhile_is_not_done_again(index: Index, folder: Path, model: colibri.Colibri) -> None:
    long = Sync(index)
    due = long.plan([folder])
    (folder / "a.txt").write_text("Saved after it was planned, and longer than before.", encoding="utf-8")
    with Index.open(index.path, model) as another:
        short = Sync(another)
        short.run([one for one in short.plan([folder]) if one[0].path.name in {"a.txt", "b.md"}], lambda tokens: None)
    done = long.run(due, lambda tokens: None)
    assert counts(done) == (2, 2, 0, 0)
    assert Sync(index).plan([folder]) == []
    assert index[str(folder / "a.txt")].text == "Saved after it was planned, and longer than before."
