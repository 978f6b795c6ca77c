"""Routes that look into an index without a query: one document, a page of them, how many there are."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from colibri.index import Index
from colibri.server.api.index_faults import told
from colibri.server.api.index_messages import CountAnswer, CountRequest, DocumentAnswer, ListAnswer, ListRequest
from colibri.server.api.openapi import Operation
from colibri.server.api.requests import decode
from colibri.server.api.routes import json_response, route
from colibri.server.app import App
from colibri.server.http.bodies import unread
from colibri.server.problems import Problem
from colibri.stores import PointStore

T = TypeVar("T")

_COST = 64  # expected work, beside that of encoding texts
_PAGE = 100
_OBJECT = "index.document"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        path="/v1/index/documents/{id}",
        method="get",
        summary="A document by its id",
        gives=DocumentAnswer,
        parameters=("id",),
    ),
    Operation(
        path="/v1/index/list",
        method="post",
        summary="A page of the documents, or of those that a filter keeps",
        takes=ListRequest,
        gives=ListAnswer,
    ),
    Operation(
        path="/v1/index/count",
        method="post",
        summary="How many documents there are, or a filter keeps",
        takes=CountRequest,
        gives=CountAnswer,
    ),
)


def listing_routes(app: App, index: Index | PointStore) -> list[Route]:
    """Those routes."""
    found = _Listing(index)
    return [
        route(app, "/v1/index/documents/{id:path}", found.get, scope="search"),
        route(app, "/v1/index/list", found.list, method="POST", scope="search"),
        route(app, "/v1/index/count", found.count, method="POST", scope="search"),
    ]


class _Listing:
    def __init__(self, index: Index | PointStore) -> None:
        self._index = index

    async def get(self, app: App, request: Request) -> Response:
        """One document."""
        app.work.check()
        stored = (await _read(app, request, self._index, "id", lambda: self._index.get(request.path_params["id"])))[0]
        if stored is None:
            raise Problem(404, "RESOURCE_NOT_FOUND", "the index has no document of that id")
        return json_response(DocumentAnswer(id=stored.id, object=_OBJECT, text=stored.text, payload=stored.payload))

    async def count(self, app: App, request: Request) -> Response:
        """How many."""
        app.work.check(close=unread(request))
        async with app.bodies.read(request) as body:
            asked = decode(body, CountRequest, app.settings)
            return json_response(
                CountAnswer(
                    documents=await _read(app, request, self._index, "where", lambda: self._index.count(asked.where))
                )
            )

    async def list(self, app: App, request: Request) -> Response:
        """A page."""
        app.work.check(close=unread(request))
        async with app.bodies.read(request) as body:
            asked = decode(body, ListRequest, app.settings)
            most = app.settings.body_bytes
            return json_response(await _read(app, request, self._index, "where", lambda: self._page(asked, most)))

    def _page(self, asked: ListRequest, most_bytes: int) -> ListAnswer:
        """It ends early where the answer would be larger than a request may be; it always has one document."""
        first = asked.offset or 0
        with contextlib.closing(self._index.payloads(asked.where)) as heads:  # type: ignore[type-var]
            listed = list(itertools.islice(heads, first, first + (asked.limit or _PAGE)))
        total, size = self._index.count(asked.where), 0
        rows: list[DocumentAnswer] = []
        for found_id, payload in listed:
            row = DocumentAnswer(id=found_id, object=_OBJECT, payload=payload or None)
            if asked.return_documents:
                stored = self._index.get(found_id)[0]
                row.text = None if stored is None else stored.text  # None: deleted since
            size += len(msgspec.json.encode(row))
            if rows and size > most_bytes:
                break
            rows.append(row)
        end = first + len(rows)
        return ListAnswer(data=rows, documents=total, next_offset=end if rows and end < total else None)


async def _read(app: App, request: Request, index: Index | PointStore, field: str, read: Callable[[], T]) -> T:
    with app.work.admit(_COST), told(index, field):
        return await app.working(request, asyncio.to_thread(read))
