"""Who reaches the page's server from a browser: its own page, and nobody else's."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from browser_steps import Opener, search
from ui_server import UiServer


class Other(http.server.BaseHTTPRequestHandler):
    """A page of somebody else's, which may run what it likes, and keeps what it was sent."""

    seen: list[str]

    def do_GET(self) -> None:
        """An empty page."""
        self.seen.append(str(self.headers))
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>other</title>")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def other_page() -> Iterator[tuple[str, list[str]]]:
    """Its address on another port of this machine, and the headers that it was sent."""
    kept: list[str] = []
    kind = type("Kept", (Other,), {"seen": kept})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/", kept
        running.shutdown()


@pytest.mark.parametrize("known", [True, False])
def test_a_page_on_another_port_gets_nothing_even_with_the_token(
    open_page: Opener, server: UiServer, known: bool
) -> None:
    """Not the answer, and 403 is what the server says: a preflight is refused, and so is what needs none."""
    open_page.allowed += ["CORS", "net::ERR_", "403", "blocked"]
    statuses: list[int] = []
    with other_page() as (address, _):
        page = open_page(address)
        page.on("response", lambda response: statuses.append(response.status) if "/ui/" in response.url else None)
        base = server.address.partition("#")[0]
        token = server.token if known else "guess"
        for options in (
            {"headers": {"X-Colibri-Token": token}},
            {"mode": "no-cors"},
            {"method": "POST", "body": "{}", "mode": "no-cors"},
            {"method": "POST", "body": "{}", "headers": {"X-Colibri-Token": token, "Content-Type": "application/json"}},
        ):
            for path in ("api/state", "api/search", ""):
                found = page.evaluate(
                    "([url, more]) => fetch(url, more).then((r) => [r.type, r.status, r.body === null], () => null)",
                    [base + path, options],
                )
                assert found is None or found == ["opaque", 0, True], (path, options)
    assert statuses
    assert set(statuses) == {403}


def test_a_page_elsewhere_cannot_frame_it_nor_run_its_scripts(open_page: Opener, server: UiServer) -> None:
    open_page.allowed += ["net::ERR_", "403", "frame", "Refused", "blocked"]
    base = server.address.partition("#")[0]
    with other_page() as (address, _):
        page = open_page(address)
        loaded = page.evaluate(
            """base => new Promise((done) => {
                const script = document.createElement("script");
                script.src = base + "theme.js";
                script.onload = () => done("loaded");
                script.onerror = () => done("refused");
                document.body.append(script);
            })""",
            base,
        )
        assert loaded == "refused"
        page.evaluate(
            """base => new Promise((done) => {
                const frame = document.createElement("iframe");
                frame.src = base;
                frame.onload = frame.onerror = done;
                document.body.append(frame);
            })""",
            base,
        )
        framed = [frame for frame in page.frames if frame != page.main_frame]
        assert all(frame.query_selector("#query") is None for frame in framed)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_own_names_of_this_machine_are_answered(open_page: Opener, server: UiServer, name: str) -> None:
    page = open_page(server.address.replace("127.0.0.1", name))
    search(page, "bread")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example", "0.0.0.0", ""])
def test_a_wrong_host_gets_403(server: UiServer, host: str) -> None:
    for path in ("/ui/", "/ui/main.js", "/ui/api/state"):
        assert server.call(path, host=host or " ").status in {400, 403}
        if host:
            assert server.call(path, host=host).status == 403


def test_another_port_is_sent_no_cookie_and_no_referrer(open_page: Opener, server: UiServer) -> None:
    open_page.allowed += ["net::ERR_"]  # the other page's icon, when its server ends
    page = open_page(server.address)
    search(page, "bread")
    with other_page() as (address, seen):
        page.evaluate("address => { location.href = address }", address)
        page.wait_for_url(address)
    assert seen  # the page alone; what it asks for itself comes after
    assert all(word not in seen[0].lower() for word in ("cookie", "referer", server.token.lower()))
