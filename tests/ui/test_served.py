"""`colibri serve --ui`: the page of a machine in the house, which searches, and opens and changes nothing."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from colibri.index import Index
from colibri.server import add_key
from live_server import BERT, LiveServer
from reference import ARTEFACTS
from ui_server import write

HEADER = "X-Colibri-Token"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of one file, and a document of none."""
    base = write(tmp_path_factory.mktemp("served"), {"files/a.txt": "A goose swims.\n"})
    with Index.open(base / "i", ARTEFACTS / BERT) as opened:
        opened.sync(base / "files")
        opened.add([{"id": "note", "text": "A bear sleeps."}])
    return base / "i"


@pytest.fixture(scope="module")
def keyed(index: Path) -> Iterator[tuple[LiveServer, dict[str, str]]]:
    """With keys: one for searching, one that is not."""
    keys = index.parent / "keys.json"
    secrets = {"search": add_key(keys, "page", scopes=["search"]), "rank": add_key(keys, "ranker", scopes=["rank"])}
    words = ("--index", str(index), "--ui", "--keys-file", str(keys))
    with LiveServer(*words, log=index.parent / "keyed.log", artefacts=(BERT,)) as running:
        yield running, secrets


def test_with_keys_the_page_asks_for_one_of_searching(keyed: tuple[LiveServer, dict[str, str]]) -> None:
    server, secrets = keyed
    assert server.call("/ui/").status == 200
    answer = server.call("/ui/api/state")
    assert (answer.status, answer.json["code"]) == (401, "AUTH_MISSING_API_KEY")
    answer = server.call("/ui/api/state", headers={HEADER: "colibri_" + "x" * 43})
    assert (answer.status, answer.json["code"]) == (401, "AUTH_INVALID_API_KEY")
    answer = server.call("/ui/api/state", headers={HEADER: secrets["rank"]})
    assert (answer.status, answer.json["code"]) == (403, "AUTH_FORBIDDEN")
    state = server.call("/ui/api/state", headers={HEADER: secrets["search"]}).json
    assert (state["documents"], state["can_open"], state["can_change"]) == (2, False, False)


def test_it_searches(keyed: tuple[LiveServer, dict[str, str]], index: Path) -> None:
    server, secrets = keyed
    found = server.call("/ui/api/search", {"query": "goose"}, headers={HEADER: secrets["search"]}).json["files"]
    by_id = {file["id"]: file for file in found}
    note = by_id["note"]
    assert (note["path"], note["folder"], note["modified"], note["size"]) == (None, None, None, None)
    assert (note["name"], note["kind"], note["gone"]) == ("note", "no file", False)
    assert by_id[str(index.parent / "files/a.txt")]["kind"] == "text"


def test_it_opens_and_changes_nothing(keyed: tuple[LiveServer, dict[str, str]], index: Path) -> None:
    server, secrets = keyed
    own = {HEADER: secrets["search"]}
    path = str(index.parent / "files/a.txt")
    for route in ("open", "reveal"):
        assert server.call(f"/ui/api/{route}", {"id": path}, headers=own).status == 403
    for route in ("add", "forget"):
        assert server.call(f"/ui/api/{route}", {"path": path}, headers=own).status == 403
    for route in ("pause", "resume", "look"):
        assert server.call(f"/ui/api/{route}", {}, headers=own).status == 403
    assert server.call("/ui/api/enter", {"code": "x"}).status == 401


def test_pages_elsewhere_are_refused_there_too(keyed: tuple[LiveServer, dict[str, str]]) -> None:
    server, secrets = keyed
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert server.call("/ui/api/state", headers={HEADER: secrets["search"], **headers}).status == 403


def test_the_server_itself_is_as_before(keyed: tuple[LiveServer, dict[str, str]]) -> None:
    server, secrets = keyed
    bearer = {"Authorization": f"Bearer {secrets['search']}"}
    assert server.call("/v1/search", {"query": "goose"}, headers=bearer).status == 200
    assert server.call("/v1/search", {"query": "goose"}, headers={HEADER: secrets["search"]}).status == 401
    assert server.call("/").json["name"] == "colibri-edge"


def test_without_keys_its_address_brings_a_token(index: Path) -> None:
    with LiveServer("--index", str(index), "--ui", log=index.parent / "token.log", artefacts=(BERT,)) as server:
        assert server.process.stdout is not None
        address = server.process.stdout.readline().decode().strip()
        assert address.startswith(f"{server.url}/ui/#token=")
        token = address.partition("#token=")[2]
        assert server.call("/ui/api/state", headers={HEADER: token}).status == 200
        assert server.call("/ui/api/state").status == 401
        assert server.call("/ui/api/state", headers={HEADER: token, "Host": "evil.example"}).status == 403
        assert token not in server.log.read_text(encoding="utf-8")


def test_a_page_wants_an_index(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "colibri", "serve", "--ui", "--port", "0"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert done.returncode == 1
    assert "give --index or --name as well" in done.stderr
