"""What strangers send: each is answered briefly, or cut off, and the next one is served."""

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from live_server import BERT, XLMR, LiveServer

JSON = {"Content-Type": "application/json"}
GOOD = json.dumps({"model": XLMR, "input": "a bird"}).encode()


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with short times."""
    log = tmp_path_factory.mktemp("strict") / "log.jsonl"
    words = ("--header-timeout", "1", "--body-timeout", "1", "--write-timeout", "1", "--max-body-mb", "4")
    with LiveServer(*words, log=log, artefacts=(XLMR,)) as running:
        yield running


def raw(server: LiveServer, data: bytes) -> bytes:
    """Send bytes, and read until the server closes the connection."""
    with socket.create_connection(server.address, timeout=120) as connection:
        connection.sendall(data)
        return read_to_end(connection)


def read_to_end(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(1 << 16):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def head(length: int | str, *lines: str, path: str = "/v1/embeddings") -> bytes:
    kept = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *lines]
    kept += [f"Content-Length: {length}"] if length != "" else []
    return "\r\n".join([*kept, "", ""]).encode()


def still_serves(server: LiveServer) -> bool:
    return server.call("/v1/embeddings", GOOD).status == 200


def test_a_body_of_a_gigabyte_is_refused_before_it_is_read(server: LiveServer) -> None:
    before = server.resident_mb()
    with socket.create_connection(server.address, timeout=120) as connection:
        connection.sendall(head(1 << 30))
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(1 << 16)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "PAYLOAD_TOO_LARGE"
        block, sent = b" " * (1 << 20), 0
        try:
            while sent < 1 << 30:
                sent += connection.send(block)
        except (ConnectionResetError, BrokenPipeError):
            pass
        assert sent < 1 << 28
    assert server.resident_mb() - before < 64
    assert still_serves(server)


def test_who_sends_all_before_reading_still_gets_the_answer(server: LiveServer) -> None:
    answer = server.call("/v1/embeddings", b" " * (20 << 20))
    assert (answer.status, answer.json["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_chunks_without_end_are_cut_off(server: LiveServer) -> None:
    before = server.resident_mb()
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    sent = 0
    with socket.create_connection(server.address, timeout=120) as connection:
        connection.sendall(head("", "Transfer-Encoding: chunked"))
        try:
            while sent < 1 << 29:
                sent += connection.send(chunk)
        except (ConnectionResetError, BrokenPipeError):
            pass
    assert sent < 1 << 28
    assert server.resident_mb() - before < 64
    assert still_serves(server)


def test_500_connections_that_never_finish_their_headers(strict: LiveServer) -> None:
    """Others are served meanwhile, and all of them are closed when their second is over."""
    loris = [socket.create_connection(strict.address, timeout=120) for _ in range(500)]
    try:
        for connection in loris[:250]:
            connection.sendall(b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nX-")
        for _ in range(20):
            assert still_serves(strict)
        assert {read_to_end(connection) for connection in loris} == {b""}
    finally:
        for connection in loris:
            connection.close()
    assert still_serves(strict)


def test_bytes_that_keep_coming_do_not_make_headers_longer(strict: LiveServer) -> None:
    with socket.create_connection(strict.address, timeout=0.05) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ")
        for _ in range(400):
            try:
                connection.sendall(b"x")
                if not connection.recv(1):
                    break
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break
        else:
            raise AssertionError("20 s of headers were taken")


def test_the_second_request_of_a_connection_has_no_more_time(strict: LiveServer) -> None:
    with socket.create_connection(strict.address, timeout=120) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea")
        assert read_to_end(connection).count(b"HTTP/1.1 200") == 1


def test_a_body_that_does_not_come_is_not_waited_for(strict: LiveServer) -> None:
    assert raw(strict, head(100) + b'{"model":').startswith(b"HTTP/1.1 408 ")
    assert still_serves(strict)


@pytest.mark.parametrize(
    "rest", ["Content-Length: 1000000", "Transfer-Encoding: chunked"], ids=["a long body", "chunks without end"]
)
def test_a_refused_body_that_trickles_in_does_not_keep_its_connection(strict: LiveServer, rest: str) -> None:
    lines = ["POST /nowhere HTTP/1.1", "Host: localhost", "Content-Type: application/json", rest, "", ""]
    piece = b"1\r\nx\r\n" if "chunked" in rest else b"x"
    with socket.create_connection(strict.address, timeout=0.05) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b""
        for _ in range(400):
            try:
                connection.sendall(piece)
                if not (part := connection.recv(1 << 16)):
                    break
                answer += part
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break
        else:
            raise AssertionError("20 s of a refused body were taken")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert still_serves(strict)


def test_a_refused_body_that_comes_does_not_end_its_connection(server: LiveServer) -> None:
    body = b"x" * 100_000
    refused = head(len(body), path="/nowhere") + body
    last = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answers = raw(server, 3 * refused + last)
    assert (answers.count(b"HTTP/1.1 404 "), answers.count(b"HTTP/1.1 200 ")) == (3, 1)


def test_connections_are_counted(server: LiveServer) -> None:
    with socket.create_connection(server.address), socket.create_connection(server.address):
        assert server.metric("colibri_connections") >= 3
    server.wait_for("colibri_connections", 1)


def test_a_client_that_does_not_read_is_cut_off(strict: LiveServer) -> None:
    body = json.dumps({"model": XLMR, "input": ["bird " * 60] * 2048}).encode()
    with socket.socket() as connection:
        connection.settimeout(120)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(strict.address)
        connection.sendall(head(len(body)) + body)
        connection.recv(1, socket.MSG_PEEK)  # the answer has begun
        strict.wait_for("colibri_abandoned_requests_total", 1)
        assert len(read_to_end(connection)) < 20 << 20
    assert still_serves(strict)


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
        b'\xef\xbb\xbf{"model": "x", "input": "a"}',
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


def test_a_slash_too_many_leads_nowhere(server: LiveServer) -> None:
    """Least of all to where a Host header says."""
    answer = server.call("/v1/embeddings/", GOOD)
    assert (answer.status, answer.json["code"]) == (404, "RESOURCE_NOT_FOUND")
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


def test_nothing_of_all_this_was_a_bug_of_the_server(server: LiveServer, strict: LiveServer) -> None:
    for running in (server, strict):
        assert [line for line in running.logged() if line.get("status") == 500 or line["level"] == "error"] == []


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
