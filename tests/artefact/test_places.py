"""One name, one artefact: the search path, who wins of several, aliases, and what is broken on the way."""

import json
import logging
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri.artefact import finding, places
from colibri.errors import ArtefactError, ArtefactNotFound, InputError
from colibri.machine import user_data
from reference import ARTEFACTS

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty current folder and an empty data folder."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(places, "_told", set())
    if sys.platform != "linux":
        pytest.skip("the data folder is where Linux has it")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """An artefact (its manifest only) in a place below tmp_path."""

    def made(place: str, **facts: Any) -> Path:
        folder = tmp_path / place
        folder.mkdir(parents=True)
        document = json.loads((ARTEFACTS / "tiny-random-bert" / "colibri.json").read_text(encoding="utf-8"))
        source = {**document["source"], "kind": "hub", "name": facts.pop("source", "owner/source")}
        text = json.dumps({**document, "source": source, "name": "some-name"} | facts)
        (folder / "colibri.json").write_text(text, encoding="utf-8")
        return folder

    return made


def found(name: str) -> Path:
    return Path(os.path.realpath(finding.find(name).folder))


@pytest.mark.parametrize("place", ["cwd/x", "cwd/models/x", "data/colibri/models/x", "elsewhere/x", "elsewhere"])
@pytest.mark.parametrize("name", ["some-name", "an-alias", "Owner/Source", "owner/source", "x"])
def test_a_name_is_found_by_folder_name_alias_and_source_in_every_place(
    place: str, name: str, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = make(place, aliases=["another", "an-alias"], source="Owner/Source")
    monkeypatch.setenv("COLIBRI_MODELS", f"{tmp_path / 'no'}{os.pathsep}{os.pathsep}{tmp_path / 'elsewhere'}")
    assert found("elsewhere" if place == "elsewhere" and name == "x" else name) == folder


def test_a_model_is_loaded_by_the_name_that_other_packages_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(ARTEFACTS / "tiny-random-bert", tmp_path / "data" / "colibri" / "models" / "mine")
    manifest = json.loads((folder / "colibri.json").read_text(encoding="utf-8"))
    manifest["source"] |= {"kind": "hub", "name": "jinaai/jina-colbert-v2"}
    (folder / "colibri.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert len(colibri.load("jinaai/jina-colbert-v2").rerank("a bird", ["small bird", "river"])) == 2
    with colibri.Index.open(tmp_path / "index", "jinaai/jina-colbert-v2", dim=48) as index:
        index.add([{"id": "a", "text": "small bird"}])
    with colibri.Index.open(tmp_path / "index") as index:
        assert index.model_name == "jinaai/jina-colbert-v2"
        assert index.search("bird")[0].id == "a"


PLACES = ["first", "second", "cwd", "cwd/models", "data/colibri/models"]
KINDS = ["some-name", "name", "alias", "source"]


@pytest.mark.parametrize("winner", range(len(PLACES)))
def test_the_earlier_place_wins(winner: int, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLIBRI_MODELS", f"{tmp_path / 'first'}{os.pathsep}{tmp_path / 'second'}")
    made = [make(f"{place}/of-{i}") for i, place in enumerate(PLACES) if i >= winner]
    assert found("some-name") == made[0]


@given(st.sets(st.sampled_from(KINDS), min_size=1))
def test_within_a_place_folder_goes_before_name_before_alias_before_source(kinds: set[str]) -> None:
    fits = {
        "some-name": places.Held(folder=Path("some-name"), name="a", aliases=("b",), source="c", space_id=""),
        "name": places.Held(folder=Path("x"), name="some-name", aliases=("b",), source="c", space_id=""),
        "alias": places.Held(folder=Path("x"), name="a", aliases=("b", "some-name"), source="c", space_id=""),
        "source": places.Held(folder=Path("x"), name="a", aliases=("b",), source="some-name", space_id=""),
    }
    ranks = [(fits[kind].answers("some-name"), kind) for kind in kinds]
    best = min(ranks, key=lambda pair: (pair[0] is None, pair[0]))[1]
    assert best == next(kind for kind in KINDS if kind in kinds)
    assert all(one.answers("other") is None and one.answers("") is None for one in fits.values())


def test_of_equals_the_first_folder_wins_and_the_others_are_said(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    make("cwd/b")
    make("cwd/c", space_id="0" * 64)
    make("cwd/d", name="another", aliases=["some-name"])
    taken = make("cwd/a")
    with caplog.at_level(logging.INFO, "colibri.artefact"):
        assert found("some-name") == taken
        assert found("some-name") == taken
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told.count(("WARNING", "some-name: a is taken; c is another model of that name")) == 1
    assert ("INFO", "some-name: a is taken; the same model lies in b, d") in told


def test_a_folder_that_is_asked_for_is_that_folder(make: Make) -> None:
    make("cwd/models/x", name="mine")
    own = make("cwd/mine", name="other")
    assert found("mine") == found("./mine") == found(str(own)) == own


def test_a_checkpoint_of_that_name_hides_no_artefact(make: Make, tmp_path: Path) -> None:
    (tmp_path / "cwd" / "owner" / "source").mkdir(parents=True)
    (tmp_path / "cwd" / "owner" / "source" / "config.json").write_text("{}", encoding="utf-8")
    folder = make("data/colibri/models/x")
    assert found("owner/source") == folder


def test_what_is_broken_is_named_and_passed_over(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    newer, unread = make("cwd/a", format="9.0"), make("cwd/some-name")
    (unread / "colibri.json").write_text("{", encoding="utf-8")
    whole = make("cwd/b")
    assert found("some-name") == whole
    said = caplog.text
    assert "some-name: passed over some-name/colibri.json: cannot be read as JSON" in said
    assert "some-name: passed over a/colibri.json: format: found 9.0" in said
    assert "upgrade colibri-edge" in said
    shutil.rmtree(whole)
    with pytest.raises(ArtefactError, match=r"colibri\.json: cannot be read as JSON"):
        finding.find("some-name")
    shutil.rmtree(unread)
    with pytest.raises(ArtefactError, match="upgrade colibri-edge"):
        finding.find("some-name")
    shutil.rmtree(newer)
    with pytest.raises(ArtefactNotFound, match="there is colibri-mini here"):
        finding.find("other-name")


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"name": 1}', "\ufeff", "[" * 100_000])
def test_any_bytes_for_a_manifest_are_a_problem_and_no_crash(text: str, make: Make) -> None:
    (make("cwd/x") / "colibri.json").write_text(text, encoding="utf-8")
    make("cwd/y")
    problems = [one.problem for one in places.held() if one.folder.name == "x"]
    assert len(problems) == 1
    assert problems[0]
    assert found("some-name").name == "y"


def test_a_place_that_is_not_there_is_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLIBRI_MODELS", "/not/there")
    for _ in range(2):
        places.search_path()
    assert [record.getMessage() for record in caplog.records] == [
        "COLIBRI_MODELS: /not/there is no folder that can be read"
    ]


def test_a_place_may_begin_at_home(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make("home/models-of-mine/x")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLIBRI_MODELS", "~/models-of-mine")
    assert found("some-name") == folder


def test_an_export_under_way_is_no_artefact_yet(make: Make) -> None:
    make("data/colibri/models/.some-name.1234.partial")
    with pytest.raises(ArtefactNotFound):
        finding.find("some-name")


def test_one_folder_seen_twice_is_one(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = make("cwd/models/x")
    monkeypatch.setenv("COLIBRI_MODELS", f"{folder.parent}{os.pathsep}{folder}")
    (tmp_path / "cwd" / "link").symlink_to(folder)
    assert len(places.meant("some-name")) == 1
    own = [one for one in places.held() if one.name == "some-name"]
    assert [one.folder for one in own] == [folder]


def test_names_that_lead_elsewhere_are_no_names(make: Make, tmp_path: Path) -> None:
    make("x")
    (tmp_path / "data" / "colibri" / "models").mkdir(parents=True)
    for name in ("../x", "models/../../x", "nul\0", "x" * 5000, "~", "*"):
        assert places.meant(name) == []


def test_an_alias_maps_openly(make: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLIBRI_ALIAS", " colbert-ir/colbertv2.0 = colibri-mini ,x=some-name, ")
    folder = make("cwd/y")
    assert finding.find("colbert-ir/colbertv2.0").manifest.name == "colibri-mini"
    assert finding.find("colbert-ir/colbertv2.0").manifest.name == "colibri-mini"
    assert found("x") == folder
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "COLIBRI_ALIAS: colbert-ir/colbertv2.0 is colibri-mini here",
        "COLIBRI_ALIAS: x is some-name here",
    ]


def test_an_alias_goes_before_a_folder_and_is_followed_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make("cwd/x")
    y = make("cwd/y", name="other")
    monkeypatch.setenv("COLIBRI_ALIAS", "x=y,y=x")
    assert found("x") == y


def test_an_alias_of_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLIBRI_ALIAS", "x=nobody-has-this")
    with pytest.raises(ArtefactNotFound, match="COLIBRI_ALIAS maps x to nobody-has-this: nobody-has-this: no such"):
        finding.find("x")


@pytest.mark.parametrize("said", ["x", "=", "x=", "=y", "a=b,c", "a=b,a=c"])
def test_a_bad_alias_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLIBRI_ALIAS", said)
    with pytest.raises(InputError, match="COLIBRI_ALIAS: "):
        finding.find("colibri-mini")
    assert finding.find().manifest.name == "colibri-mini"  # nobody asked for a name


@pytest.mark.parametrize(
    ("platform", "variables", "wanted"),
    [
        ("linux", {"XDG_DATA_HOME": "/d"}, "/d/colibri"),
        ("linux", {"XDG_DATA_HOME": ""}, "HOME/.local/share/colibri"),
        ("linux", {"XDG_DATA_HOME": "relative"}, "HOME/.local/share/colibri"),
        ("darwin", {"XDG_DATA_HOME": "/d"}, "HOME/Library/Application Support/colibri"),
        ("win32", {"LOCALAPPDATA": "/d"}, "/d/colibri"),
        ("win32", {"LOCALAPPDATA": ""}, "HOME/AppData/Local/colibri"),
    ],
)
def test_the_users_folder_is_where_the_system_keeps_such_things(
    platform: str, variables: dict[str, str], wanted: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert user_data() == Path(wanted.replace("HOME", str(tmp_path)))


def test_without_a_home_there_is_no_folder_of_the_users(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    def nobody() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setattr(Path, "home", nobody)
    assert places.user_models() is None
    folder = make("cwd/x")
    assert found("some-name") == folder
    with pytest.raises(ArtefactNotFound, match="`colibri export owner/none` makes one where you tell it"):
        finding.find("owner/none")
