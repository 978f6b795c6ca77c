"""The hub's cache without the hub's client: what it holds is read, what it lacks names the extra that fetches it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import try_to_load_from_cache

import colibri
from colibri import artefact
from colibri.artefact.finding import Artefact
from colibri.artefact.hub_cache import cached_file
from colibri.errors import ArtefactError, ArtefactNotFound, MissingExtra
from colibri.machine import install_command
from hub_server import COMMIT, lay_out_cache

OTHER = "f" * 40


@pytest.fixture
def no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where huggingface_hub is not installed, and the user forbids nothing."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")


@pytest.fixture
def cache(bert: Artefact, tmp_path: Path) -> Path:
    """A cache that holds two commits of owner/tiny: main, and the tag v2 that lacks a file."""
    snapshot = lay_out_cache(tmp_path / "cache", "owner/tiny", bert.folder)
    shutil.copytree(snapshot, snapshot.with_name(OTHER), symlinks=True)
    (snapshot.with_name(OTHER) / "tokenizer.json").unlink()
    (snapshot.parents[1] / "refs" / "v2").write_text(OTHER, encoding="utf-8")
    return tmp_path / "cache"


@pytest.mark.parametrize("revision", [None, "main", "v2", COMMIT, OTHER, "v3", "0" * 40])
@pytest.mark.parametrize("name", ["colibri.json", "tokenizer.json", "absent.bin"])
@pytest.mark.parametrize("repo", ["owner/tiny", "owner/other"])
def test_it_finds_what_the_client_finds(cache: Path, repo: str, name: str, revision: str | None) -> None:
    theirs = try_to_load_from_cache(repo, name, cache, revision)
    ours = cached_file(repo, name, str(cache), revision)
    assert ours == (Path(theirs) if isinstance(theirs, str) else None)


@pytest.mark.parametrize(
    "places",
    [
        {"HF_HUB_CACHE": "{}/a", "HF_HOME": "{}/b", "XDG_CACHE_HOME": "{}/c"},
        {"HF_HOME": "{}/b", "XDG_CACHE_HOME": "{}/c"},
        {"XDG_CACHE_HOME": "{}/c"},
        {"HF_HOME": "~/b"},
        {"HF_HOME": "$HOME/b"},
        {},
    ],
    ids=lambda places: "+".join(places) or "none",
)
def test_it_looks_where_the_client_looks(places: dict[str, str], tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"HF_HUB_CACHE", "HF_HOME"}}
    environment.pop("XDG_CACHE_HOME", None)
    environment |= {"HOME": str(tmp_path)} | {name: value.format(tmp_path) for name, value in places.items()}
    code = (
        "from colibri.artefact.hub_cache import _cache; from huggingface_hub.constants import HF_HUB_CACHE\n"
        "from pathlib import Path; assert _cache() == Path(HF_HUB_CACHE), (_cache(), HF_HUB_CACHE)"
    )
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.mark.usefixtures("no_client")
def test_a_cached_model_runs_without_the_client(bert: Artefact, cache: Path) -> None:
    cached = colibri.load("owner/tiny", cache_dir=cache)
    assert (cached.encode_queries(["bird"]).rows == colibri.load(bert.folder).encode_queries(["bird"]).rows).all()


@pytest.mark.usefixtures("no_client")
@pytest.mark.parametrize("offline", [False, True])
def test_what_is_not_cached_names_the_extra_or_is_not_found_where_nothing_may_be_fetched(
    offline: bool, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingExtra) as caught:
        colibri.load("owner/other", cache_dir=cache)
    assert str(caught.value) == (
        "owner/other is no artefact's folder or name here; owner/other: colibri.json is not in the local hub cache, "
        f"and there is no huggingface_hub to fetch it (colibri-edge[hub]): {install_command('hub')}"
    )
    assert isinstance(caught.value, ImportError)
    if offline:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ArtefactNotFound, match=r"asks no hub; nor is owner/other a folder here"):
        colibri.load("owner/other", cache_dir=cache, local_files_only=not offline)


@pytest.mark.usefixtures("no_client")
def test_a_file_that_the_cache_lost_names_the_extra(cache: Path) -> None:
    found = artefact.find("owner/tiny", cache_dir=cache, revision="v2")
    with pytest.raises(MissingExtra, match=r"tokenizer\.json is not in the local hub cache, and there is no hugging"):
        artefact.check_files(found)


@pytest.mark.usefixtures("no_client")
def test_bytes_are_proven_as_ever(cache: Path) -> None:
    (link,) = cache.glob(f"**/{COMMIT}/heads.f32.bin")
    link.resolve().write_bytes(b"x" * link.stat().st_size)
    with pytest.raises(ArtefactError, match=r"heads\.f32\.bin: its bytes changed"):
        colibri.load("owner/tiny", cache_dir=cache)


def test_a_name_of_the_search_path_needs_no_client(bert: Artefact, tmp_path: Path) -> None:
    """Nor does it look for one."""
    shutil.copytree(bert.folder, tmp_path / "mine")
    code = (
        "import sys; sys.modules['huggingface_hub'] = None; from colibri import artefact; print(artefact.find('mine'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"COLIBRI_MODELS": str(tmp_path)}, check=False
    )
    assert done.returncode == 0
