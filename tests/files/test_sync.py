"""An index follows its files: new, changed, touched, moved, gone, unreadable."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import colibri
from colibri import Index
from colibri.files.reading import Item
from colibri.files.safely import Reader
from colibri.files.summary import Summary
from colibri.files.sync import Sync, Wanted
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
    assert counts(sync(index, folder, encoded=encoded)) == (3, 1, 2, 0)
    assert len(encoded) == 3
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


def test_without_the_extra_files_say_what_to_install(
    index: Index, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "pypdf.py").write_text("raise ImportError", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "without")
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
    monkeypatch.setattr("colibri.files.sync._BATCH_DOCUMENTS", 1)
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
