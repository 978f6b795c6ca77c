"""A look at some paths is what a look at everything would have found there."""

import random
from pathlib import Path

import pytest

import colibri
from colibri import Index
from colibri.files import Refresh
from colibri.files.facts import known_files
from colibri.files.walk import Troubles, outermost, shown, walk, within
from reference import ARTEFACTS
from rounds import rounds

NAMES = ("a.md", "b.txt", ".hidden.md", "c#1.md", "a.md2", "sub", "sub2", "deep", ".dot", "rows.jsonl")


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(ARTEFACTS / "tiny-random-bert", variant="cpu-fp32")


def tree(root: Path, chances: random.Random) -> list[str]:
    """Some files and folders; their paths, and some that are not there."""
    paths = [root]
    for _ in range(chances.randint(5, 25)):
        folder = chances.choice([path for path in paths if path.is_dir()])
        path = folder / chances.choice(NAMES)
        if path.exists():
            continue
        if "." in path.name[1:]:
            path.write_text('{"text": "a row"}\n{"text": "another"}\n' if path.suffix == ".jsonl" else f"{path}")
        else:
            path.mkdir()
        paths.append(path)
    if chances.random() < 0.5:
        (root / ".gitignore").write_text(chances.choice(["sub/\n", "*.txt\n!sub/b.txt\n", "deep\n"]))
    return [shown(path) for path in [*paths, root / "none.md", root / "sub" / "none" / "at all"]]


@pytest.mark.parametrize("seed", range(rounds(quick=30, soak=1_000)))
def test_a_walk_below_some_paths_finds_what_lies_there(seed: int, tmp_path: Path) -> None:
    chances = random.Random(seed)
    paths = tree(tmp_path, chances)
    hidden, below = chances.random() < 0.5, chances.sample(paths, min(len(paths), chances.randint(1, 4)))
    troubles, all_troubles = Troubles(), Troubles()
    every = list(walk([tmp_path], all_troubles, hidden=hidden))
    some = list(walk([tmp_path], troubles, hidden=hidden, below=below))
    assert some == [one for one in every if any(within(shown(one.path), path) for path in below)]
    assert troubles.left_out.items() <= all_troubles.left_out.items()


@pytest.mark.parametrize("seed", range(rounds(quick=5, soak=200)))
def test_an_index_knows_what_it_has_below_some_paths(seed: int, tmp_path: Path, model: colibri.Colibri) -> None:
    chances = random.Random(seed)
    (tmp_path / "root").mkdir()
    paths = tree(tmp_path / "root", chances)
    with Index.open(tmp_path / "index", model) as index:
        work = Refresh(index)
        work.run(work.plan([tmp_path / "root"], {}), lambda tokens: None)
        every = known_files(index)
        for _ in range(10):
            below = outermost(chances.sample(paths, min(len(paths), 3)))
            wanted = {path: one for path, one in every.items() if any(within(path, top) for top in below)}
            assert known_files(index, below) == wanted


def test_outermost_paths_hold_all_others() -> None:
    assert outermost(["/a/b", "/a", "/ab", "/a/b/c", "/a"]) == ["/a", "/ab"]
    assert outermost(["/"]) == ["/"]
    assert outermost([]) == []


def test_a_change_makes_no_root_and_reads_no_file_as_if_it_were_named(tmp_path: Path, model: colibri.Colibri) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.md").write_text("A colibri is a small bird.")
    (root / ".gitignore").write_text("*.log\n")
    with Index.open(tmp_path / "index", model) as index:
        work = Refresh(index)
        work.run(work.plan([root], {}), lambda tokens: None)
        (root / "x.log").write_text("left out")
        (root / "data.bin").write_bytes(bytes(range(256)))
        (tmp_path / "beside.md").write_text("in no root")
        work = Refresh(index)
        due = work.plan_changed([str(root / "x.log"), str(root / "data.bin"), str(tmp_path / "beside.md")])
        assert due == []
        work.run(due, lambda tokens: None)
        assert list(index.note("folders")["roots"]) == [str(root)]
        (root / "a.md").rename(root / "b.md")
        work = Refresh(index)
        assert work.plan_changed([str(root / "a.md"), str(root / "b.md")]) == []
        assert work.run([], lambda tokens: None).moved == 1
        assert [found for found, _ in index.payloads()] == [str(root / "b.md")]


def test_limits_of_a_run_hold_for_what_changed(tmp_path: Path, model: colibri.Colibri) -> None:
    (tmp_path / "root").mkdir()
    with Index.open(tmp_path / "index", model) as index:
        work = Refresh(index)
        work.run(work.plan([tmp_path / "root"], {}), lambda tokens: None)
        (tmp_path / "root" / "a.md").write_text("A colibri is a small bird.")
        work = Refresh(index)
        ((_, job),) = work.plan_changed([str(tmp_path / "root" / "a.md")], {"max_seconds": 7.0})
        assert job.wanted.max_seconds == 7.0
        assert work.run([], lambda tokens: None).indexed == 0
        assert index.note("folders")["roots"][str(tmp_path / "root")]["options"] == {}


def test_a_root_that_is_gone_loses_nothing_by_a_change(tmp_path: Path, model: colibri.Colibri) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.md").write_text("A colibri is a small bird.")
    with Index.open(tmp_path / "index", model) as index:
        work = Refresh(index)
        work.run(work.plan([root], {}), lambda tokens: None)
        root.rename(tmp_path / "away")
        for empty in (False, True):
            if empty:
                root.mkdir()
            work = Refresh(index)
            work.run(work.plan_changed([str(root / "sub" / "a.md"), str(root / "sub")]), lambda tokens: None)
            assert index.count() == 1
