"""The OpenAPI document, and what schemathesis makes of it: thousands of requests, no error of the server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from colibri.model import load
from colibri.server.api import index_routes
from colibri.server.api.openapi import OPERATIONS, document
from colibri.server.models import Models
from live_server import BERT, XLMR, LiveServer
from reference import ARTEFACTS

SOAK = settings().max_examples >= 500
POSTS = {"/v1/multi-vector", "/v1/embeddings", "/v1/rerank", "/v1/search", "/v1/index/documents"}
POSTS |= {f"/v1/index/{word}" for word in ("list", "count", "delete")}
EXAMPLES = 3_900 if SOAK else 40  # for each route that takes a body: 20,000 and 300 in all
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
)


def described() -> dict[str, Any]:
    models = Models([load(ARTEFACTS / name) for name in (BERT, XLMR)], {"jina-colbert-v2": XLMR})
    operations = OPERATIONS + index_routes.OPERATIONS
    found: dict[str, Any] = json.loads(json.dumps(document(operations, models, with_keys=False)))
    return found


DESCRIBED = described()
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED)
COUNTED = {"requests": 0}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Both tiny artefacts and an index."""
    folder = tmp_path_factory.mktemp("described")
    words = ("--alias", f"jina-colbert-v2={XLMR}", "--index", str(folder / "index"))
    with LiveServer(*words, log=folder / "log.jsonl") as running:
        yield running


def test_the_server_gives_the_document(server: LiveServer) -> None:
    assert server.call("/openapi.json").json == described()


def test_it_has_every_route(server: LiveServer) -> None:
    found = server.call("/openapi.json").json
    for path, methods in found["paths"].items():
        for method in methods:
            answer = server.call(path.replace("{id}", XLMR), method=method.upper())
            assert answer.status != 405, path
            assert answer.status != 404 or path == "/v1/index/documents/{id}", path
    assert found["components"]["schemas"]["EmbeddingsRequest"]["properties"]["model"]["enum"] == [
        BERT,
        XLMR,
        "jina-colbert-v2",
    ]


def test_it_names_nothing_outside() -> None:
    assert "http://" not in json.dumps(described())
    assert "https://" not in json.dumps(described())


def no_error_of_the_server(path: str, method: str, examples: int) -> Any:
    """A test of one operation. (One test of all of them would give every operation the same id: see conftest.py.)"""

    @SCHEMA.include(path=path, method=method).parametrize()
    @settings(max_examples=examples)
    def test(case: schemathesis.Case[Any], server: LiveServer) -> None:
        COUNTED["requests"] += 1
        case.call_and_validate(base_url=server.url, checks=list(CHECKS))

    return test


for _path, _methods in DESCRIBED["paths"].items():
    for _method in _methods:
        _name = f"test_no_request_is_an_error_of_the_server: {_method.upper()} {_path}"
        globals()[_name] = no_error_of_the_server(_path, _method, EXAMPLES if _path in POSTS else EXAMPLES // 10)


def test_as_many_were_sent_as_were_meant(server: LiveServer) -> None:
    assert COUNTED["requests"] >= (20_000 if SOAK else 300)
    answered = [line["status"] for line in server.logged() if "status" in line]
    assert answered.count(200) > 50
    assert 500 not in answered


@pytest.mark.parametrize("file", sorted(Path(__file__).parents[2].glob("docs/server.md")))
def test_the_page_names_every_route(file: Path) -> None:
    page = file.read_text(encoding="utf-8")
    for operation in OPERATIONS + index_routes.OPERATIONS:
        assert operation.path in page
