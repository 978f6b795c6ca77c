"""What a slash too many means, and where a slash is part of an id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.server.http.paths import Paths


@pytest.fixture(scope="module")
def paths() -> Paths:
    found = Paths()
    found.add(["/v1/rerank", "/v1/index/documents", "/v1/models/{id:path}", "/v1/index/documents/{id:path}"])
    return found


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("/v1/rerank", "/v1/rerank"),
        ("/v1/rerank/", "/v1/rerank"),
        ("//v1//rerank//", "/v1/rerank"),
        ("/", "/"),
        ("//", "/"),
        ("", "/"),
        ("/v1/models/", "/v1/models"),
        ("/v1/models/a/b", "/v1/models/a/b"),
        ("//v1/index//documents/https://x.org//a/", "/v1/index/documents/https://x.org//a/"),
        ("/v1/index/documents//home/notes/", "/v1/index/documents//home/notes/"),
        ("/v1/index/documents/", "/v1/index/documents"),
    ],
)
def test_the_route_that_is_meant(paths: Paths, given: str, meant: str) -> None:
    assert paths.plain(given) == meant


@given(st.text(min_size=1), st.integers(1, 3), st.integers(1, 3))
def test_an_id_is_kept_as_it_is(given: str, first: int, second: int) -> None:
    paths = Paths()
    paths.add(["/v1/index/documents/{id:path}"])
    before = "/" * first + "v1" + "/" * second + "index/documents/"
    assert paths.plain(before + given) == "/v1/index/documents/" + given


@given(st.text(alphabet="/ab."))
def test_a_plain_path_is_as_it_was(given: str) -> None:
    paths = Paths()
    assert paths.plain(paths.plain(given)) == paths.plain(given)
