"""Folders added and forgotten, indexing paused, what was passed over, and one page an index."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ui_server import TINY, UiServer, write


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page of this file's tests is called; each has a folder of its own in it."""
    return tmp_path_factory.mktemp("changing")


@pytest.fixture(scope="module")
def own(base: Path) -> Iterator[UiServer]:
    """A page of nothing yet, which tests may change."""
    with UiServer("--model", TINY, folder=base, log=base / "log") as running:
        state = running.wait_for(lambda state: state["indexing"]["phase"] == "idle")
        assert (state["documents"], state["roots"], state["indexing"]["error"]) == (0, [], None)
        answer = running.search("goose")
        assert (answer["files"], answer["more"], answer["counts"]["kinds"]) == ([], False, [])
        yield running


def wait_for_root(page: UiServer, root: Path, documents: int | None) -> Any:
    """Until a root has so many documents, or is none (None), and nothing is being indexed."""

    def done(state: Any) -> bool:
        found = {one["path"]: one["documents"] for one in state["roots"]}
        return found.get(str(root)) == documents and state["indexing"]["phase"] == "idle"

    return page.wait_for(done)


def test_folders_come_and_go(own: UiServer, base: Path) -> None:
    write(base, {"one/a.txt": "A goose swims.\n", "one/b.txt": "A bear sleeps.\n", "two/c.md": "# C\n\nA fox.\n"})
    assert own.api("add", {"path": str(base / "one")}).json == {"done": True}
    wait_for_root(own, base / "one", 2)
    assert own.api("add", {"path": str(base / "two/c.md")}).status == 200  # a file alone
    wait_for_root(own, base / "two/c.md", 1)
    assert own.api("forget", {"path": str(base / "one")}).json == {"done": True}
    state = wait_for_root(own, base / "one", None)
    assert state["documents"] == 1
    assert (base / "one/a.txt").exists()
    assert own.api("look", {}).json == {"done": True}
    assert [one["name"] for one in own.search("goose")["files"]] == ["c.md"]
    assert own.api("forget", {"path": str(base / "one")}).status == 404
    assert own.api("forget", {"path": str(base / "two/c.md")}).status == 200


def test_what_is_no_path_is_refused_in_words(own: UiServer) -> None:
    for path, said in (
        ("", "path: '': wanted a whole path, from the root of the disk or ~ on"),
        ("/" + "x" * 4_096, "path: 4,097 characters are too many for a path; wanted up to 4,096"),
    ):
        for route in ("add", "forget"):
            answer = own.api(route, {"path": path})
            assert (answer.status, answer.json["detail"]) == (422, said)


def test_what_the_users_own_file_names_is_forgotten_and_said_to_come_back(tmp_path: Path) -> None:
    write(tmp_path, {"one/a.txt": "A goose swims.\n", "two/a.txt": "A bear sleeps.\n"})
    roots = [str(tmp_path / "one"), str(tmp_path / "link")]
    (tmp_path / "link").symlink_to(tmp_path / "two")
    (tmp_path / "config.toml").write_text(f"[index.work]\nroots = {json.dumps(roots)}\n", encoding="utf-8")
    own = {"COLIBRI_CONFIG": str(tmp_path / "config.toml"), "XDG_DATA_HOME": str(tmp_path / "data")}
    words = ("--name", "work", "--model", TINY)
    with UiServer(*words, folder=tmp_path, log=tmp_path / "log", environment=own) as page:
        for folder in ("one", "two"):
            wait_for_root(page, tmp_path / folder, 1)
            answer = page.api("forget", {"path": str(tmp_path / folder)}).json
            assert answer["done"]
            assert answer["note"].startswith(f"{tmp_path / folder} is a root in {tmp_path / 'config.toml'}")


def test_what_is_forgotten_while_it_is_indexed_stays_away(own: UiServer, base: Path) -> None:
    write(base / "large", {f"{i}.txt": f"Text {i}. " * 300 for i in range(80)})
    assert own.api("add", {"path": str(base / "large")}).status == 200
    own.wait_for(lambda state: str(base / "large") in {root["path"] for root in state["roots"]})
    assert own.api("forget", {"path": str(base / "large")}).json == {"done": True}
    assert own.api("look", {}).status == 200
    write(base, {"after/a.txt": "A wren sings.\n"})
    own.api("add", {"path": str(base / "after")})
    state = wait_for_root(own, base / "after", 1)
    assert str(base / "large") not in {root["path"] for root in state["roots"]}
    assert own.search("wren", mode="words")["files"][0]["name"] == "a.txt"
    assert own.search("text", mode="words", filters={"folders": [str(base / "large")]})["files"] == []


@pytest.mark.parametrize("path", ["one", "", "./one", "/no such folder", "/dev/null", "a\0b", "/" + "x" * 5000])
def test_what_cannot_be_added_is_refused_at_once(own: UiServer, path: str) -> None:
    answer = own.api("add", {"path": path})
    assert (answer.status, answer.json["code"]) == (422, "VALIDATION_ERROR")
    assert own.api("forget", {"path": path}).status in {404, 422}
    assert own.api("state").json["indexing"]["error"] is None


def test_paused_is_paused(own: UiServer, base: Path) -> None:
    write(base, {"paused/a.txt": "A goose swims.\n"})
    assert own.api("pause", {}).json == {"done": True}
    own.wait_for(lambda state: state["indexing"]["phase"] == "paused")
    assert own.api("add", {"path": str(base / "paused")}).status == 200
    own.wait_for(lambda state: listed(state).get(str(base / "paused")) == (0, True))
    assert own.api("resume", {}).json == {"done": True}
    state = wait_for_root(own, base / "paused", 1)
    assert listed(state)[str(base / "paused")] == (1, False)


def test_a_folder_added_while_another_is_indexed_is_listed_as_waiting(own: UiServer, base: Path) -> None:
    write(base / "first", {f"{i}.txt": f"Text {i}. " * 300 for i in range(80)})
    write(base, {"next/a.txt": "A wren sings.\n", "never/a.txt": "A rook calls.\n"})
    for name in ("first", "next", "never"):
        assert own.api("add", {"path": str(base / name)}).status == 200
    wanted = {str(base / name) for name in ("next", "never")}
    own.wait_for(lambda state: {path for path, (_, waiting) in listed(state).items() if waiting} >= wanted)
    assert own.api("forget", {"path": str(base / "never")}).json == {"done": True}
    state = wait_for_root(own, base / "next", 1)
    assert listed(state)[str(base / "next")] == (1, False)
    assert str(base / "never") not in listed(state)
    assert own.api("forget", {"path": str(base / "never")}).status == 404
    assert own.api("forget", {"path": str(base / "first")}).status == 200


def listed(state: Any) -> dict[str, tuple[int, bool]]:
    """How many documents each root has, and whether it waits for its turn."""
    return {root["path"]: (root["documents"], root["waiting"]) for root in state["roots"]}


def test_what_is_passed_over_is_said_with_what_to_do(own: UiServer, base: Path) -> None:
    broken = "PK\3\4 and no more"
    write(base / "three", {"ok.txt": "A text.\n", "empty.txt": "", "broken.docx": broken, "x.mp3": "ID3\0\0\0"})
    write(base / "three", {".hidden.txt": "h\n", "<b>bold.docx": broken})
    own.api("add", {"path": str(base / "three")})
    state = wait_for_root(own, base / "three", 1)
    found = own.api("passed-over").json
    assert not found["more"]
    by_name = {Path(one["path"]).name: one for one in found["items"]}
    assert {"empty.txt", "broken.docx", "<b>bold.docx"} <= set(by_name)
    assert all(one["why"] and one["what_to_do"] for one in found["items"])
    assert any(".mp3" in one["why"] for one in found["items"])
    assert any("hidden" in one["why"] for one in found["items"])
    assert state["passed_over"]["count"] == 4
    part = own.api("passed-over?offset=1&limit=1").json
    assert (part["items"], part["more"]) == ([found["items"][1]], True)
    for wrong in ("offset=-1", "limit=0", "limit=1001", "offset=x", "limit=%C2%B2"):
        assert own.api(f"passed-over?{wrong}").status == 422


def test_a_folder_that_vanishes_is_said_and_keeps_its_rows(own: UiServer, base: Path) -> None:
    write(base, {"gone/a.txt": "A heron waits.\n"})
    own.api("add", {"path": str(base / "gone")})
    wait_for_root(own, base / "gone", 1)
    (base / "gone").rename(base / "elsewhere, for a while")
    state = own.api("state").json
    root = next(one for one in state["roots"] if one["path"] == str(base / "gone"))
    assert (root["present"], root["problem"], root["documents"]) == (False, "is gone", 1)
    assert next(one for one in own.search("heron", k=50)["files"] if one["path"] == f"{base}/gone/a.txt")["gone"]


def test_a_second_page_is_the_first_one(own: UiServer, base: Path, tmp_path: Path) -> None:
    write(base, {"second/a.txt": "A crane calls.\n"})
    opened = tmp_path / "opened"
    browser = tmp_path / "browser.py"
    browser.write_text(f"import sys; open({str(opened)!r}, 'w').write(sys.argv[1])", encoding="utf-8")
    environment = os.environ | {"BROWSER": f"{sys.executable} {browser} %s"}
    words = [sys.executable, "-m", "colibri", "ui", "second", "--index", ".colibri-index"]
    done = subprocess.run(words, cwd=base, capture_output=True, text=True, check=True, env=environment, timeout=60)
    assert done.stdout.strip() == own.address
    assert "open already" in done.stderr
    address = opened.read_text(encoding="utf-8")
    assert own.token not in address  # a browser's command line is no secret
    code = address.partition("#code=")[2]
    assert own.api("enter", {"code": code}, token=None).json == {"token": own.token}
    wait_for_root(own, base / "second", 1)  # what it was called with, the first one indexes


@pytest.mark.parametrize("other", [True, False])
def test_a_port_that_the_first_page_does_not_have_is_said_to_be_not_applied(
    own: UiServer, base: Path, other: bool
) -> None:
    port = str(own.port + 1 if other else own.port)  # nobody listens there: the first page answers
    words = [sys.executable, "-m", "colibri", "ui", "--index", ".colibri-index", "--no-browser", "--port", port]
    done = subprocess.run(words, cwd=base, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == own.address
    said = f"it stays at http://127.0.0.1:{own.port}: --port {port} is not applied"
    assert (said in done.stderr) is other


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="whose names are always text")
def test_a_folder_whose_name_is_no_text_is_handed_over_forgotten_and_added_as_it_is_shown(
    own: UiServer, base: Path
) -> None:
    folder = os.fsencode(base) + b"/odd\xff"
    os.mkdir(folder)  # noqa: PTH102 - of bytes
    Path(os.fsdecode(folder), "a.txt").write_text("A kiwi walks.\n", encoding="utf-8")
    words = [
        sys.executable,
        "-m",
        "colibri",
        "ui",
        os.fsdecode(b"odd\xff"),
        "--index",
        ".colibri-index",
        "--no-browser",
    ]
    subprocess.run(words, cwd=base, capture_output=True, check=True, timeout=60)
    as_shown = base / "odd\\udcff"
    wait_for_root(own, as_shown, 1)
    assert own.api("forget", {"path": str(as_shown)}).json == {"done": True}
    wait_for_root(own, as_shown, None)
    assert own.api("add", {"path": str(as_shown)}).json == {"done": True}
    wait_for_root(own, as_shown, 1)


def test_ctrl_c_in_the_middle_leaves_a_whole_index(tmp_path: Path) -> None:
    write(tmp_path / "many", {f"{i}.txt": f"Text {i}. " * 200 for i in range(60)})
    with UiServer("many", "--model", TINY, folder=tmp_path, log=tmp_path / "log") as page:
        page.wait_for(lambda state: state["indexing"]["phase"] == "indexing" or state["documents"] > 0)
        assert page.stop(signal.SIGINT) == 0
    done = subprocess.run(
        [sys.executable, "-m", "colibri", "index", "--into", ".colibri-index", "--verify", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not json.loads(done.stdout).get("damaged")
    assert "Traceback" not in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_port_that_is_taken_is_said(own: UiServer, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "colibri", "ui", "--no-browser", "--port", str(own.port), "--index", "other"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"127.0.0.1:{own.port}: cannot listen there" in done.stderr
    assert not (tmp_path / "other").exists()
