"""The OpenAPI document, made of the types that requests are decoded as."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from colibri import __version__
from colibri.server.api.answers import EmbeddingsAnswer, RerankAnswer
from colibri.server.api.requests import EmbeddingsRequest, RerankRequest
from colibri.server.api.routes import About, ModelList, Version
from colibri.server.models import ModelCard, Models
from colibri.server.problems import ErrorAnswer

_REF = "#/components/schemas/{name}"
_ERRORS = {
    400: "The body is no JSON, or the model is not served here",
    401: "No key, or not one of this server's",
    403: "The key is not for this route",
    404: "No such thing",
    405: "No such method",
    408: "The body was too slow",
    413: "The body is too large",
    415: "The body is not application/json",
    421: "The host name is not this machine's",
    422: "A field cannot be used; `errors` says which",
    429: "This key asked too often; see Retry-After",
    500: "A bug of the server",
    503: "Full, or shutting down; see Retry-After",
    504: "Not done in time",
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one route."""

    path: str
    method: str
    summary: str
    takes: type[msgspec.Struct] | None = None
    gives: type[msgspec.Struct] | None = None
    """None: plain text or any JSON."""
    parameters: tuple[str, ...] = ()
    """Names in the path."""
    open_to_all: bool = False


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        path="/v1/multi-vector",
        method="post",
        summary="Token vectors of texts",
        takes=EmbeddingsRequest,
        gives=EmbeddingsAnswer,
    ),
    Operation(
        path="/v1/embeddings",
        method="post",
        summary="The same as /v1/multi-vector",
        takes=EmbeddingsRequest,
        gives=EmbeddingsAnswer,
    ),
    Operation(
        path="/v1/rerank",
        method="post",
        summary="Documents by how well they answer a query",
        takes=RerankRequest,
        gives=RerankAnswer,
    ),
    Operation(path="/v1/models", method="get", summary="Models served here", gives=ModelList),
    Operation(
        path="/v1/models/{id}", method="get", summary="One model, by name or alias", gives=ModelCard, parameters=("id",)
    ),
    Operation(path="/health", method="get", summary="Whether the process answers", open_to_all=True),
    Operation(path="/live", method="get", summary="The same as /health", open_to_all=True),
    Operation(path="/ready", method="get", summary="Whether it takes requests", open_to_all=True),
    Operation(path="/", method="get", summary="What this is", gives=About, open_to_all=True),
    Operation(path="/version", method="get", summary="Which release runs", gives=Version, open_to_all=True),
    Operation(path="/metrics", method="get", summary="Figures for Prometheus"),
    Operation(path="/openapi.json", method="get", summary="This document", open_to_all=True),
)


def document(operations: Sequence[Operation], models: Models, *, with_keys: bool) -> dict[str, Any]:
    """OpenAPI 3.1 of a server of these models. with_keys: whether it asks for keys."""
    types = {kind for operation in operations for kind in (operation.takes, operation.gives) if kind}
    ordered = sorted(types | {ErrorAnswer}, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    dims = sorted({dim for model in models.loaded for dim in model.dims}, reverse=True)
    for kind in (EmbeddingsRequest, RerankRequest):
        fields = components[kind.__name__]["properties"]
        fields["model"]["enum"] = models.names
        fields["dimensions"]["anyOf"][0]["enum"] = dims
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, with_keys=with_keys)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Colibri",
            "version": __version__,
            "description": "Late-interaction models over Jina's API. Fields that are not listed are ignored; the routes"
            " of an index refuse them.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation, *, with_keys: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": f"{operation.method}{operation.path.replace('/', '_').replace('{', '').replace('}', '')}",
        "responses": {"200": _success(operation)}
        | {str(status): {"description": said, "content": _json(ErrorAnswer)} for status, said in _ERRORS.items()},
    }
    if operation.takes is not None:
        found["requestBody"] = {"required": True, "content": _json(operation.takes)}
    if operation.parameters:
        found["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in operation.parameters
        ]
    if with_keys and not operation.open_to_all:
        found["security"] = [{"key": []}]
    return found


def _success(operation: Operation) -> dict[str, Any]:
    if operation.gives is not None:
        return {"description": "Done", "content": _json(operation.gives)}
    kind = "text/plain" if operation.path == "/metrics" else "application/json"
    return {"description": "Done", "content": {kind: {"schema": {}}}}


def _json(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=kind.__name__)}}}
