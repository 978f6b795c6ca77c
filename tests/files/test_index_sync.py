"""`Index.sync` does in a program what `colibri index` does in a shell."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import colibri
from colibri import Index
from colibri.cli import group
from colibri.errors import InputError, InputTypeError, StoreError
from colibri.files import remove
from colibri.index import Synced
from reference import ARTEFACTS

MODEL = ARTEFACTS / "tiny-random-bert"


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(MODEL)


@pytest.fixture
def index(tmp_path: Path, model: colibri.Colibri) -> Iterator[Index]:
    with Index.open(tmp_path / "index", model) as opened:
        yield opened


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Two texts, two rows, and what is passed over."""
    folder = tmp_path / "notes"
    (folder / "sub").mkdir(parents=True)
    for name, text in {
        "bird.md": "A colibri is a small bird.",
        "sub/bread.txt": "Bread is baked in an oven.",
        "rows.jsonl": '{"text": "a house", "n": 1}\n{"text": "a tree", "n": 2}\n',
        ".hidden.md": "nobody sees it",
        "draft.md": "not done",
        ".gitignore": "draft.md\n",
        "photo.jpg": "no text",
        "large.txt": "a long word " * 400,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def names(index: Index, folder: Path) -> set[str]:
    return {os.path.relpath(one.id, folder) for one in index}


ALL = {"bird.md", "sub/bread.txt", "rows.jsonl#1", "rows.jsonl#2", "large.txt"}


def test_it_does_what_the_command_does(index: Index, notes: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    words = ["index", str(notes), "--into", str(other), "--model", str(MODEL), "--max-mb", "1", "--json"]
    for step in range(3):
        if step == 1:
            (notes / "bird.md").write_text("A colibri is a bird of the new world.", encoding="utf-8")
            (notes / "sub" / "bread.txt").rename(notes / "loaf.txt")
        if step == 2:
            notes.rename(tmp_path / "away")
        done = CliRunner().invoke(group, words)
        assert done.exit_code == 0, done.output
        wanted = json.loads(done.stdout)
        del wanted["seconds"], wanted["index"]
        found = json.loads(index.sync(notes, max_mb=1).to_json())
        assert found.pop("seconds") >= 0
        assert found == wanted
        assert found["documents"] == 5
    with Index.open(other, model=MODEL) as commands:
        assert [(one.id, one.text, one.payload) for one in commands] == [
            (one.id, one.text, one.payload) for one in index
        ]


def test_what_was_done_is_told_and_typed(index: Index, notes: Path) -> None:
    tokens: list[int] = []
    found = index.sync(str(notes), progress=tokens.append)
    assert isinstance(found, Synced)
    assert (found.indexed, found.unchanged, found.removed, found.moved, found.pruned) == (4, 0, 0, 0, 0)
    assert (found.documents, found.tokens, found.skipped, found.gone) == (5, sum(tokens), {}, {})
    assert found.not_read == {".jpg": 1}
    assert found.left_out["by .gitignore"] == 1
    assert names(index, notes) == ALL
    again = index.sync()
    assert (again.indexed, again.unchanged, again.tokens) == (0, 4, 0)
    assert [hit.id for hit in index.search("bread", 9)]


def test_several_paths_and_paths_of_any_kind(index: Index, notes: Path) -> None:
    assert index.sync([notes / "bird.md", str(notes / "sub")]).indexed == 2
    assert index.sync(one for one in [notes / "rows.jsonl"]).indexed == 1
    assert names(index, notes) == ALL - {"large.txt"}


def test_a_folder_keeps_its_options_until_they_are_reset(index: Index, notes: Path) -> None:
    index.sync(notes, globs=["*.md"], hidden=True, ignore=False)
    assert names(index, notes) == {"bird.md", "draft.md", ".hidden.md"}
    assert index.sync(notes).unchanged == 3
    found = index.sync(notes, hidden=False)
    assert names(index, notes) == {"bird.md", "draft.md"}
    assert "--hidden no (was yes)" in found.said[0]
    index.sync(notes, globs=[])
    assert names(index, notes) == ALL | {"draft.md"}
    (notes / "huge.txt").write_text("word " * 300_000, encoding="utf-8")
    assert index.sync(notes, max_mb=1, reset=True).skipped == {str(notes / "huge.txt"): "1 MB, more than 1 (--max-mb)"}
    assert names(index, notes) == ALL
    index.sync(notes, id_field="n", text_field="text", split=False, passage_tokens=20)
    assert "rows.jsonl#1" in names(index, notes)
    assert index.sync(notes, id_field="", text_field="").indexed


def test_what_is_gone_stays_until_it_is_pruned(index: Index, notes: Path) -> None:
    index.sync([notes / "sub", notes / "bird.md"])
    (notes / "sub" / "bread.txt").unlink()
    (notes / "sub").rmdir()
    found = index.sync()
    assert found.gone[str(notes / "sub")].documents == 1
    assert (found.documents, found.pruned) == (2, 0)
    assert found.as_dict()["gone"][str(notes / "sub")]["lost"] is True
    found = index.sync(prune=True)
    assert (found.documents, found.pruned, found.gone) == (1, 1, {})


def test_an_interruption_keeps_what_was_indexed(index: Index, notes: Path) -> None:
    for number in range(40):
        (notes / f"{number}.txt").write_text(f"text {number} " * 60, encoding="utf-8")
    told = 0

    def progress(tokens: int) -> None:
        nonlocal told
        told += 1
        if told == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.sync(notes, progress=progress)
    kept = len(index)
    found = index.sync(notes)
    assert found.documents == 45
    assert found.unchanged >= kept - 1  # two rows are a file
    assert index.verify().clean


@pytest.mark.parametrize("within", [".", "segments"])
def test_the_folder_of_the_index_itself_is_no_root(index: Index, notes: Path, within: str) -> None:
    own = index.path / within
    with pytest.raises(InputError) as refused:
        index.sync([notes, own])
    assert str(refused.value).startswith(f"{own}: is in the folder of the index itself, {index.path}, ")
    assert (len(index), index.note("folders")) == (0, None)
    index.sync(index.path.parent)  # one that it lies in is


def test_it_runs_on_another_thread(index: Index, notes: Path) -> None:
    assert asyncio.run(asyncio.to_thread(index.sync, notes)).documents == 5


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"paths": ""}, InputError, r"paths\[0\]: found ''"),
        ({"paths": []}, InputError, "an empty list"),
        ({"paths": 5}, InputTypeError, "paths: found int"),
        ({"paths": b"notes"}, InputTypeError, "paths: found bytes"),
        ({"paths": ["notes", None]}, InputTypeError, r"paths\[1\]: found NoneType"),
        ({"paths": "a\0b"}, InputError, "wanted a file or folder"),
        ({"paths": "no/such"}, InputError, "no such file or folder"),
        ({"globs": "*.md"}, InputTypeError, "wanted a list of patterns"),
        ({"globs": [1]}, InputTypeError, "found 1"),
        ({"globs": [""]}, InputTypeError, "found ''"),
        ({"hidden": "yes"}, InputTypeError, "hidden"),
        ({"ignore": 0}, InputTypeError, "ignore"),
        ({"max_mb": 0}, InputError, "max_mb"),
        ({"max_mb": 1.5}, InputError, "max_mb"),
        ({"max_seconds": 0}, InputError, "max_seconds"),
        ({"max_seconds": float("nan")}, InputError, "max_seconds"),
        ({"max_memory_mb": 5}, InputError, "max_memory_mb"),
        ({"passage_tokens": 7}, InputError, "passage_tokens"),
        ({"text_field": 3}, InputTypeError, "text_field"),
        ({"split": None, "prune": 1}, InputTypeError, "prune"),
        ({"reset": "all"}, InputTypeError, "reset"),
        ({"progress": 1}, InputTypeError, "progress"),
    ],
)
def test_what_is_refused_is_refused_before_any_work(
    index: Index, notes: Path, given: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        index.sync(**{"paths": notes, **given})
    assert len(index) == 0
    assert index.note("folders") is None


def test_an_index_that_was_not_filled_from_files_has_nothing_to_look_at(index: Index) -> None:
    with pytest.raises(InputError, match="was not filled from files"):
        index.sync()


def test_an_index_of_vectors_takes_no_files(tmp_path: Path, notes: Path) -> None:
    with Index.open(tmp_path / "vectors", dim=8, space_id="s") as index:
        with pytest.raises(StoreError, match="another encoder"):
            index.sync(notes)
        assert index.note("folders") is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.parametrize("kind", ["pipe", "a link to one", "a circle of links"])
def test_what_can_never_be_indexed_is_refused_and_not_remembered(
    index: Index, notes: Path, tmp_path: Path, kind: str
) -> None:
    """Each later run over all roots would end with it."""
    os.mkfifo(tmp_path / "pipe")
    odd = tmp_path / "odd"
    odd.symlink_to({"a circle of links": odd}.get(kind, tmp_path / "pipe"))
    named = tmp_path / "pipe" if kind == "pipe" else odd
    index.sync(notes)
    with pytest.raises(InputError, match=r"neither a file nor a folder|cannot be looked at"):
        index.sync([notes / "bird.md", named])
    done = index.sync()
    assert (done.unchanged, done.gone) == (4, {})


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
def test_a_root_that_became_a_pipe_is_said_and_costs_the_others_nothing(index: Index, notes: Path) -> None:
    alone = notes.with_name("alone.md")
    alone.write_text("a text of its own", encoding="utf-8")
    index.sync([notes, alone])
    alone.unlink()
    os.mkfifo(alone)
    (notes / "new.md").write_text("something new", encoding="utf-8")
    done = index.sync()
    assert (done.indexed, {path: one.why for path, one in done.gone.items()}) == (
        1,
        {str(alone): "is neither a file nor a folder"},
    )
    assert str(alone) in index
    assert index.sync(prune=True).documents == len(index)
    assert str(alone) not in index


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_a_root_that_became_a_circle_of_links_can_be_taken_out(index: Index, notes: Path) -> None:
    index.sync(notes)
    kept = notes.rename(notes.with_name("kept"))
    notes.symlink_to(notes)
    assert list(index.sync().gone) == [str(notes)]
    assert remove(index, [notes]).roots == [str(notes)]
    assert index.sync(kept).indexed == 4
