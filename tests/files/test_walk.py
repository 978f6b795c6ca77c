"""Which files are found: as git would, without hanging, looping or crashing."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from colibri import InputError
from colibri.files.walk import Troubles, shown, walk


def make(root: Path, *names: str, text: str = "x") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def names(root: Path, **options: object) -> list[str]:
    found = walk([root], Troubles(), **options)  # type: ignore[arg-type]
    return [one.path.relative_to(root.resolve()).as_posix() for one in found]


def test_files_come_sorted_and_hidden_ones_do_not(tmp_path: Path) -> None:
    make(tmp_path, "b.txt", "a/z.txt", "a/b/c.md", ".hidden/x.txt", ".env", ".git/config")
    assert names(tmp_path) == ["b.txt", "a/z.txt", "a/b/c.md"]
    assert set(names(tmp_path, hidden=True)) == {"b.txt", "a/z.txt", "a/b/c.md", ".hidden/x.txt", ".env"}


def test_globs_are_of_the_path_below_the_root(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "b.txt", "docs/c.md", "docs/d.txt")
    assert names(tmp_path, globs=["*.md"]) == ["a.md", "docs/c.md"]
    assert names(tmp_path, globs=["/docs/**", "!*.txt"]) == ["docs/c.md"]


def test_gitignore_holds_as_git_has_it(tmp_path: Path) -> None:
    make(
        tmp_path, *(f"{folder}{name}" for folder in ("", "in/", "in/deep/") for name in ("a.log", "b.txt", "keep.log"))
    )
    make(tmp_path, "build/x.txt", "in/build/y.txt", "in/only/z.txt")
    make(tmp_path, ".gitignore", text="*.log\n/build/\n!keep.log\n# comment\nonly\n")
    make(tmp_path, "in/.gitignore", text="!a.log\nkeep.log\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    command = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard"]
    wanted = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert sorted(names(tmp_path)) == sorted(name for name in wanted if not Path(name).name.startswith("."))
    # From within the repository, what lies above holds as well.
    assert sorted(names(tmp_path / "in")) == sorted(
        name.removeprefix("in/") for name in wanted if name.startswith("in/") and ".gitignore" not in name
    )
    assert len(names(tmp_path, ignore=False)) == 12


@pytest.mark.parametrize("seed", range(5))
def test_a_tree_of_gitignore_files_leaves_what_git_leaves(tmp_path: Path, seed: int) -> None:
    """Whatever lies in an ignored folder is left out, whatever a later line or a deeper .gitignore says of it."""
    rng = random.Random(seed)
    folders = [f"{a}{b}{c}" for a in ("", "a/", "b/") for b in ("", "a/", "b/") for c in ("", "c/")]
    make(tmp_path, *(f"{folder}{name}" for folder in folders for name in ("a.txt", "b.txt", "c.log")))
    lines = ["a", "b/", "c", "*.log", "/a", "a/*", "!a", "!b/", "!*.log", "!a.txt", "a.txt", "a/**", "**/c", "!c/", "*"]
    for folder in rng.sample(folders, 8):
        make(tmp_path, f"{folder}.gitignore", text="\n".join(rng.sample(lines, 3)))
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    command = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard"]
    left = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    wanted = sorted(name for name in left if not name.endswith(".gitignore"))
    assert sorted(names(tmp_path)) == wanted
    for folder in folders[1:]:
        within = [name.removeprefix(folder) for name in wanted if name.startswith(folder)]
        assert sorted(names(tmp_path / folder)) == within


def test_a_gitignore_that_is_a_link_says_nothing(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "rules")
    (tmp_path / "rules").write_text("a.txt")
    (tmp_path / ".gitignore").symlink_to("rules")
    assert names(tmp_path) == ["a.txt", "rules"]


def test_names_of_any_bytes_are_ignored_by_their_bytes(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("x")
    (tmp_path / os.fsdecode(b"caf\xea.txt")).write_text("x")
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9*\n")
    assert names(tmp_path) == [os.fsdecode(b"caf\xea.txt")]


def test_the_last_glob_that_matches_a_file_or_its_folder_chooses(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "docs/b.md", "docs/c.txt", "docs/drafts/d.md")
    assert names(tmp_path, globs=["docs"]) == ["docs/b.md", "docs/c.txt", "docs/drafts/d.md"]
    assert names(tmp_path, globs=["docs/", "!*.txt"]) == ["docs/b.md", "docs/drafts/d.md"]
    assert names(tmp_path, globs=["*.md", "!drafts/"]) == ["a.md", "docs/b.md"]
    assert names(tmp_path, globs=["*.md", "!drafts/", "d.*"]) == ["a.md", "docs/b.md", "docs/drafts/d.md"]


@pytest.mark.parametrize("glob", ["[a", "[[:nope:]]", "a\\", "", "!", "/"])
def test_a_glob_that_can_match_nothing_is_an_error_of_the_glob(tmp_path: Path, glob: str) -> None:
    make(tmp_path, "a.txt", ".gitignore", text="[a\n!\na\\")
    assert names(tmp_path) == ["a.txt"]  # where in a .gitignore it is passed over
    with pytest.raises(InputError, match=r"^--glob ") as raised:
        names(tmp_path, globs=["*.md", glob])
    assert ".gitignore" not in str(raised.value)


def test_links_are_not_followed_so_loops_end(tmp_path: Path) -> None:
    make(tmp_path, "a/b.txt")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link.txt").symlink_to(tmp_path / "a" / "b.txt")
    assert names(tmp_path) == ["a/b.txt"]
    linked = list(walk([tmp_path / "link.txt"], Troubles()))  # one that is named is followed
    assert [one.path.name for one in linked] == ["b.txt"]


def test_pipes_are_left_out_and_refused(tmp_path: Path) -> None:
    make(tmp_path, "a.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    assert names(tmp_path) == ["a.txt"]
    with pytest.raises(InputError, match="neither a file nor a folder"):
        list(walk([tmp_path / "pipe.txt"], Troubles()))


def test_each_file_comes_once(tmp_path: Path) -> None:
    make(tmp_path, "a/b.txt")
    found = list(walk([tmp_path, tmp_path / "a", tmp_path / "a" / "b.txt"], Troubles()))
    assert len(found) == 1


@pytest.mark.parametrize("root", ["absent", "a\0b", "x" * 5_000])
def test_a_root_that_is_not_there_is_an_error(tmp_path: Path, root: str) -> None:
    with pytest.raises(InputError, match="cannot be found"):
        list(walk([tmp_path / root], Troubles()))


def test_names_of_any_bytes_can_be_shown(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("x", encoding="utf-8")
    (found,) = walk([tmp_path], Troubles())
    assert shown(found.path).endswith("caf\\udce9.txt")
    assert found.path.read_text(encoding="utf-8") == "x"


def test_what_is_not_looked_at_is_counted_by_what_says_so(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "b.txt", "c.log", ".env", ".cache/x.txt", "build/x.md", "build/y.md")
    make(tmp_path, "in/d.txt", ".git/config")
    make(tmp_path, ".gitignore", text="*.log\nbuild/\n")
    (tmp_path / "link").symlink_to("a.md")
    os.mkfifo(tmp_path / "pipe")
    troubles = Troubles()
    assert [one.path.name for one in walk([tmp_path], troubles, globs=["*.md"])] == ["a.md"]
    assert {Path(path).name: why for path, why in troubles.left_out.items()} == {
        ".env": "hidden",
        ".cache": "hidden",
        "c.log": "by .gitignore",
        "build": "by .gitignore",
        "link": "links",
        "pipe": "pipes or devices",
        "b.txt": "by --glob",
        "d.txt": "by --glob",
    }
    make(tmp_path / "build", "in/z.txt")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    ignored = Troubles()
    assert list(walk([tmp_path / "build"], ignored)) == []
    assert list(ignored.left_out.values()) == ["by .gitignore"]


@pytest.mark.parametrize("files", [("index.json", "segments/1.rows"), ("writer.lock",), ("segments/1.rows",)])
def test_an_index_is_never_gone_into(tmp_path: Path, files: tuple[str, ...]) -> None:
    make(tmp_path, "a.txt", "deep/mine/index.sqlite", *(f"deep/mine/{name}" for name in files))
    make(tmp_path, "own/index.json", "own/notes.txt")  # which is none, as long as it has no more of one
    troubles = Troubles()
    found = [one.path.name for one in walk([tmp_path], troubles)]
    assert found == ["a.txt", "index.json", "notes.txt"]
    assert troubles.left_out == {shown(tmp_path / "deep" / "mine"): "Colibri indexes"}
    assert list(walk([tmp_path / "deep" / "mine"], Troubles())) == []
