"""Routes of `colibri serve --index` or `--store`: search, and documents in and out; what was acknowledged is kept."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from colibri.errors import StoreError
from colibri.index import Index
from colibri.model import Colibri
from colibri.server.api import answers
from colibri.server.api.hits import found_of, meaning_of, wanted_count
from colibri.server.api.index_faults import told
from colibri.server.api.index_listing import OPERATIONS as LISTING
from colibri.server.api.index_listing import listing_routes
from colibri.server.api.index_messages import (
    DeletedAnswer,
    DeleteRequest,
    DocumentsAnswer,
    DocumentsRequest,
    ManyDeletedAnswer,
    SearchAnswer,
    SearchRequest,
)
from colibri.server.api.openapi import Operation
from colibri.server.api.requests import decode, plain_texts
from colibri.server.api.routes import count, json_response, route
from colibri.server.api.searched import searched
from colibri.server.app import App
from colibri.server.http.bodies import unread
from colibri.server.http.exchange import exchange_of
from colibri.server.problems import Problem, invalid
from colibri.server.work import cost_of
from colibri.stores import PointStore

T = TypeVar("T")

_FRAME = 64  # expected work of a document beside its characters


OPERATIONS: tuple[Operation, ...] = (
    Operation(path="/v1/search", method="post", summary="Search the index", takes=SearchRequest, gives=SearchAnswer),
    Operation(
        path="/v1/index/documents",
        method="post",
        summary="Add documents, or replace those of the same id",
        takes=DocumentsRequest,
        gives=DocumentsAnswer,
    ),
    Operation(
        path="/v1/index/documents/{id}",
        method="delete",
        summary="Delete a document",
        gives=DeletedAnswer,
        parameters=("id",),
    ),
    Operation(
        path="/v1/index/delete",
        method="post",
        summary="Delete documents by their ids, or those that a filter keeps",
        takes=DeleteRequest,
        gives=ManyDeletedAnswer,
    ),
    *LISTING,
)


class _Abandoned(Exception):
    """Ends a transaction whose client has gone."""


def opened(
    open_with: Callable[[Colibri], Index | PointStore], models: Sequence[Colibri]
) -> tuple[Index | PointStore, Colibri]:
    """The index and the model that reads it; a new one is made for the first model.

    Raises StoreError when it belongs to none of them.
    """
    refused: list[StoreError] = []
    for model in models:
        try:
            return open_with(model), model
        except StoreError as error:
            refused.append(error)
    raise refused[0]


def routes(app: App, index: Index | PointStore, model: Colibri) -> list[Route]:
    """The routes of one index."""
    found = _Routes(index, model)
    return [
        route(app, "/v1/search", found.search, method="POST", scope="search"),
        route(app, "/v1/index/documents", found.add, method="POST", scope="write"),
        route(app, "/v1/index/documents/{id:path}", found.delete, method="DELETE", scope="write"),
        route(app, "/v1/index/delete", found.delete_many, method="POST", scope="write"),
        *listing_routes(app, index),
    ]


class _Routes:
    """One writer at a time: SQLite takes no more, and a queue here is fairer than its locks."""

    def __init__(self, index: Index | PointStore, model: Colibri) -> None:
        self._index = index
        self._model = model
        self._writing = asyncio.Lock()

    async def search(self, app: App, request: Request) -> Response:
        """The best documents of the index."""
        app.work.check(close=unread(request))
        async with app.bodies.read(request) as body:
            asked = decode(body, SearchRequest, app.settings)
            query = plain_texts(asked.query, "query", app.settings)
            if asked.model is not None and app.models.wanted(asked.model) is not self._model:
                raise invalid("model", f"found {asked.model}, the index was made with {self._model.name}")
            wanted_count(asked)
            if not query[0].strip():
                return await self._nothing(app, request, asked)
            with app.work.admit(cost_of(query)) as ticket, told(self._index, "where"):
                found = await app.working(request, searched(self._index, self._model, asked, query, ticket))
        count(app, request, self._model, ticket, {} if found.encoded is None else {"query": found.encoded})
        exchange_of(request).about["hits"] = len(found.hits)
        tokens = 0 if found.encoded is None else found.encoded.report.tokens
        usage = answers.Usage(tokens, tokens)
        given_back, spans = asked.return_documents is not False, bool(asked.spans)
        results = [
            found_of(hit, meaning_of(self._model, found.mode), text=given_back, spans=spans) for hit in found.hits
        ]
        name, mode, screened = self._model.name, found.mode, found.screened
        return json_response(SearchAnswer(model=name, mode=mode, screened=screened, usage=usage, results=results))

    async def _nothing(self, app: App, request: Request, asked: SearchRequest) -> Response:
        """To a query that asks nothing. A filter that is none is refused all the same."""
        with told(self._index, "where"):
            await app.working(request, asyncio.to_thread(self._index.search, "", where=asked.where))
        exchange_of(request).about["hits"] = 0
        mode = asked.mode or "meaning"
        return json_response(SearchAnswer(model=self._model.name, mode=mode, usage=answers.Usage(0, 0), results=[]))

    async def add(self, app: App, request: Request) -> Response:
        """Documents into the index, all of them or none."""
        app.work.check(close=unread(request))
        async with app.bodies.read(request) as body:
            asked = decode(body, DocumentsRequest, app.settings)
            texts = plain_texts([document.text for document in asked.documents], "documents", app.settings)
            cost = cost_of(texts) + _FRAME * len(texts)
            tokens: list[int] = []
            gone = threading.Event()

            def done(number: int) -> None:
                if gone.is_set():
                    raise _Abandoned
                tokens.append(number)

            def write() -> list[int]:
                documents = ({"id": one.id, "text": one.text, "payload": one.payload} for one in asked.documents)
                self._index.upsert(documents, progress=done)
                return [len(self._index)]

            async def work() -> int:
                async with self._writing:
                    writing = ticket.turn(cost, lambda _: asyncio.to_thread(write))
                    return await _to_its_end(writing, gone.set)

            with app.work.admit(cost) as ticket, told(self._index, "documents"):
                held = await app.working(request, work())
        app.spend(request, sum(tokens))
        app.metrics.texts.labels(self._model.name, "document").inc(len(texts))
        app.metrics.tokens.labels(self._model.name, "document").inc(sum(tokens))
        exchange_of(request).about |= {"texts": len(texts), "tokens": sum(tokens), "held": held}
        usage = answers.Usage(sum(tokens), sum(tokens))
        ids = list(dict.fromkeys(document.id for document in asked.documents))
        return json_response(DocumentsAnswer(ids=ids, documents=held, usage=usage))

    async def delete(self, app: App, request: Request) -> Response:
        """One document out of the index."""
        app.work.check()
        found_id = request.path_params["id"]
        if not await self._delete(app, request, "id", lambda: self._index.delete(found_id)):
            raise Problem(404, "RESOURCE_NOT_FOUND", "the index has no document of that id")
        return json_response(DeletedAnswer(id=found_id))

    async def delete_many(self, app: App, request: Request) -> Response:
        """Documents out of the index, by their ids or by a filter, all or none."""
        app.work.check(close=unread(request))
        async with app.bodies.read(request) as body:
            asked = decode(body, DeleteRequest, app.settings)
            if (asked.ids is None) == (asked.where is None):
                raise invalid("where", "found both or neither, wanted either ids or where")
            if asked.where == {}:
                raise invalid("where", "found {}, which would delete every document; name a field, or ids")
            field = "ids" if asked.where is None else "where"
            index = self._index
            deleted = await self._delete(app, request, field, lambda: index.delete(asked.ids, where=asked.where))
            held = await asyncio.to_thread(len, index)
        exchange_of(request).about |= {"deleted": deleted, "held": held}
        return json_response(ManyDeletedAnswer(deleted=deleted, documents=held))

    async def _delete(self, app: App, request: Request, field: str, delete: Callable[[], int]) -> int:
        async def work() -> int:
            async with self._writing:
                return await _to_its_end(asyncio.to_thread(delete))

        with app.work.admit(_FRAME), told(self._index, field):
            return await app.working(request, work())


async def _to_its_end(work: Coroutine[Any, Any, T], cancelled: Callable[[], None] = lambda: None) -> T:
    """The result of work that cannot be left in its middle: a cancellation is told to it, and waits until it is over.

    A transaction then is undone, or kept where it was past its last document.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        cancelled()
        await asyncio.gather(task, return_exceptions=True)
        raise
