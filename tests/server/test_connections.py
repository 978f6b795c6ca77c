"""Connections that are slow, endless or many: each is cut off in its time, and others are served meanwhile."""

import json
import socket
from collections.abc import Iterator

import pytest

from live_server import XLMR, LiveServer
from raw_http import head, raw, read_to_end, still_serves


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with short times."""
    log = tmp_path_factory.mktemp("strict") / "log.jsonl"
    words = ("--header-timeout", "1", "--body-timeout", "1", "--write-timeout", "1", "--max-body-mb", "4")
    with LiveServer(*words, log=log, artefacts=(XLMR,)) as running:
        yield running


def taken(connection: socket.socket, block: bytes, most: int) -> int:
    """How many bytes of a block, again and again, can be sent before the other side closes; `most` or a little more
    where it does not."""
    sent = 0
    try:
        while sent < most:
            sent += connection.send(block)
    except (ConnectionResetError, BrokenPipeError):
        pass
    return sent


def test_a_body_of_a_gigabyte_is_refused_before_it_is_read(server: LiveServer) -> None:
    before = server.resident_mb()
    with socket.create_connection(server.address, timeout=120) as connection:
        connection.sendall(head(1 << 30))
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(1 << 16)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "PAYLOAD_TOO_LARGE"
        assert taken(connection, b" " * (1 << 20), 1 << 30) < 1 << 28
    assert server.resident_mb() - before < 64
    assert still_serves(server)


def test_who_sends_all_before_reading_still_gets_the_answer(server: LiveServer) -> None:
    answer = server.call("/v1/embeddings", b" " * (20 << 20))
    assert (answer.status, answer.json["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_chunks_without_end_are_cut_off(server: LiveServer) -> None:
    before = server.resident_mb()
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with socket.create_connection(server.address, timeout=120) as connection:
        connection.sendall(head("", "Transfer-Encoding: chunked"))
        assert taken(connection, chunk, 1 << 29) < 1 << 28
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


def test_nothing_of_all_this_was_a_bug_of_the_server(server: LiveServer, strict: LiveServer) -> None:
    for running in (server, strict):
        assert [line for line in running.logged() if line.get("status") == 500 or line["level"] == "error"] == []
