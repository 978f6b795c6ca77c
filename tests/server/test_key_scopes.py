"""What a key is for, and when it ends."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from colibri.errors import ArtefactError, InputError
from colibri.server.access import keys
from live_server import BERT, Answer, LiveServer

ROUTES = {
    ("POST", "/v1/rerank"): "rank",
    ("POST", "/v1/embeddings"): "rank",
    ("POST", "/v1/multi-vector"): "rank",
    ("POST", "/v1/search"): "search",
    ("POST", "/v1/index/list"): "search",
    ("POST", "/v1/index/count"): "search",
    ("GET", "/v1/index/documents/a"): "search",
    ("POST", "/v1/index/documents"): "write",
    ("POST", "/v1/index/delete"): "write",
    ("DELETE", "/v1/index/documents/a"): "write",
    ("GET", "/v1/models"): None,
    ("GET", "/metrics"): None,
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scopes") / "keys.json"


@pytest.fixture(scope="module")
def secrets(file: Path) -> dict[str, str]:
    """A key for each scope, one for all, and one that ended."""
    made: dict[str, str] = {scope: keys.add_key(file, scope, scopes=[scope]) for scope in keys.SCOPES}
    made |= {"all": keys.add_key(file, "all", last_day=date.max), "ended": keys.add_key(file, "ended")}
    found = json.loads(file.read_text())
    found["keys"][-1]["ends"] = "2020-01-01T00:00:00+00:00"
    file.write_text(json.dumps(found))
    return made


@pytest.fixture(scope="module")
def guarded(file: Path, secrets: dict[str, str]) -> Iterator[LiveServer]:
    words = ("--keys-file", str(file), "--index", str(file.with_name("index")))
    with LiveServer(*words, log=file.with_name("log"), artefacts=(BERT,)) as running:
        yield running


def ask(server: LiveServer, method: str, path: str, secret: str) -> Answer:
    body = b"" if method == "POST" else None
    return server.call(path, body, method=method, headers={"Authorization": f"Bearer {secret}"})


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_opens_the_routes_it_is_for(guarded: LiveServer, secrets: dict[str, str], method: str, path: str) -> None:
    wanted = ROUTES[method, path]
    for scope in keys.SCOPES:
        answer = ask(guarded, method, path, secrets[scope])
        if wanted in (scope, None):
            assert answer.status in {200, 400, 404}  # it got as far as the body that is none
        else:
            assert (answer.status, answer.json["code"]) == (403, "AUTH_FORBIDDEN")
            assert f"is for {scope}; this route wants one for {wanted}" in answer.json["detail"]
    assert ask(guarded, method, path, secrets["all"]).status in {200, 400, 404}


def test_a_key_that_ended_opens_none(guarded: LiveServer, secrets: dict[str, str]) -> None:
    answer = ask(guarded, "GET", "/v1/models", secrets["ended"])
    assert (answer.status, answer.json["code"]) == (401, "AUTH_EXPIRED_API_KEY")
    assert "2020-01-01" in answer.json["detail"]


def test_every_route_that_wants_a_key_is_tried_here(guarded: LiveServer) -> None:
    found = guarded.call("/openapi.json").json["paths"]
    wanted = {
        (method.upper(), path.replace("{id}", "a"))
        for path, methods in found.items()
        for method, operation in methods.items()
        if "security" in operation
    }
    assert wanted == set(ROUTES) | {("GET", "/v1/models/a")}


def test_a_key_of_an_older_file_is_for_all(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    keys.add_key(file, "a", scopes=["rank"], last_day=date(9998, 12, 31))
    found = json.loads(file.read_text())
    assert found["keys"][0]["scopes"] == ["rank"]
    assert found["keys"][0]["ends"] == "9998-12-31T23:59:59+00:00"
    del found["keys"][0]["scopes"], found["keys"][0]["ends"]
    file.write_text(json.dumps(found))
    (key,) = keys.read_keys(file)
    assert (key.scopes, key.ended) == (keys.SCOPES, False)


@pytest.mark.parametrize(
    "fields",
    [
        {"scopes": []},
        {"scopes": ["all"]},
        {"scopes": "rank"},
        {"ends": "tomorrow"},
        {"ends": "2030-01-01"},
        {"ends": ""},
    ],
)
def test_what_is_no_scope_or_end_is_refused(tmp_path: Path, fields: dict[str, object]) -> None:
    file = tmp_path / "keys.json"
    keys.add_key(file, "a")
    found = json.loads(file.read_text())
    found["keys"][0] |= fields
    file.write_text(json.dumps(found))
    with pytest.raises(ArtefactError, match=next(iter(fields))):
        keys.read_keys(file)


def test_a_key_that_would_open_nothing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is past"):
        keys.add_key(tmp_path / "k", "a", last_day=date(2020, 1, 1))
    with pytest.raises(InputError, match="rank, search, write"):
        keys.add_key(tmp_path / "k", "a", scopes=[])
    assert list(tmp_path.iterdir()) == []


def test_the_command_makes_such_keys_and_lists_them(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        command = [sys.executable, "-m", "colibri", "keys", *words, "--keys-file", str(tmp_path / "k")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    run("add", "site", "--scope", "search", "--scope", "rank", "--last-day", "9998-12-31")
    assert "for rank, search, ends 9998-12-31T23:59:59+00:00" in run("list")
