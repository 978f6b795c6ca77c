"""A user without a home folder: everything works, nothing is kept in a folder named "~", and that is said."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

import other_user
from colibri.artefact import hub
from colibri.machine.homes import can_be, home, temporary_folder, why_no_home
from reference import ARTEFACTS

_WHY = f"HOME is not set, and the system has no user {other_user.NOBODYS}"
_NOT_HERE = other_user.why_not()
as_nobody = pytest.mark.skipif(_NOT_HERE is not None, reason=_NOT_HERE or "")


@pytest.fixture
def folder() -> Iterator[Path]:
    with other_user.open_folder(0o777) as made:
        yield made


@as_nobody
def test_commands_work_without_a_home(folder: Path) -> None:
    model = ("--model", str(ARTEFACTS / "tiny-random-bert"))
    (folder / "a.txt").write_text("A colibri is a small bird.")
    for words in (
        ["rerank", "bird", "a small bird", *model],
        ["encode", "bird", *model],
        ["index", "a.txt", "--into", "index", *model],
        ["search", "bird", "--index", "index"],
        ["info", model[1]],
    ):
        done = other_user.python("-m", "colibri", *words, user=other_user.NOBODYS, folder=folder)
        assert (done.returncode, done.stderr) == (0, ""), words
    assert {path.name for path in folder.iterdir()} == {"a.txt", "index"}


@as_nobody
def test_warmup_keeps_nothing_and_says_so(folder: Path) -> None:
    done = other_user.python("-m", "colibri", "warmup", "--kind", "float32", user=other_user.NOBODYS, folder=folder)
    assert done.returncode == 0, done.stderr
    assert f"not cached: no home folder is known: {_WHY}; NUMBA_CACHE_DIR or XDG_CACHE_HOME says where" in done.stdout
    assert done.stderr.count(_WHY) == 1
    assert not list(folder.iterdir())
    kept = folder / "kept"
    environment = {"NUMBA_CACHE_DIR": str(kept)}
    code = "from colibri.scoring import engine; print(engine.compile_now('bits').cached)"  # in a third of the time
    done = other_user.python(code, user=other_user.NOBODYS, folder=folder, environment=environment)
    assert str(kept) in done.stdout
    assert done.stderr == ""
    assert list(kept.rglob("bits.scan*.nbc"))


@as_nobody
def test_doctor_says_that_no_home_is_known(folder: Path) -> None:
    done = other_user.python("-m", "colibri", "doctor", user=other_user.NOBODYS, folder=folder)
    assert done.returncode == 0, done.stderr
    assert f"engine_cache   none: no home folder is known: {_WHY}; XDG_CACHE_HOME says where" in done.stdout


@as_nobody
def test_hub_ids_are_kept_in_a_temporary_folder(folder: Path) -> None:
    code = "import colibri; colibri.load('owner/no-such-model')"
    environment = {"HF_HUB_OFFLINE": "1", "TMPDIR": str(folder)}
    done = other_user.python(code, user=other_user.NOBODYS, folder=folder, environment=environment)
    kept = folder / f"colibri-{other_user.NOBODYS}"
    assert "not in the local hub cache" in done.stderr
    assert f"{_WHY}; files of hub ids are kept in {kept / 'huggingface'}, or where HF_HOME says" in done.stderr
    assert [path.name for path in folder.iterdir()] == [kept.name]
    assert (stat.S_IMODE(kept.stat().st_mode), kept.stat().st_uid) == (0o700, other_user.NOBODYS)


def test_a_hub_cache_that_is_known_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    hub.prepare_client()
    assert "HF_HOME" not in os.environ
    monkeypatch.setenv("HF_HOME", "/mine")
    monkeypatch.delenv("HOME")
    hub.prepare_client()
    assert os.environ["HF_HOME"] == "/mine"


def test_a_home_that_cannot_be_written_is_as_good_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HF_HOME", "")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    hub.prepare_client()
    assert os.environ["HF_HOME"] == str(temporary_folder() / "huggingface")
    assert f"{tmp_path}/file/home/.cache/huggingface cannot be made" in caplog.text


def test_a_folder_can_be_where_it_is_or_may_be_made(tmp_path: Path) -> None:
    assert can_be(tmp_path)
    assert can_be(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("")
    assert not can_be(tmp_path / "file" / "a")


def test_a_temporary_folder_is_the_same_each_time_and_nobody_elses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = temporary_folder()
    assert own.parent == tmp_path
    assert temporary_folder() == own
    own.chmod(0o777)  # somebody may have put something in
    assert temporary_folder() != own
    shutil.rmtree(own)
    own.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    assert temporary_folder() != own


def test_here_a_home_is_known() -> None:
    assert home() == Path.home()
    assert str(os.getuid() if hasattr(os, "getuid") else 0) in why_no_home()


@as_nobody
def test_the_home_of_another_user_is_as_good_as_none(folder: Path) -> None:
    """HOME stays root's where a program gives up its rights."""
    (folder / "roots").mkdir(mode=0o700)
    code = "import os; from colibri.artefact import prepare_client; prepare_client(); print(os.environ['HF_HOME'])"
    environment = {"HOME": str(folder / "roots"), "TMPDIR": str(folder)}
    done = other_user.python(code, user=other_user.NOBODYS, folder=folder, environment=environment)
    assert done.stdout.strip() == str(folder / f"colibri-{other_user.NOBODYS}" / "huggingface"), done.stderr
