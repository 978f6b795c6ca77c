"""What `colibri search` asks the page's server for: documents, as /v1/search of `colibri serve` gives them."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from colibri.index import Index
from colibri.server import (
    App,
    SearchRequest,
    decode,
    exchange_of,
    json_response,
    route,
    search_answer,
    unread,
)
from colibri.ui.faults import told_whole
from colibri.ui.guard import Guard
from colibri.ui.page_files import HEADERS
from colibri.ui.questions import Questions

_COST = 64


def add_hits(app: App, index: Index, questions: Questions, guard: Guard) -> None:
    """The route /ui/api/hits, which wants the page's token."""

    async def hits(app: App, request: Request) -> Response:
        exchange_of(request).headers.update({**HEADERS, "cache-control": "no-store"})
        guard.let_in(app, request)
        app.work.check(close=unread(request))
        async with app.bodies.read(request) as body:
            asked = decode(body, SearchRequest, app.settings)
            with app.work.admit(_COST), told_whole(index, "where"):
                found = await app.working(request, asyncio.to_thread(search_answer, index, questions.model, asked))
        return json_response(found)

    app.add([route(app, "/ui/api/hits", hits, method="POST", open_to_all=True)])
