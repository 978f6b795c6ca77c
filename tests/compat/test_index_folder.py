"""The folders of indexes: killed processes, files that differ, PLAID's folders."""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colibri import Index
from colibri.compat import NotHere
from colibri.compat.colbert import Checkpoint, Indexer, IndexUpdater, Searcher
from colibri.compat.colbert.index_folder import added, is_index, is_plaid, restored
from colibri.compat.colbert.infra import ColBERTConfig
from colibri.compat.pylate import indexes
from colibri.compat.ragatouille import RAGPretrainedModel
from colibri.errors import InputError, StoreError
from colibri.index import being_made
from reference import ARTEFACTS
from rounds import rounds

BERT = ARTEFACTS / "tiny-random-bert"
TEXTS = [f"small bird {word}" for word in ("city", "house", "music", "night", "old", "new")]
IDS = [f"doc-{i}" for i in range(6)]
CHILD = Path(__file__).with_name("killed_child.py")
FILES = ("collection.json", "pid_docid_map.json", "docid_metadata_map.json", "metadata.json")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def notes() -> Path:
    """An index of six documents, with metadata."""
    rag = RAGPretrainedModel.from_pretrained(BERT)
    known = [{"n": i} for i in range(6)]
    return Path(rag.index(TEXTS, IDS, known, index_name="notes", max_document_length=40)).resolve()


def held(path: Path) -> tuple[set[str], dict[str, Any]]:
    """Ids of documents that are found, and what the files beside say."""
    rag = RAGPretrainedModel.from_index(path)
    found = rag.search("small bird", k=99)
    files = {name: json.loads((path / name).read_text(encoding="utf-8")) for name in FILES if (path / name).exists()}
    texts, owners = files["collection.json"], files["pid_docid_map.json"]
    assert {str(one["passage_id"]): one["document_id"] for one in found} == owners
    assert {one["passage_id"]: one["content"] for one in found} == {int(pid): texts[int(pid)] for pid in owners}
    return {one["document_id"] for one in found}, files


@pytest.mark.skipif(not hasattr(sys, "addaudithook") or sys.platform == "win32", reason="forks")
@pytest.mark.parametrize(
    ("operation", "after"),
    [
        ("add", {*IDS, "new-0", "new-1", "new-2"}),
        ("delete", {*IDS} - {"doc-0", "doc-3"}),
        ("overwrite", {"new-0", "new-1", "new-2"}),
    ],
)
def test_a_process_killed_at_any_change_of_a_file_leaves_the_index_before_or_after(
    operation: str, after: set[str], notes: Path, here: Path
) -> None:
    command = [sys.executable, str(CHILD), str(notes), str(here / "copies"), operation, str(rounds(14, 1))]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    copies = sorted((here / "copies").iterdir(), key=lambda path: int(path.name))
    assert len(copies) >= 2
    outcomes = [held(copy / "notes")[0] for copy in copies]
    assert all(found in ({*IDS}, after) for found in outcomes)
    assert outcomes[-1] == after
    assert outcomes[0] == {*IDS}
    for copy in copies:  # and it goes on from there
        rag = RAGPretrainedModel.from_index(copy / "notes")
        rag.add_to_index(["later"], ["later"])
        assert "later" in held(copy / "notes")[0]


@pytest.mark.parametrize("damage", ["remove", "halve", "another", "shorter"])
@pytest.mark.parametrize("name", FILES[:2])
def test_files_that_differ_are_written_anew_from_the_index(damage: str, name: str, notes: Path) -> None:
    before = held(notes)
    path = notes / name
    if damage == "remove":
        path.unlink()
    elif damage == "halve":
        path.write_bytes(path.read_bytes()[:20])
    elif damage == "shorter":
        path.write_text("[]" if name == "collection.json" else "{}", encoding="utf-8")
    else:
        path.write_text('{"0": "x"}', encoding="utf-8")
    assert held(notes) == before


def test_files_that_agree_are_left_alone(notes: Path) -> None:
    stamps = {name: (notes / name).stat().st_mtime_ns for name in FILES}
    held(notes)
    assert {name: (notes / name).stat().st_mtime_ns for name in FILES} == stamps


def test_an_old_index_comes_back_where_the_new_one_never_came(notes: Path, caplog: pytest.LogCaptureFixture) -> None:
    old = notes.with_name(".notes.0123abcd.old")
    notes.rename(old)
    assert held(notes)[0] == {*IDS}
    assert "brought back from .notes.0123abcd.old" in caplog.text
    shutil.copytree(notes, old)
    restored(notes)  # it is there: nothing happens
    assert old.is_dir()


class Beaten:
    """An index whose first `add` comes after another process's."""

    def __init__(self, index: Index, other: Callable[[], object]) -> None:
        self._index, self._other = index, [other]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def add(self, documents: Any, *, split: bool) -> int:
        if self._other:
            self._other.pop()()
        return self._index.add(documents, split=split)


def test_numbers_that_another_process_took_meanwhile_are_not_taken_again(notes: Path) -> None:
    other = RAGPretrainedModel.from_index(notes)
    with Index.open(notes) as index:
        beaten = Beaten(index, lambda: other.add_to_index(["faster"], ["faster"]))
        payloads = [{"document_id": "later"}]
        assert added(beaten, Checkpoint(BERT), ["later"], payloads) == [7]  # type: ignore[arg-type]
    assert held(notes)[0] == {*IDS, "faster", "later"}


# PLAID's folders


@pytest.fixture
def plaid(here: Path) -> Path:
    """What RAGatouille 0.0.9 leaves, as far as it is read."""
    folder = here / "old" / "colbert" / "indexes" / "legacy"
    folder.mkdir(parents=True)
    config = ColBERTConfig(checkpoint=str(BERT), doc_maxlen=40, dim=48, query_maxlen=16, nbits=4, index_name="legacy")
    files = {
        "metadata.json": {"config": config.export(), "num_chunks": 1},
        "plan.json": {"config": config.export()},
        "collection.json": TEXTS,
        "pid_docid_map.json": {
            str(pid): ["doc-a", "doc-a", "doc-b", "doc-c", "doc-d", "doc-e"][pid] for pid in range(6)
        },
        "docid_metadata_map.json": {"doc-a": {"year": 1999}},
    }
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value), encoding="utf-8")
    for name in ("0.codes.pt", "0.residuals.pt", "centroids.pt", "ivf.pid.pt"):
        (folder / name).write_bytes(b"PK\x03\x04")
    return folder


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_folder_of_ragatouille_is_encoded_anew_once(
    plaid: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    before = {path.name: path.read_bytes() for path in plaid.iterdir()}
    assert is_plaid(plaid)
    assert not is_index(plaid)
    rag = RAGPretrainedModel.from_index(plaid)
    made = plaid.with_name("legacy.colibri")
    assert f"{plaid}: PLAID's files; its 6 passages are encoded anew into {made}, once" in caplog.text
    assert "encoding passages" in terminal.getvalue()  # a progress bar
    results = rag.search("small bird house", k=99)
    assert sorted(one["document_id"] for one in results) == ["doc-a", "doc-a", "doc-b", "doc-c", "doc-d", "doc-e"]
    assert [one["document_metadata"] for one in results if one["document_id"] == "doc-a"] == [{"year": 1999}] * 2
    assert {path.name: path.read_bytes() for path in plaid.iterdir()} == before
    caplog.clear()
    again = RAGPretrainedModel.from_index(plaid)
    assert again.search("small bird house", k=99) == results
    assert "encoded anew" not in caplog.text
    again.add_to_index(["white"], ["w"])
    assert "w" in {one["document_id"] for one in RAGPretrainedModel.from_index(made).search("white", k=99)}


def test_ragatouille_s_deletions_left_gaps_in_its_numbers(plaid: Path) -> None:
    owners = {"0": "a", "2": "c", "5": "f"}
    (plaid / "pid_docid_map.json").write_text(json.dumps(owners), encoding="utf-8")
    (plaid / "collection.json").write_text(json.dumps(["first", "third", "sixth"]), encoding="utf-8")
    results = RAGPretrainedModel.from_index(plaid).search("first", k=9)
    assert {one["document_id"]: one["content"] for one in results} == {"a": "first", "c": "third", "f": "sixth"}


def test_files_that_do_not_belong_together_are_refused(plaid: Path) -> None:
    (plaid / "collection.json").write_text(json.dumps(TEXTS[:3]), encoding="utf-8")
    with pytest.raises(StoreError, match=r"pid_docid_map\.json names 6 passages, of 3 texts"):
        RAGPretrainedModel.from_index(plaid)
    assert [path.name for path in plaid.parent.iterdir()] == ["legacy"]


def test_a_searcher_reads_plaid_s_folder_from_its_texts(plaid: Path) -> None:
    found = Searcher(index=str(plaid))
    assert list(found.collection) == TEXTS
    assert sorted(found.search("small bird house", k=99)[0]) == list(range(6))
    shutil.rmtree(plaid.with_name("legacy.colibri"))
    (plaid / "collection.json").unlink()
    with pytest.raises(NotHere, match=r"it holds PLAID's residual codes and no collection\.json; give its texts"):
        Searcher(index=str(plaid))
    given = Searcher(index=str(plaid), collection=TEXTS[:2])
    assert sorted(given.search("bird", k=9)[0]) == [0, 1]


def test_an_interrupted_encoding_is_begun_again(plaid: Path) -> None:
    partial = plaid.with_name(".legacy.colibri.0123abcd.partial")
    partial.mkdir()
    (partial / "index.json").write_text("{", encoding="utf-8")
    assert len(RAGPretrainedModel.from_index(plaid).search("bird", k=99)) == 6


@pytest.mark.skipif(sys.platform == "win32", reason="Windows renames no folder of open files")
def test_a_searcher_goes_on_with_the_index_that_took_its_name(tmp_path: Path) -> None:
    Indexer(str(BERT)).index("notes", TEXTS)
    searcher = Searcher("notes")
    updater = IndexUpdater(searcher.config, searcher)
    assert sorted(searcher.search("bird", k=9)[0]) == list(range(6))
    Indexer(str(BERT)).index("notes", ["white fish", "black fish"], overwrite=True)
    assert sorted(searcher.search("bird", k=9)[0]) == [0, 1]
    assert searcher.collection[0] == "white fish"
    Indexer(str(BERT)).index("notes", ["white fish", "black fish", "old fish"], overwrite=True)
    assert updater.add(["red fish"]) == [3]
    again = Searcher("notes")
    assert list(again.collection) == ["white fish", "black fish", "old fish", "red fish"]
    assert again.search("bird", k=9) == searcher.search("bird", k=9)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows renames no folder of open files")
def test_ragatouille_goes_on_with_the_index_that_took_its_name(tmp_path: Path) -> None:
    """A server that answers, and a job at night that makes the index anew: nothing is mixed, nothing damaged."""
    server = RAGPretrainedModel.from_pretrained(BERT)
    path = server.index(TEXTS, IDS, index_name="notes", max_document_length=40)
    job = RAGPretrainedModel.from_pretrained(BERT)
    job.index(["white fish", "black fish"], ["w", "b"], index_name="notes", max_document_length=40)
    assert {one["document_id"] for one in server.search("bird", k=9)} == {"w", "b"}
    job.index(["white fish", "old fish", "new"], ["w", "o", "n"], index_name="notes", max_document_length=40)
    server.add_to_index(["red fish"], ["r"])
    server.delete_from_index(["n"])
    for one in (server, job, RAGPretrainedModel.from_index(path)):
        assert {found["document_id"] for found in one.search("bird", k=9)} == {"w", "o", "r"}
    with Index.open(path) as index:
        assert index.verify().clean
    assert json.loads(Path(path, "collection.json").read_text(encoding="utf-8"))[3] == "red fish"


def test_pylate_s_index_is_found_when_another_process_made_it_meanwhile(tmp_path: Path) -> None:
    rows = [np.eye(4, dtype=np.float32)[:2], np.eye(4, dtype=np.float32)[2:]]
    early = indexes.PLAID("indexes", "notes")
    with pytest.raises(InputError, match="The index is empty"):
        early(rows)
    indexes.PLAID("indexes", "notes").add_documents(["a", "b"], rows)
    assert [found[0]["id"] for found in early(rows)] == ["a", "b"]
    if sys.platform != "win32":
        indexes.PLAID("indexes", "notes", override=True).add_documents(["c"], rows[:1])
        assert [[one["id"] for one in found] for found in early(rows)] == [["c"], ["c"]]


def test_what_killed_makers_left_goes_with_the_next_index_and_what_others_make_stays(tmp_path: Path) -> None:
    words: dict[str, Any] = {"index_name": "no[t]es", "max_document_length": 40}
    path = Path(RAGPretrainedModel.from_pretrained(BERT).index(TEXTS, IDS, **words))
    dead, alive, young = (path.with_name(f".no[t]es.0000000{i}.partial") for i in range(3))
    for folder in (dead, alive, young, path.with_name(".no[t]es.00000003.old"), path.with_name(".notes.00000004.old")):
        folder.mkdir()
    (dead / "making.lock").touch()
    with being_made(alive):
        RAGPretrainedModel.from_pretrained(BERT).index(TEXTS[:2], IDS[:2], **words)
        left = {entry.name for entry in path.parent.iterdir()}
        assert left == {"no[t]es", alive.name, young.name, ".notes.00000004.old"}
    assert list(alive.iterdir()) == []
    assert not (path / "making.lock").exists()
    assert len(RAGPretrainedModel.from_index(path).search("bird", k=9)) == 2
