"""The page's own files: what is sent, and nothing else."""

import gzip

import pytest

from colibri.ui.page_files import FOLDER
from ui_server import UiServer


def test_every_file_of_the_page_is_sent_as_it_is(page: UiServer) -> None:
    for path in FOLDER.iterdir():
        answer = page.call(f"/ui/{path.name}", token=None)
        assert (answer.status, answer.body) == (200, path.read_bytes())
        packed = page.call(f"/ui/{path.name}", token=None, headers={"Accept-Encoding": "gzip, br"})
        unpacked = gzip.decompress(packed.body) if "content-encoding" in packed.headers else packed.body
        assert unpacked == path.read_bytes()
        assert page.call(f"/ui/{path.name}", headers={"If-None-Match": answer.headers["etag"]}).status == 304


def test_the_page_is_where_the_address_says(page: UiServer) -> None:
    assert page.call("/ui/", token=None).body == (FOLDER / "index.html").read_bytes()
    for path in ("/ui", "/"):
        answer = page.call(path, token=None)
        assert (answer.status, answer.headers["location"]) in {(308, "/ui/"), (307, "/ui/")}


@pytest.mark.parametrize(
    "path",
    [
        "/ui/../guard.py",
        "/ui/%2e%2e/guard.py",
        "/ui/..%2fguard.py",
        "/ui/%2e%2e%2fguard.py",
        "/ui/..%5cguard.py",
        "/ui//etc/passwd",
        "/ui/%2fetc%2fpasswd",
        "/ui/index.html%00.js",
        "/ui/.",
        "/ui/..",
        "/ui/__init__.py",
    ],
)
def test_nothing_else_is(page: UiServer, path: str) -> None:
    assert page.call(path, token=None).status in {400, 404}
