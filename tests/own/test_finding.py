"""Which index is meant: what wins over what, found as git finds its own, and whose it may be."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import other_user
from colibri.errors import InputError, StoreError
from colibri.own import DEFAULT, Which, checked_name, make_room, name_of, named_indexes, own_index, which
from colibri.own.keeping import _SEPARATORS
from colibri.own.trust import why_not_trusted

not_windows = pytest.mark.skipif(os.name == "nt", reason="Windows' owners are not looked at")
needs_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give away files")


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, and a current folder in which nothing is."""
    monkeypatch.delenv("COLIBRI_INDEX")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b" / "c")
    return tmp_path / "data" / "colibri" / "indexes"


def test_what_wins(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert which() == Which(path=mine / DEFAULT, why="your own", name=DEFAULT)
    (tmp_path / "a" / ".colibri-index").mkdir()
    assert which() == Which(path=tmp_path / "a" / ".colibri-index", why=f"found in {tmp_path / 'a'}")
    Path(".colibri-index").mkdir()
    assert which() == Which(path=Path(".colibri-index"), why=f"found in {Path.cwd()}")
    monkeypatch.setenv("COLIBRI_INDEX", "elsewhere")
    assert which() == Which(path=Path("elsewhere"), why="COLIBRI_INDEX")
    assert which(name="work") == Which(
        path=mine / "work", why="your own, --name work", name="work", words="--name work"
    )
    assert which("x") == Which(path=Path("x"), why="--index", words="--index x")
    assert which(mine / "work").name == "work"
    with pytest.raises(InputError, match="either --index or --name"):
        which("x", "work")


def test_an_empty_variable_is_none_and_home_is_put_in(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLIBRI_INDEX", "")
    assert which().why == "your own"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLIBRI_INDEX", "~/x/y")
    assert which().path == tmp_path / "x" / "y"
    monkeypatch.setenv("COLIBRI_INDEX", str(mine / "work"))
    assert which().name == "work"


def test_looking_for_it_makes_and_opens_nothing(mine: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    which()
    which(name="work")
    assert named_indexes() == {}
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("how", ["folder", "file", "link", "dead link"])
def test_whatever_has_the_name_is_it(tmp_path: Path, how: str) -> None:
    """A disk that is not mounted, or a damaged index, must not send what is indexed elsewhere."""
    place = tmp_path / "a" / ".colibri-index"
    if how == "folder":
        place.mkdir()
    elif how == "file":
        place.write_text("")
    else:
        place.symlink_to(tmp_path / ("b" if how == "dead link" else "a/b"))
    assert which().path == place


def test_where_the_current_folder_is_gone_the_users_own_is_left(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    (tmp_path / ".colibri-index").mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert which().path == mine / DEFAULT


@needs_root
def test_another_file_system_is_not_entered(tmp_path: Path, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As git: what lies above a mounted disk is somebody else's business."""
    disk = tmp_path / "a" / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "none", disk], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    try:
        (tmp_path / "a" / ".colibri-index").mkdir()
        (disk / "sub").mkdir()
        monkeypatch.chdir(disk / "sub")
        assert which().path == mine / DEFAULT
        (disk / ".colibri-index").mkdir()
        assert which().path == disk / ".colibri-index"
    finally:
        os.chdir(tmp_path)
        subprocess.run(["umount", disk], check=True)


@not_windows
@needs_root
def test_what_was_found_and_is_another_users_is_refused_unless_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "a" / ".colibri-index"
    place.mkdir()
    os.chown(place, 4242, 4242)
    with pytest.raises(InputError) as refused:
        which()
    said = str(refused.value)
    assert said.startswith(f"{place}: belongs to user 4242, and would read what goes into it")
    assert f"--index {place} uses it, --name default your own" in said
    assert f"trusted = ['{tmp_path / 'a'}'] in {tmp_path / 'config/colibri/config.toml'}" in said
    assert which(place).path == place
    assert which(name=DEFAULT).why == "your own, --name default"
    monkeypatch.setenv("COLIBRI_INDEX", str(place))
    assert which().path == place
    monkeypatch.delenv("COLIBRI_INDEX")
    monkeypatch.setenv("SUDO_UID", "4242")
    assert which().path == place
    monkeypatch.setenv("SUDO_UID", "4243")
    config = tmp_path / "config" / "colibri" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f"trusted = ['{tmp_path}']\n")
    assert which().path == place


@not_windows
@needs_root
def test_whose_a_link_is_counts_and_whose_what_it_leads_to_is(tmp_path: Path) -> None:
    theirs, link = tmp_path / "theirs", tmp_path / "link"
    theirs.mkdir()
    os.chown(theirs, 4242, 4242)
    link.symlink_to(theirs)
    assert why_not_trusted(link) == "belongs to user 4242"
    os.chown(theirs, 0, 0)
    os.chown(link, 4242, 4242, follow_symlinks=False)
    assert why_not_trusted(link) == "belongs to user 4242"
    link.unlink()
    link.symlink_to(tmp_path / "nothing")
    assert why_not_trusted(link) is None
    os.chown(theirs, 4242, 4242)
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "x").symlink_to(theirs)
    assert why_not_trusted(theirs, [tmp_path]) is None
    assert why_not_trusted(tmp_path / "trusted" / "x", [tmp_path / "trusted"]) == "belongs to user 4242"


@not_windows
def test_roots_are_used_by_all_and_theirs_not_by_root() -> None:
    if why := other_user.why_not():
        pytest.skip(why)
    code = "from colibri.own import why_not_trusted as w; from pathlib import Path; print(w(Path('x')), w(Path('y')))"
    with other_user.open_folder(0o777) as folder:
        (folder / "x").mkdir()
        (folder / "y").mkdir()
        os.chown(folder / "y", 1, 1)
        done = other_user.python(code, user=other_user.NOBODYS, folder=folder)
        assert done.stdout.strip() == "None belongs to daemon (user 1)", done.stderr


GOOD = ["default", "work", "Arbeit 2", "ünïcode", "日本語", "a.b", "v1_2-3", "x" * 100, "consul", "nullable", "com10"]
BAD = ["", " ", " x", "x ", "a/b", "a\\b", "/", "..", ".",
       ".hidden", "-x", "~", "~me", "c:", "a:b", "x.", "a\nb", "a\0b",
       "a*b", "what?", 'a"b', "<x>", "a|b", "CON", "nul", "Aux.txt", "com1", "LPT9.x", "x" * 101, "é" * 51, "\ud800",
       "a\u202eb", "\x7f"]  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_names_that_can_be(mine: Path, name: str) -> None:
    assert checked_name(name) == name
    own_index(name).mkdir(parents=True)
    assert named_indexes() == {name: mine / name}


def test_a_name_is_one_whatever_form_its_letters_have(mine: Path) -> None:
    assert which(name="re\u0301sume\u0301") == which(name="r\xe9sum\xe9")
    assert own_index("re\u0301sume\u0301") == mine / "r\xe9sum\xe9"


@pytest.mark.parametrize("name", BAD)
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(InputError, match=r"wanted one such as 'work'|at most 100|is not UTF-8"):
        which(name=name)


@given(st.text(max_size=120))
def test_a_name_never_leads_anywhere_else(name: str) -> None:
    try:
        place = own_index(name)
    except InputError:
        return
    assert place.parent == own_index().parent
    assert Path(os.path.normpath(place)) == place
    assert not _SEPARATORS & set(place.name)


def test_those_that_are_there_are_listed_and_others_are_not(mine: Path) -> None:
    for name in ("work", DEFAULT, "art", ".hidden"):
        (mine / name).mkdir(parents=True)
    (mine / "file").write_text("")
    assert list(named_indexes()) == [DEFAULT, "art", "work"]


def test_whose_a_folder_is_by_name(mine: Path, tmp_path: Path) -> None:
    assert name_of(mine / "work") == "work"
    assert name_of(mine) is None
    assert name_of(mine / "work" / "x") is None
    mine.mkdir(parents=True)
    (tmp_path / "link").symlink_to(mine)
    assert name_of(tmp_path / "link" / "work") == "work"


@not_windows
def test_others_cannot_look_into_the_users_own(mine: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_room(mine / "work")
        make_room(tmp_path / "elsewhere" / "x")
    finally:
        os.umask(before)
    assert mine.stat().st_mode & 0o777 == 0o700
    assert not (mine / "work").exists()
    assert not (tmp_path / "elsewhere").exists()
    mine.chmod(0o750)  # what its owner says stays
    make_room(mine / "work")
    assert mine.stat().st_mode & 0o777 == 0o750


def test_a_data_folder_that_cannot_be_made_is_explained(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreError, match=r"cannot be made .*; --index FOLDER or COLIBRI_INDEX names another place"):
        make_room(mine / "work")


def test_without_a_home_an_index_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colibri.own.keeping.user_data", lambda: None)
    with pytest.raises(InputError, match=r"no home folder is known: .*--index FOLDER or COLIBRI_INDEX names another"):
        which()
    assert which("x").name is None
    assert named_indexes() == {}
    make_room(Path("x"))


@pytest.mark.parametrize(
    ("platform", "variables", "below"),
    [
        ("linux", {}, ".local/share/colibri/indexes/default"),
        ("linux", {"XDG_DATA_HOME": "relative"}, ".local/share/colibri/indexes/default"),
        ("darwin", {"XDG_DATA_HOME": "/x"}, "Library/Application Support/colibri/indexes/default"),
        ("win32", {}, "AppData/Local/colibri/indexes/default"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/colibri/indexes/default"),
    ],
)
def test_folders_of_each_system(
    platform: str, variables: dict[str, str], below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert own_index() == tmp_path / below


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_it_is_found_where_git_finds_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same folder, from everywhere below it."""
    subprocess.run(["git", "init", "-q", tmp_path / "a" / "b"], check=True)
    (tmp_path / "a" / "b" / ".colibri-index").mkdir()
    for folder in ("a/b", "a/b/c"):
        monkeypatch.chdir(tmp_path / folder)
        top = subprocess.run(["git", "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True)
        assert Path(os.path.realpath(which().path)) == Path(top.stdout.strip()) / ".colibri-index"
    monkeypatch.chdir(tmp_path / "a")
    assert which().path.name == DEFAULT
