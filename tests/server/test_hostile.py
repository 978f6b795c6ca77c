"""What strangers send: each is answered briefly, or cut off, and the next one is served."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from live_server import BERT, XLMR, LiveServer
from raw_http import GOOD, head, raw

JSON = {"Content-Type": "application/json"}


def test_compressed_bodies_are_not_unpacked(server: LiveServer) -> None:
    bomb = gzip.compress(b" " * (64 << 20))
    answer = server.call("/v1/embeddings", bomb, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.json["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_other_types_of_content_are_refused(server: LiveServer, kind: str) -> None:
    """So a web page cannot post to this machine without the browser asking first."""
    answer = server.call("/v1/embeddings", GOOD, headers={"Content-Type": kind})
    assert (answer.status, answer.json["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    good = server.call("/v1/embeddings", GOOD, headers={"Content-Type": "Application/JSON; charset=utf-8"})
    assert good.status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"model": "x", "input": NaN}',
        b'{"model": "x", "input": "a", "y": Infinity}',
        b'{"model": "x", "input": "\\ud800"}',
        b'{"model": "x", "input": "\\udc00\\ud800"}',
        b'{"model": "x", "input": "\xff"}',
        b'{"model": "x", "input": "\xed\xa0\x80"}',
        b'{"model": "x", "input": "a\x00"}',
        b"\xef\xbb\xbf",
        b'\xef\xbb\xbf\xef\xbb\xbf{"model": "x", "input": "a"}',
        "{}".encode("utf-16"),
        b'{"model": "x", "input": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"model": "x", "input": "a", "y": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
        b"[" * 4_000_000,
        b'{"' + b"\\" * 3_000_001 + b"[" * 100,
    ],
)
def test_what_is_no_json_is_said_to_be_none(server: LiveServer, body: bytes) -> None:
    answer = server.call("/v1/embeddings", body)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_JSON")


def test_half_a_surrogate_pair_is_named(server: LiveServer) -> None:
    answer = server.call("/v1/embeddings", b'{"model": "x", "input": "a\\ud800b"}')
    assert "surrogate" in answer.json["detail"]
    whole = server.call("/v1/embeddings", json.dumps({"model": XLMR, "input": "\U0001f426"}).encode())
    assert whole.status == 200


def test_brackets_in_texts_are_no_depth(server: LiveServer) -> None:
    texts = ["[" * 1000, '{"' * 500, '\\"[[' * 100, "]" * 500]
    assert server.call("/v1/embeddings", {"model": XLMR, "input": texts}).status == 200


def test_requests_sent_at_once_are_answered_in_order(server: LiveServer) -> None:
    bodies = [json.dumps({"model": XLMR, "input": text, "dimensions": 16}).encode() for text in ("a", "b c d", "e f")]
    requests = [head(len(body), f"X-Request-ID: n{i}") + body for i, body in enumerate(bodies)]
    requests[-1] = requests[-1].replace(b"Host:", b"Connection: close\r\nHost:", 1)
    answers = raw(server, b"".join(requests))
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    places = [answers.index(f"x-request-id: n{i}".encode()) for i in range(3)]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: -1"],
        ["Content-Length: 1e3"],
        ["Transfer-Encoding: gzip, chunked"],
        ["X-A: b\r\n folded: c\x00"],
        ["X A: b"],
        ["X-A: b\nX-B: c\x0b"],
    ],
)
def test_headers_that_mean_two_things_are_refused(server: LiveServer, lines: list[str]) -> None:
    found = raw(server, head("", *lines, "Connection: close") + b"0\r\n\r\n")
    status = int(found.split()[1])
    assert 400 <= status < 502
    assert status != 500
    fields, _, body = found.partition(b"\r\n\r\n")
    assert f"x-request-id: {json.loads(body)['request_id']}".encode() in fields


def test_what_is_no_http_is_logged_and_counted_like_the_rest(server: LiveServer) -> None:
    found = raw(server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    wanted = json.loads(found.partition(b"\r\n\r\n")[2])["request_id"]
    assert [line["code"] for line in server.logged() if line.get("request_id") == wanted] == ["INVALID_HTTP"]
    metrics = server.call("/metrics").body.decode()
    assert 'colibri_errors_total{code="INVALID_HTTP"}' in metrics
    assert 'colibri_requests_total{method="(any)",route="(none)",status="400"}' in metrics


def test_a_slash_too_many_leads_to_no_other_host(server: LiveServer) -> None:
    """Starlette would send the client to where its Host header says."""
    answer = server.call("/v1/embeddings/", GOOD)
    assert answer.status == 200
    assert "location" not in answer.headers


def test_headers_of_a_megabyte_are_refused(server: LiveServer) -> None:
    found = raw(server, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n")
    assert found == b"" or found.startswith(b"HTTP/1.1 400 ")  # empty: the reset overtook the answer


@pytest.mark.parametrize("given", ["a b", "a\tb", "<script>", "x" * 65, "é"])
def test_only_plain_request_ids_come_back(server: LiveServer, given: str) -> None:
    lines = ["GET /health HTTP/1.1", "Host: localhost", "Connection: close", f"X-Request-ID: {given}", "", ""]
    found = raw(server, "\r\n".join(lines).encode("latin-1"))
    assert given.encode("latin-1") not in found
    assert b"x-request-id: " in found
    assert server.call("/health", headers={"X-Request-ID": "a-1.b_2"}).headers["x-request-id"] == "a-1.b_2"


def test_a_header_cannot_be_smuggled_into_an_answer(server: LiveServer) -> None:
    for path in ("/v1/models/a%0d%0aSet-Cookie:%20x", "/%0d%0aX-Evil:%201", "/v1/models/%00", "/v1/models/%ff"):
        answer = server.call(path)
        assert answer.status == 404
        assert not {"set-cookie", "x-evil"} & set(answer.headers)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_refused(server: LiveServer, method: str) -> None:
    answer = server.call("/v1/rerank", method=method)
    assert (answer.status, answer.json["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer.headers["allow"]


def test_a_websocket_is_not_opened(server: LiveServer) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "a", "Sec-WebSocket-Version": "13"}
    assert server.call("/health", headers=upgrade).status == 200


def test_nothing_of_all_this_was_a_bug_of_the_server(server: LiveServer) -> None:
    assert [line for line in server.logged() if line.get("status") == 500 or line["level"] == "error"] == []


def test_a_port_that_is_taken_is_said(server: LiveServer) -> None:
    command = [sys.executable, "-m", "colibri", "serve", "--port", str(server.address[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "in use" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--alias", "x"], "wanted NAME=MODEL"),
        (["--alias", "x=nothing"], "there is"),
        (["--keys-file", "no-such-file"], "colibri keys add"),
        (["--host", "no.such.host.invalid"], "cannot listen"),
        (["--artefact", "no-such-artefact"], "no such artefact"),
    ],
)
def test_a_wrong_option_is_said_before_anything_listens(words: list[str], message: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "colibri", "serve", "--port", "0", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


def test_one_name_cannot_mean_two_models() -> None:
    from colibri.errors import InputError
    from colibri.model import load
    from colibri.server.models import Models
    from reference import ARTEFACTS

    bert, other = load(ARTEFACTS / BERT), load(ARTEFACTS / BERT)
    with pytest.raises(InputError, match="two artefacts"):
        Models([bert, other])
