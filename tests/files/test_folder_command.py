"""`colibri index` follows folders: moved, removed, gone, indexed with other options, made anew, interrupted."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import other_user
from colibri import Index
from colibri.cli import group
from reference import ARTEFACTS
from rounds import rounds

MODEL = ("--model", str(ARTEFACTS / "tiny-random-bert"))
OTHER = ("--model", str(ARTEFACTS / "tiny-random-xlmr"))


def run(*words: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(group, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


def asked(*words: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("index", *words, "--json").stdout)
    return found


def held() -> dict[str, str]:
    """What the index has: paths (and rows) from here -> texts."""
    with Index.open(".colibri-index", create=False) as index:
        assert index.verify().clean
        return {os.path.relpath(one.id, Path.cwd()): one.text or "" for one in index.documents()}


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """old/notes is indexed: two texts, two rows."""
    monkeypatch.chdir(tmp_path)
    return indexed(tmp_path / "old" / "notes")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, for tests that change nothing of it."""
    folder = tmp_path_factory.mktemp("kept")
    with contextlib.chdir(folder):
        indexed(folder / "old" / "notes")
    return folder


def indexed(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "bird.md").write_text("A colibri is a small bird.", encoding="utf-8")
    (folder / "sub" / "bread.txt").write_text("Bread is baked in an oven.", encoding="utf-8")
    (folder / "rows.jsonl").write_text('{"text": "a house", "n": 1}\n{"text": "a tree", "n": 2}\n', encoding="utf-8")
    run("index", folder, *MODEL)
    return folder


ALL = {"bird.md", "sub/bread.txt", "rows.jsonl#1", "rows.jsonl#2"}


def test_a_moved_root_keeps_its_rows_and_every_hit_is_there_once(notes: Path) -> None:
    Path("old").rename("new")
    found = asked("new/notes")
    assert (found["tokens"], found["moved"], found["indexed"], found["documents"]) == (0, 3, 0, 4)
    assert found["gone"] == {}
    assert held().keys() == {f"new/notes/{name}" for name in ALL}
    hits = json.loads(run("search", "a small bird", "-k", "9", "--json").stdout)["results"]
    assert len(hits) == 4
    assert all(Path(hit["payload"]["file"]["path"]).is_file() and "gone" not in hit for hit in hits)
    assert {hit["payload"]["file"]["root"] for hit in hits} == {str(Path("new/notes").resolve())}
    assert hits[0]["payload"]["file"]["about"].split("\n")[1].startswith("notes")
    assert [root["path"] for root in asked("--stats")["roots"]] == [str(Path("new/notes").resolve())]
    assert asked()["unchanged"] == 3


def test_a_root_that_is_gone_is_said_marked_and_pruned_only_when_asked(notes: Path) -> None:
    notes.rename("away")
    for _ in range(2):
        done = run("index")
        assert f"{notes} is gone: 4 documents of its 3 files stay until `colibri index --prune`" in done.stderr
        assert "0 removed" in done.stdout
    assert asked()["gone"][str(notes)]["documents"] == 4
    shown = run("search", "small bird", "-k", "1")
    assert "bird.md:1  (file is gone)" in shown.stdout
    assert json.loads(run("search", "small bird", "--json").stdout)["results"][0]["gone"] == "file is gone"
    assert asked("--stats")["roots"][0]["gone"] == "is gone"
    assert f"\n{notes} is gone" in run("index", notes).stderr
    assert "4 documents of what is gone taken out" in run("index", "--prune").stderr
    assert held() == {}
    assert "was not filled from files" in run("index", code=1).stderr


def test_what_comes_back_is_as_it_was(notes: Path) -> None:
    notes.rename("away")
    run("index")
    Path("away").rename(notes)
    found = asked()
    assert (found["unchanged"], found["tokens"], found["gone"]) == (3, 0, {})
    assert "gone" not in run("search", "small bird").stdout


@pytest.mark.parametrize("how", ["empty", "file", "closed"])
def test_what_may_be_a_disk_that_is_not_mounted_costs_nothing(notes: Path, how: str) -> None:
    """An empty folder where a root was; a file where its parent was; a parent that cannot be looked at."""
    if how == "empty":
        shutil.rmtree(notes)
        notes.mkdir()
    elif how == "file":
        shutil.rmtree(notes.parent)
        notes.parent.write_text("no folder", encoding="utf-8")
    else:
        if why := other_user.why_not():
            pytest.skip(why)
        _closed(notes)
        return
    found = asked()
    assert (found["removed"], found["documents"], list(found["gone"])) == (0, 4, [str(notes)])
    assert asked("--prune", "--yes")["pruned"] == 4


def _closed(notes: Path) -> None:
    with other_user.open_folder(0o777) as base:
        shutil.copytree(notes, base / "shut" / "notes")
        for path in (base / "shut", *(base / "shut").rglob("*")):
            os.chown(path, other_user.NOBODYS, other_user.NOBODYS)
        words = ("-m", "colibri", "index", "--into", str(base / "index"))
        user = {"user": other_user.NOBODYS}
        assert other_user.python(*words, str(base / "shut" / "notes"), *MODEL, **user).returncode == 0
        (base / "shut").chmod(0)
        done = other_user.python(*words, "--prune", "--json", **user)
        found = json.loads(done.stdout)
        assert (found["removed"], found["pruned"], found["documents"]) == (0, 0, 4)
        (gone,) = found["gone"].values()
        assert gone["why"] == "cannot be looked at (Permission denied)"
        (base / "shut").chmod(0o700)
        assert json.loads(other_user.python(*words, "--json", **user).stdout)["unchanged"] == 3


def test_moves_of_every_kind_encode_nothing(notes: Path) -> None:
    (notes / "twin 1.txt").write_text("The same text twice.", encoding="utf-8")
    (notes / "twin 2.txt").write_text("The same text twice.", encoding="utf-8")
    (notes / "x.txt").write_text("A text of x.", encoding="utf-8")
    (notes / "y.txt").write_text("A text of y.", encoding="utf-8")
    run("index")
    (notes / "bird.md").rename(notes / "BIRD.md")  # case alone
    (notes / "twin 1.txt").rename(notes / "sub" / "twin 3.txt")  # one of two equal files
    (notes / "x.txt").rename(notes / "between")  # a swap
    (notes / "y.txt").rename(notes / "x.txt")
    (notes / "between").rename(notes / "y.txt")
    (notes / "sub").rename(notes / "deep")  # a folder
    (notes / "rows.jsonl").rename(notes / "deep" / "other.jsonl")
    found = asked()
    assert (found["tokens"], found["indexed"], found["removed"]) == (0, 0, 0)
    assert found["moved"] == 6
    assert held() == {
        "old/notes/BIRD.md": "A colibri is a small bird.",
        "old/notes/deep/twin 3.txt": "The same text twice.",
        "old/notes/twin 2.txt": "The same text twice.",
        "old/notes/x.txt": "A text of y.",
        "old/notes/y.txt": "A text of x.",
        "old/notes/deep/bread.txt": "Bread is baked in an oven.",
        "old/notes/deep/other.jsonl#1": "a house",
        "old/notes/deep/other.jsonl#2": "a tree",
    }
    assert asked()["unchanged"] == 7


TWINS = ("a.md", "licence.txt", "sub/z.txt")


def twins(folder: Path, names: Collection[str] = TWINS) -> None:
    """Files that are the same in every folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"What {name} says everywhere.", encoding="utf-8")


def below(folder: str) -> set[str]:
    return {path.removeprefix(f"{folder}/") for path in held() if path.startswith(f"{folder}/")}


@pytest.mark.parametrize("missed", [True, False])
@pytest.mark.parametrize("lost", ["another", "pictures"])
def test_a_root_moves_as_a_whole_though_another_one_that_is_gone_held_equal_files(
    notes: Path, lost: str, missed: bool
) -> None:
    twins(notes)
    twins(Path(lost))
    run("index")
    run("index", lost, "--passage-tokens", "90")
    Path(lost).rename("away")
    if missed:
        assert list(asked()["gone"]) == [str(Path(lost).resolve())]
    notes.rename("new")
    found = asked("new")
    assert (found["moved"], found["indexed"], found["gone"]) == (6, 0, {})
    assert (below("new"), below("old/notes"), below(lost)) == (ALL | {*TWINS}, set(), {*TWINS})
    roots = {Path(one["path"]).name: one["options"] for one in asked("--stats")["roots"]}
    assert roots == {"new": {}, lost: {"passage_tokens": 90}}


@pytest.mark.parametrize("lost", ["another", "pictures"])
def test_of_two_equal_roots_the_one_that_was_there_until_now_moved(notes: Path, lost: str) -> None:
    twins(Path("many"))
    twins(Path(lost))
    run("index", "many")
    run("index", lost, "--passage-tokens", "90")
    Path(lost).rename("away")
    run("index")
    Path("many").rename("now")
    found = asked("now")
    assert (found["moved"], found["tokens"]) == (3, 0)
    assert (below("now"), below("many"), below(lost)) == ({*TWINS}, set(), {*TWINS})
    Path("away").rename(lost)
    assert asked()["unchanged"] == 9


@pytest.mark.parametrize("lost", ["another", "pictures"])
def test_a_folder_or_file_that_was_there_until_now_moved_and_no_equal_one_of_a_root_that_is_gone(
    notes: Path, lost: str
) -> None:
    twins(notes / "some")
    (notes / "x.txt").write_text("A text of x.", encoding="utf-8")
    twins(Path(lost))
    (Path(lost) / "y.txt").write_text("A text of x.", encoding="utf-8")
    run("index", notes, lost)
    Path(lost).rename("away")
    run("index")
    (notes / "some").rename(notes / "other")
    (notes / "x.txt").rename(notes / "y.txt")
    found = asked()
    assert (found["moved"], found["indexed"], found["removed"]) == (4, 0, 0)
    assert below(lost) == {*TWINS, "y.txt"}
    assert below("old/notes") == ALL | {"y.txt"} | {f"other/{name}" for name in TWINS}


def test_of_equal_files_in_one_folder_each_goes_with_its_folder(notes: Path) -> None:
    for name in ("a", "b", "c"):
        twins(notes / name)
        (notes / name / "own.txt").write_text(f"Of {name} alone.", encoding="utf-8")
    run("index")
    shutil.rmtree(notes / "a")
    (notes / "c").rename(notes / "moved")
    found = asked()
    assert {os.path.relpath(old, notes): os.path.relpath(new, notes) for old, new in found["moves"].items()} == {
        f"c/{name}": f"moved/{name}" for name in (*TWINS, "own.txt")
    }
    assert found["tokens"] == 0


def test_a_copy_is_no_move_and_a_changed_file_is_read(notes: Path) -> None:
    shutil.copy2(notes / "bird.md", notes / "copy.md")
    (notes / "sub" / "bread.txt").rename(notes / "loaf.txt")
    with (notes / "loaf.txt").open("a", encoding="utf-8") as file:
        file.write(" Slowly.")
    found = asked()
    assert (found["indexed"], found["moved"], found["removed"]) == (2, 0, 1)
    assert held().keys() == {f"old/notes/{name}" for name in (*ALL - {"sub/bread.txt"}, "copy.md", "loaf.txt")}


def test_files_that_were_changed_while_their_root_moved_are_not_found_twice(notes: Path) -> None:
    (notes / "bird.md").write_text("An eagle is a large bird.", encoding="utf-8")
    notes.parent.rename("new")
    found = asked("new/notes")
    assert (found["moved"], found["indexed"], found["gone"]) == (3, 1, {})
    assert held()["new/notes/bird.md"] == "An eagle is a large bird."
    assert len(held()) == 4


@pytest.mark.parametrize("given", ["from", "to", "none"])
def test_a_move_between_roots_is_one_whichever_of_them_is_named(notes: Path, given: str) -> None:
    Path("second").mkdir()
    Path("second/stays.txt").write_text("It stays.", encoding="utf-8")
    run("index", "second")
    (notes / "rows.jsonl").rename("second/rows.jsonl")
    named: dict[str, list[str | Path]] = {"from": [notes], "to": ["second"], "none": []}
    found = asked(*named[given])
    assert (found["tokens"], found["removed"], found["indexed"]) == (0, 0, 0)
    assert held().keys() == {f"old/notes/{name}" for name in ("bird.md", "sub/bread.txt")} | {
        f"second/{name}" for name in ("stays.txt", "rows.jsonl#1", "rows.jsonl#2")
    }
    assert asked()["unchanged"] == 4


def test_another_ending_is_another_way_to_read(notes: Path) -> None:
    (notes / "bird.md").rename(notes / "bird.txt")
    (notes / "rows.jsonl").rename(notes / "rows.txt")
    found = asked()
    assert (found["indexed"], found["removed"]) == (2, 0)
    assert held().keys() == {f"old/notes/{name}" for name in ("bird.txt", "rows.txt", "sub/bread.txt")}


def test_remove_takes_out_files_folders_and_roots_there_or_gone(notes: Path) -> None:
    found = asked("--remove", notes / "sub")
    assert (found["files"], found["documents"], found["left"]) == (1, 1, 3)
    assert found["kept_out"] == [str(notes / "sub")]
    again = asked()
    assert (again["unchanged"], again["left_out"]) == (2, {"by --remove": 1})
    assert asked(notes / "sub")["indexed"] == 1  # named again
    assert asked()["unchanged"] == 3
    done = run("index", "--remove", notes / "rows.jsonl")
    assert "1 file, 2 documents taken out; " in done.stdout
    assert "it stays out of the index until" in done.stderr
    (notes / "bird.md").unlink()
    assert asked("--remove", notes / "bird.md")["kept_out"] == []
    shutil.rmtree(notes.parent)
    assert asked("--remove", notes.parent)["roots"] == [str(notes)]
    assert held() == {}
    assert "holds nothing of it" in run("index", "--remove", "absent", code=1).stderr


def test_a_part_of_a_root_is_looked_at_alone(notes: Path) -> None:
    (notes / "bird.md").write_text("An eagle.", encoding="utf-8")
    (notes / "sub" / "bread.txt").write_text("A loaf.", encoding="utf-8")
    found = asked(notes / "sub")
    assert (found["indexed"], found["unchanged"]) == (1, 0)
    (notes / "sub" / "bread.txt").unlink()
    assert asked(notes / "sub" / "bread.txt")["removed"] == 1
    assert [root["path"] for root in asked("--stats")["roots"]] == [str(notes)]
    assert held()["old/notes/bird.md"] == "A colibri is a small bird."
    assert asked()["indexed"] == 1


def test_a_path_that_its_root_leaves_out_is_a_root_of_its_own(notes: Path) -> None:
    (notes / ".secret").mkdir()
    (notes / ".secret" / "key.txt").write_text("A key.", encoding="utf-8")
    assert asked(notes / ".secret")["indexed"] == 1
    assert asked()["unchanged"] == 4
    assert len(asked("--stats")["roots"]) == 2


def test_files_given_one_by_one_become_part_of_their_folder(notes: Path) -> None:
    for path in (notes / "a.txt", notes / "b.txt"):
        path.write_text(f"text of {path.name}", encoding="utf-8")
    run("index", notes / "a.txt", notes / "b.txt", "--into", "some", *MODEL)
    assert len(asked("--stats", "--into", "some")["roots"]) == 2
    assert asked(notes, "--into", "some")["indexed"] == 3
    assert [root["path"] for root in asked("--stats", "--into", "some")["roots"]] == [str(notes)]
    (notes / "a.txt").unlink()
    assert asked("--into", "some")["removed"] == 1


def test_options_stay_with_their_root_and_a_change_is_said_and_applied(notes: Path) -> None:
    long = notes / "long.txt"
    long.write_text("The keeper counts every gull on the roof. " * 30, encoding="utf-8")
    Path("other.csv").write_text("a,b\nbird,house\n", encoding="utf-8")
    run("index", notes, "other.csv", "--passage-tokens", "20")
    few = asked("--stats")["passages"]
    assert asked()["unchanged"] == 5  # as it was indexed, not as it would be by default
    done = run("index", notes, "--passage-tokens", "60")
    assert f"{notes}: --passage-tokens 60 (was 20); what that touches is read again" in done.stderr
    assert "4 files indexed, 0 unchanged" in done.stdout
    assert asked("--stats")["passages"] < few
    assert asked("--no-split")["indexed"] == 5
    roots = {Path(root["path"]).name: root["options"] for root in asked("--stats")["roots"]}
    assert roots == {
        "notes": {"passage_tokens": 60, "split": False},
        "other.csv": {"passage_tokens": 20, "split": False},
    }
    assert asked()["unchanged"] == 5
    found = asked("--defaults")
    assert (found["indexed"], len(found["said"])) == (5, 2)
    assert [root["options"] for root in asked("--stats")["roots"]] == [{}, {}]


def test_fields_of_rows_touch_rows_alone(notes: Path) -> None:
    (notes / "t.csv").write_text("text,body\nbird,house\n", encoding="utf-8")
    (notes / "rows.jsonl").unlink()
    assert asked()["indexed"] == 1
    found = asked("--text-field", "body")
    assert (found["indexed"], found["unchanged"]) == (1, 2)
    assert held()["old/notes/t.csv#2"] == "house"
    assert asked()["unchanged"] == 3
    assert asked("--text-field", "")["indexed"] == 1
    assert held()["old/notes/t.csv#2"] == "bird"


def test_what_globs_and_rules_leave_out_by_now_leaves_the_index(notes: Path) -> None:
    found = asked(notes, "--glob", "*.md")
    assert (found["removed"], found["documents"], found["left_out"]) == (2, 1, {"by --glob": 2})
    assert asked()["documents"] == 1
    assert asked("--glob", "")["documents"] == 4
    (notes / ".a.txt").write_text("Hidden.", encoding="utf-8")
    assert asked("--hidden")["documents"] == 5
    assert asked()["documents"] == 5
    assert asked("--no-hidden")["documents"] == 4
    (notes / ".gitignore").write_text("sub/\n", encoding="utf-8")
    assert asked()["documents"] == 3
    assert asked("--no-ignore")["documents"] == 4
    assert asked("--ignore")["documents"] == 3


def test_a_glob_that_is_refused_is_not_remembered(notes: Path) -> None:
    assert "--glob" in run("index", "--glob", "/", code=1).stderr
    found = asked()
    assert (found["unchanged"], found["said"]) == (3, [])


def test_many_files_given_by_name_are_looked_at_in_one_go(notes: Path) -> None:
    """As a shell gives them for `*.txt`: neither the folder nor the index is read for each."""
    names = [notes / f"{i:03}.txt" for i in range(150)]
    for name in names:
        name.write_text(f"the bird {name.stem}", encoding="utf-8")
    assert asked(*names)["indexed"] == 150
    assert asked(*names)["unchanged"] == 150
    assert [root["path"] for root in asked("--stats")["roots"]] == [str(notes)]


def test_a_named_file_of_a_root_that_nothing_reads_is_named(notes: Path) -> None:
    (notes / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    assert asked(notes)["not_read"] == {".jpg": 1}
    assert "nothing here reads (picture)" in asked(notes / "photo.jpg")["skipped"][str(notes / "photo.jpg")]


def test_one_changed_row_is_encoded_alone(notes: Path) -> None:
    rows = notes / "rows.jsonl"
    rows.write_text("".join(f'{{"text": "the bird number {i}"}}\n' for i in range(300)), encoding="utf-8")
    whole = asked()["tokens"]
    rows.write_text(rows.read_text("utf-8").replace('number 7"', 'number seven"'), encoding="utf-8")
    found = asked()
    assert found["indexed"] == 1
    assert 0 < found["tokens"] < whole / 50
    assert held()["old/notes/rows.jsonl#8"] == "the bird number seven"
    with Index.open(".colibri-index", create=False) as index:
        assert index.count({"file.unfinished": {"$exists": True}}) == 0
    assert asked()["unchanged"] == 3


def test_another_width_or_model_is_refused_in_words_and_made_anew_when_asked(notes: Path) -> None:
    assert "has dim 16, not 48; for another width make another index, or this one anew (`colibri index --rebuild`)" in (
        run("index", "--dim", "48", code=1).stderr
    )
    assert "make it anew (`colibri index --rebuild`)" in run("index", notes, *OTHER, code=1).stderr
    with Index.open(".colibri-index", create=False) as index:
        index.add([{"id": "mine", "text": "no file of mine", "payload": {"a": 1}}])
        before = {one.id: (one.text, one.payload) for one in index.documents()}
        done = run("index", "--rebuild", "--dim", "48")
        assert ".colibri-index: made anew with" in done.stderr
        assert "3 unchanged" in done.stdout
        assert index.search("A colibri is a small bird.", k=1)[0].text == "A colibri is a small bird."  # opened before
        assert index.dim == 48
        run("index", "--rebuild", *OTHER)
        assert len(index.search("small bird", k=9)) == 5
        assert {one.id: (one.text, one.payload) for one in index.documents()} == before
    assert asked("--stats")["model"] == OTHER[1]
    assert not Path(".colibri-index/rebuild").exists()
    assert len(held()) == 5
    with Index.open(".colibri-index", create=False) as index:
        index.add([{"id": "bare", "vectors": [[1.0] * index.dim]}])
    assert "1 document without a text" in run("index", "--rebuild", *MODEL, code=1).stderr
    assert run("index", "--rebuild", "--into", "absent", code=2)


@pytest.mark.parametrize("words", [["absent"], ["old/notes", "absent"], ["old/notes", "--glob", "[", "--dim", "48"]])
def test_a_rebuild_that_the_run_behind_it_would_refuse_is_refused_before_it(notes: Path, words: list[str]) -> None:
    with Index.open(".colibri-index", create=False) as index:
        before = index.commits()
        refused = run("index", "--rebuild", *words, code=1).output
        assert "no such file or folder" in refused or "glob" in refused
        assert "made anew" not in refused
        assert (index.commits(), index.dim) == (before, 16)


def test_a_pool_is_of_the_whole_index_and_a_rebuild_makes_another(notes: Path) -> None:
    assert "pools no tokens, not by 2" in run("index", "--pool", "2", code=1).stderr
    assert run("index", "--stats", "--pool", "2", code=2)
    assert run("index", "--pool", "0", code=2)
    plain = asked("--stats")
    assert plain["pool"] == 1
    (notes / "more.md").write_text("The keeper counts the birds of the lake. " * 30, encoding="utf-8")
    assert "tokens pooled by 2" in run("index", "--rebuild", "--pool", "2").stderr
    pooled = asked("--stats")
    assert (pooled["pool"], pooled["documents"]) == (2, plain["documents"] + 1)
    with Index.open(".colibri-index", create=False) as index:
        more = index.get([str(notes / "more.md")], vectors=True)[0]
        assert more is not None
        assert more.vectors is not None
        assert more.vectors.more_spans is not None
        synced = index.sync()
        assert (synced.unchanged, synced.indexed) == (4, 0)
    assert "dims, int8 rows, tokens pooled by 2" in run("status", "--index", ".colibri-index").stdout
    assert "pools tokens by 2, not by 3" in run("index", "--pool", "3", code=1).stderr
    shown = run("search", "keeper counts birds", "--index", ".colibri-index", "--all").stdout
    assert "birds" in shown
    run("index", notes / "bird.md", *MODEL, "--pool", "2", "--into", "another.index")
    with Index.open("another.index", create=False) as another:
        assert another.pool == 2


def test_compact_rows_are_int4_and_pooled_by_two(notes: Path) -> None:
    for other in (("--rows", "int8"), ("--pool", "3"), ("--pool", "1")):
        assert "--compact-rows is --rows int4 --pool 2" in run("index", "--compact-rows", *other, code=2).stderr
    assert "run over files" in run("index", "--compact-rows", "--stats", code=2).stderr
    run("index", notes / "bird.md", *MODEL, "--compact-rows", "--into", "new.index")
    assert "int4 rows" in run("index", "--rebuild", "--compact-rows").stderr
    for place in ("new.index", ".colibri-index"):
        with Index.open(place, create=False) as index:
            assert (index.pool, index.stats().rows) == (2, "int4")
    run("index", "--compact-rows", "--pool", "2", "--rows", "int4")  # as it is


@pytest.mark.parametrize("words", [("--passage-tokens", "12"), ("--no-split",), ("--defaults",)])
@pytest.mark.parametrize("named", rounds([True], [True, False]))
def test_passages_of_another_length_are_made_by_a_rebuild_and_not_once_more(
    notes: Path, words: tuple[str, ...], named: bool
) -> None:
    (notes / "long.md").write_text("# Long\n\n" + "The keeper counts the birds. " * 40, encoding="utf-8")
    (notes / "sub" / "more.txt").write_text("The keeper counts the gulls. " * 40, encoding="utf-8")
    run("index", "--passage-tokens", "40")
    with Index.open(".colibri-index", create=False) as index:
        index.add([{"id": "mine", "text": "no file of mine " * 100, "payload": {"file": "a name"}}])
    found = asked(*([notes] if named else []), "--rebuild", "--dim", "48", *words)
    assert (found["tokens"], found["unchanged"]) == (0, 5)
    run("index", notes, *MODEL, "--dim", "48", *words, "--into", "fresh")
    with Index.open(".colibri-index", create=False) as index, Index.open("fresh", create=False) as fresh:
        ours = {one.id: one for one in index.documents(vectors=True)}
        del ours["mine"]
        for one in fresh.documents(vectors=True):
            mine = ours.pop(one.id)
            assert (mine.text, mine.passages, mine.payload) == (one.text, one.passages, one.payload)
        assert not ours
    assert asked()["unchanged"] == 5


def test_stats_say_all_of_it(notes: Path) -> None:
    (notes / "broken.pdf").write_bytes(b"%PDF-1.7 damaged")
    (notes / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (notes / ".hidden").write_text("x", encoding="utf-8")
    run("index")
    found = asked("--stats")
    assert found["files"] == 3
    assert found["kinds"]["text"] == {"files": 2, "documents": 2, "passages": 4}
    assert found["kinds"]["JSON rows"]["documents"] == 2
    (root,) = found["roots"]
    assert (root["path"], root["files"], root["documents"]) == (str(notes), 3, 4)
    assert list(root["skipped"]) == [str(notes / "broken.pdf")]
    assert (root["not_read"], root["left_out"]) == ({".jpg": 1}, {"hidden": 1})
    assert root["when"].endswith("+00:00")
    shown = run("index", "--stats").stdout
    for piece in ("documents    4", "files        3", "  text   ", str(notes), "last looked at 20", "skipped ", ".jpg"):
        assert piece in shown


def test_an_index_of_before_there_were_roots_has_those_of_its_documents(notes: Path) -> None:
    with Index.open(".colibri-index", create=False) as index:
        index.set_note("folders", lambda _: None)
    (notes / "bird.md").unlink()
    assert asked()["removed"] == 1
    assert [root["path"] for root in asked("--stats")["roots"]] == [str(notes)]
    with Index.open(".colibri-index", create=False) as index:
        index.set_note("folders", lambda _: {"format": 2, "roots": []})
    assert "written by a newer colibri-edge" in run("index", code=1).stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["index", "--prune", "--stats"], 2, "give files or folders"),
        (["index", "--remove", "old", "--stats"], 2, "give files or folders"),
        (["index", "--rebuild", "--verify"], 2, "give files or folders"),
        (["index", "--stats", "--glob", "*.md"], 2, "--glob is of a run over files"),
        (["index", "--remove", "old", "--defaults"], 2, "--defaults is of a run over files"),
        (["index", "--verify", "--no-split"], 2, "--split is of a run over files"),
        (["index", "--verify", "--dim", "48"], 1, "has dim 16, not 48"),
        (["index", "absent"], 1, "absent: no such file or folder"),
        (["index", "old/notes/absent"], 1, "old/notes/absent: no such file or folder"),
        (["index", ""], 2, "an empty path"),
        (["index", "--remove", ""], 2, "an empty path"),
        (["index", "--into", ""], 2, "an empty path"),
        (["index", "--export", ""], 2, "an empty path"),
        (["search", "bird", "--index", ""], 2, "an empty path"),
        (["index", "old/notes", "absent"], 1, "absent: no such file or folder"),
        (["index", ".colibri-index"], 1, ".colibri-index: is in the folder of the index itself, "),
    ],
)
def test_wrong_use_is_explained_before_any_work(
    kept: Path, words: list[str], code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kept)
    assert said in run(*words, code=code).output
    assert len(held()) == 4


@pytest.mark.parametrize("more", [[], ["--watch"]])
def test_no_index_is_made_in_the_folder_that_it_is_to_be_made_of(
    tmp_path: Path, more: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("new").mkdir()
    said = run("index", "new", "--into", "new", *more, code=1).stderr
    assert "new: is in the folder of the index itself, " in said
    assert list(Path("new").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="there is no pty on Windows")
@pytest.mark.parametrize(("answer", "left"), [("y", 0), ("n", 4)])
def test_pruning_is_asked_on_a_terminal(notes: Path, answer: str, left: int) -> None:
    import pty

    notes.rename("away")
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "colibri", "index", "--prune"]
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        said = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                break
            if not piece:
                break
            said += piece
        assert child.wait() == 0
    os.close(ours)
    assert b"Take 4 documents of" in said
    assert len(held()) == left


@pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent otherwise on Windows")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_says_what_was_kept_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("files").mkdir()
    for i in range(400):
        Path(f"files/{i:03d}.txt").write_text(f"the keeper counts bird {i} " * 400, encoding="utf-8")
    words = [sys.executable, "-m", "colibri", "-v", "index", "files", "--into", "index", *MODEL]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        child.stderr.readline()  # the model is loaded
        child.send_signal(number)
        said = child.communicate()[1]
        assert child.returncode == code, said
    assert "interrupted: " in said
    assert ", kept in index; the same command goes on there" in said
    assert "Traceback" not in said
    with Index.open("index", create=False) as index:
        assert index.verify().clean
    assert asked("--stats", "--into", "index")["roots"][0]["path"] == str(tmp_path / "files")


def test_quiet_says_nothing_but_what_went_wrong(notes: Path) -> None:
    (notes / "broken.pdf").write_bytes(b"%PDF-1.7 damaged")
    assert run("index", "--quiet").output == ""
    notes.rename("away")
    assert "is gone" in run("index", "-q").output


def test_looking_after_an_index_obeys_json_and_quiet(notes: Path) -> None:
    def tried(*words: str | Path) -> dict[str, Any]:
        (line,) = run("index", *words, "--json").output.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found

    assert tried("--export", "out") == {"exported": 4, "folder": "out", "index": ".colibri-index"}
    found = tried("--import", "out", "--into", "other", *MODEL)
    assert found == {"imported": 4, "folder": "out", "index": "other", "documents": 4}
    for words in ("--stats", "--verify", "--repair", "--compact"):
        assert tried(words)
    assert tried("--remove", notes / "bird.md")["documents"] == 1
    quiet: list[tuple[str | Path, ...]] = [("--verify",), ("--repair",), ("--compact",), ("--export", "more")]
    quiet += [("--import", "more", "--into", "third", *MODEL), ("--remove", notes / "sub")]
    for silent in quiet:
        assert run("index", *silent, "--quiet").output == "", silent
    assert "documents" in run("index", "--stats", "--quiet").stdout
    for rows in Path(".colibri-index").glob("segments/*.rows"):
        rows.write_bytes(b"damaged")
    assert "--repair" in run("index", "--verify", "--quiet", code=1).stderr


def test_the_last_line_gives_files_tokens_seconds_and_tokens_a_second(notes: Path) -> None:
    (notes / "new.txt").write_text("A new text.", encoding="utf-8")
    done = run("index")
    assert done.stdout.startswith(
        "1 file indexed, 3 unchanged, 0 removed, 0 skipped; .colibri-index holds 5 documents; "
    )
    tokens, rest = done.stdout.split("; ")[2].split(" tokens in ")
    assert int(tokens) > 0
    assert rest.endswith(" tokens/s\n")
    assert "\r" not in done.stderr  # nothing is drawn where stderr is no terminal


def test_a_root_that_was_a_mount_and_is_none_is_gone(notes: Path) -> None:
    def mounted(note: Any) -> Any:
        note["roots"][str(notes)]["mounts"] = [str(notes)]
        return note

    with Index.open(".colibri-index", create=False) as index:
        index.set_note("folders", mounted)
    (notes / "bird.md").unlink()
    found = asked()
    assert found["gone"][str(notes)]["why"] == "has nothing mounted any more"
    assert (found["removed"], found["documents"]) == (0, 4)


def test_a_folder_need_not_have_a_name_in_utf_8(notes: Path) -> None:
    odd = os.fsencode(notes) + b" caf\xe9"
    try:
        os.mkdir(odd)  # noqa: PTH102 - pathlib takes no bytes
    except OSError:
        pytest.skip("this file system takes no such names")
    Path(os.fsdecode(odd), "a.txt").write_text("A text.", encoding="utf-8")
    assert asked(os.fsdecode(odd))["indexed"] == 1
    found = asked()
    assert (found["unchanged"], found["gone"]) == (4, {})
    os.rename(odd, os.fsencode(notes) + b" th\xe9")  # noqa: PTH104
    assert asked(os.fsdecode(os.fsencode(notes) + b" th\xe9"))["moved"] == 1


@pytest.mark.parametrize("words", ["--convert --verify", "--verify --repair", "--stats --kinds", "--compact --stats"])
def test_of_two_things_to_do_none_is_passed_over(notes: Path, words: str) -> None:
    """Of options that share a place only the last one counted."""
    assert "or one of --remove, --kinds, --stats" in run("index", *words.split(), code=2).stderr
    run("index", *[words.split(maxsplit=1)[0]] * 2)  # one that is given twice is one
