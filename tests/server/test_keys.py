"""Keys: made once, kept as hashes, asked for by a server, limited, and taken away while it runs."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from colibri.errors import ArtefactError, InputError
from colibri.server.access import keys
from colibri.server.access.rates import Bucket, Rates
from colibri.server.problems import Problem
from live_server import BERT, Answer, LiveServer

ASK = {"model": BERT, "input": "a secret bird"}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(scope="module")
def key(file: Path) -> str:
    return keys.add_key(file, "laptop")


@pytest.fixture(scope="module")
def guarded(file: Path, key: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that asks for keys. It reads the file again at each change."""
    log = tmp_path_factory.mktemp("guarded") / "log.jsonl"
    with LiveServer("--keys-file", str(file), log=log, artefacts=(BERT,)) as running:
        yield running


def ask(server: LiveServer, authorization: str | None) -> Answer:
    headers = {} if authorization is None else {"Authorization": authorization}
    return server.call("/v1/embeddings", ASK, headers=headers)


def test_the_file_holds_hashes_and_belongs_to_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    secret = keys.add_key(file, "a", requests_per_minute=5)
    assert secret not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    (kept,) = keys.read_keys(file)
    assert (kept.name, kept.sha256) == ("a", hashlib.sha256(secret.encode()).hexdigest())
    assert keys.add_key(file, "b") != secret
    assert [kept.name for kept in keys.read_keys(file)] == ["a", "b"]
    keys.remove_key(file, "a")
    assert [kept.name for kept in keys.read_keys(file)] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_names_are_taken_once_and_plain(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    keys.add_key(file, "a")
    for name in ("a", "", "a b", "ü", "x" * 65, "a\n"):
        with pytest.raises(InputError):
            keys.add_key(file, name)
    with pytest.raises(InputError, match="there is a"):
        keys.remove_key(file, "b")


def entry(**fields: object) -> str:
    """A file of one key, with some of its fields changed."""
    plain = {"name": "a", "sha256": "0" * 64, "requests_per_minute": None, "tokens_per_minute": None, "created": "x"}
    return json.dumps({"keys": [plain | fields]})


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", '{"keys": 1}', '{"keys": [{"name": "a"}]}', "\0", "[" * 10_000),
        *(entry(sha256=wrong) for wrong in ("ü" * 64, "A" * 64, "0" * 63, "colibri_secret", 7)),
        *(entry(requests_per_minute=wrong) for wrong in (0, -1, 1.5, "1")),
        *(entry(tokens_per_minute=0), entry(name="a b"), entry(name=None), entry(more=1)),
        json.dumps({"keys": json.loads(entry())["keys"] * 2}),
    ],
)
def test_what_is_no_file_of_keys_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(ArtefactError, match=re.escape(str(file))):
        keys.read_keys(file)


@pytest.mark.parametrize(
    "text", ['{"keys": ["colibri_secret"]}', entry(sha256="colibri_secret"), entry(sha256=["colibri_s"])]
)
def test_a_key_that_somebody_wrote_into_the_file_is_not_told(tmp_path: Path, text: str) -> None:
    """These messages go to a log, where the file is read again."""
    file = tmp_path / "keys.json"
    file.write_text(text)
    with pytest.raises(ArtefactError) as caught:
        keys.read_keys(file)
    assert "colibri_s" not in str(caught.value)


def test_a_folder_of_keys_is_none(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="cannot be read"):
        keys.read_keys(tmp_path)


def test_a_server_that_lets_nobody_in_says_so(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text('{"keys": []}')
    with LiveServer("--keys-file", str(file), log=tmp_path / "log", artefacts=(BERT,)) as running:
        assert [line["level"] for line in running.logged() if "holds no key" in line["message"]] == ["warning"]
        secret = keys.add_key(file, "first")
        assert ask(running, f"Bearer {secret}").status == 200


def test_the_command_prints_the_key_once(tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "colibri", "keys", *words, "--keys-file", str(tmp_path / "k")]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    secret = run("add", "laptop", "--requests-per-minute", "500").stdout.strip()
    assert keys.KeyRing(tmp_path / "k").find(secret) is not None
    listed = run("list").stdout
    assert "laptop" in listed
    assert "500 requests a minute" in listed
    assert secret not in listed
    run("remove", "laptop")
    assert run("list").stdout == ""


def test_a_ring_finds_its_keys_and_no_other(file: Path, key: str) -> None:
    ring = keys.KeyRing(file)
    found = ring.find(key)
    assert found is not None
    assert found.name == "laptop"
    for other in ("", key[:-1], key + "x", key.upper(), "ü", "\udc80", found.sha256):
        assert ring.find(other) is None


def test_a_damaged_file_leaves_the_keys_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    secret = keys.add_key(file, "a")
    ring = keys.KeyRing(file)
    file.write_text("{")
    assert ring.find(secret) is not None
    file.unlink()
    assert ring.find(secret) is not None
    other = keys.add_key(file, "b")
    assert ring.find(secret) is None
    assert ring.find(other) is not None


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "AUTH_MISSING_API_KEY"),
        ("KEY", "AUTH_INVALID_FORMAT"),
        ("Basic KEY", "AUTH_INVALID_FORMAT"),
        ("Token KEY", "AUTH_INVALID_FORMAT"),
        ("Bearer", "AUTH_INVALID_FORMAT"),
        ("Bearer  ", "AUTH_INVALID_FORMAT"),
        ("Bearer wrong", "AUTH_INVALID_API_KEY"),
        ("Bearer KEY KEY", "AUTH_INVALID_API_KEY"),
        ("Bearer KEYx", "AUTH_INVALID_API_KEY"),
    ],
)
def test_who_has_no_key_is_refused(guarded: LiveServer, key: str, authorization: str | None, code: str) -> None:
    answer = ask(guarded, authorization and authorization.replace("KEY", key))
    assert (answer.status, answer.json["code"]) == (401, code)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_who_has_one_is_served(guarded: LiveServer, key: str) -> None:
    assert ask(guarded, f"Bearer {key}").status == 200
    assert ask(guarded, f"bearer {key}").status == 200


def test_a_key_in_another_header_is_none(guarded: LiveServer, key: str) -> None:
    assert guarded.call("/v1/embeddings", ASK, headers={"X-API-Key": key}).status == 401
    assert guarded.call(f"/v1/models?api_key={key}").status == 401


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/x", "/metrics"])
def test_every_route_that_tells_something_wants_a_key(guarded: LiveServer, key: str, path: str) -> None:
    assert guarded.call(path).status == 401
    assert guarded.call(path, headers={"Authorization": f"Bearer {key}"}).status in {200, 404}


@pytest.mark.parametrize("path", ["/health", "/live", "/ready", "/openapi.json"])
def test_probes_do_not(guarded: LiveServer, path: str) -> None:
    assert guarded.call(path).status == 200


def test_a_key_is_let_in_and_shut_out_while_the_server_runs(guarded: LiveServer, file: Path) -> None:
    secret = keys.add_key(file, "guest")
    assert ask(guarded, f"Bearer {secret}").status == 200
    keys.remove_key(file, "guest")
    assert ask(guarded, f"Bearer {secret}").status == 401


def test_requests_and_tokens_a_minute_are_limited_for_each_key(guarded: LiveServer, file: Path, key: str) -> None:
    few = keys.add_key(file, "few", requests_per_minute=3)
    answers = [ask(guarded, f"Bearer {few}") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["x-ratelimit-limit-requests"] == "3"
    assert answers[3].json["code"] == "RATE_LIMIT_EXCEEDED"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 21
    small = keys.add_key(file, "small", tokens_per_minute=2)
    first, second = ask(guarded, f"Bearer {small}"), ask(guarded, f"Bearer {small}")
    assert (first.status, second.status) == (200, 429)
    assert first.headers["x-ratelimit-remaining-tokens"] == "0"
    assert "tokens a minute" in second.json["detail"]
    assert ask(guarded, f"Bearer {key}").status == 200


def test_the_first_request_of_a_key_for_one_a_minute_is_let_in() -> None:
    """Its bucket is made a moment after the clock was looked at."""
    clock = iter([10.0, 10.5, 10.5, 10.5, 11.0, 11.0, 11.0, 11.0])
    rates = Rates(lambda: next(clock))
    key = keys.Key(name="few", sha256="", requests_per_minute=1, tokens_per_minute=None, created="")
    assert rates.ask(key)["x-ratelimit-remaining-requests"] == "0"
    with pytest.raises(Problem, match="1 requests a minute"):
        rates.ask(key)


def test_a_bucket_fills_up_evenly_and_not_beyond_a_minute() -> None:
    bucket = Bucket(60, 0.0)
    bucket.take(60, 0.0)
    assert bucket.level(0.5) == pytest.approx(0.5)
    assert bucket.seconds_until(1, 0.5) == pytest.approx(0.5)
    assert bucket.level(1000.0) == 60
    bucket.take(200, 1000.0)
    assert bucket.seconds_until(1, 1000.0) == pytest.approx(141)


def test_neither_keys_nor_texts_nor_vectors_are_logged(guarded: LiveServer, key: str) -> None:
    """Nor in errors about them."""
    vectors = ask(guarded, f"Bearer {key}").json["data"][0]["embeddings"]
    bearer = {"Authorization": f"Bearer {key}"}
    guarded.call("/v1/embeddings", {"model": "a secret bird", "input": "a secret bird"}, headers=bearer)
    guarded.call("/v1/embeddings", {**ASK, "dimensions": "a secret bird"}, headers=bearer)
    guarded.call("/v1/models/a-secret-bird", headers=bearer)
    guarded.call("/a-secret-bird", headers={**bearer, "X-Request-ID": "a secret bird"})
    ask(guarded, "Bearer a-secret-bird")
    log = guarded.log.read_text(encoding="utf-8")
    assert '"route": "/v1/embeddings"' in log
    for secret in (key, key[8:24], "secret", str(vectors[0][0])):
        assert secret not in log
    assert any(line.get("key") == "laptop" for line in guarded.logged())


def test_an_address_beyond_this_machine_wants_keys_or_a_word(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "colibri", "serve", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--keys-file" in done.stderr
    assert "--without-keys" in done.stderr
    with LiveServer("--without-keys", log=tmp_path / "log", artefacts=(BERT,)) as running:
        assert running.call("/v1/embeddings", ASK, headers={"Host": "somewhere.example"}).status == 200


def test_without_keys_only_this_machines_own_names_are_answered(server: LiveServer) -> None:
    """A web page may make a browser ask 127.0.0.1 under the page's own host name."""
    for host in ("localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"):
        assert server.call("/v1/models", headers={"Host": host}).status == 200
    for host in ("somewhere.example", "localhost.example:80", "127.0.0.1.example", "", "[::1].example"):
        answer = server.call("/v1/models", headers={"Host": host})
        assert (answer.status, answer.json["code"]) == (421, "MISDIRECTED_REQUEST")


def test_the_hashes_file_is_json_with_every_field(file: Path, key: str) -> None:
    fields = {"name", "sha256", "requests_per_minute", "tokens_per_minute", "created", "scopes", "ends"}
    assert all(set(entry) == fields for entry in json.loads(file.read_text())["keys"])
