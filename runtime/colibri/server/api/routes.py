"""The routes of Jina's API."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from colibri import __version__
from colibri.artefact import NOTHING_FITS, bounds, fit_of
from colibri.model import Colibri
from colibri.server.access.keys import KeyScope
from colibri.server.api import answers
from colibri.server.api.requests import EmbeddingsRequest, RerankRequest, decode, forms, plain_texts, role_of
from colibri.server.app import App
from colibri.server.encoding import Encoded, encode, row_tokens, scores
from colibri.server.http.bodies import unread
from colibri.server.http.exchange import exchange_of
from colibri.server.http.metrics import CONTENT_TYPE
from colibri.server.http.streamed import Streamed
from colibri.server.models import ModelCard
from colibri.server.problems import Problem, invalid
from colibri.server.work import Ticket, cost_of

Endpoint = Callable[[App, Request], Awaitable[Response]]
R = TypeVar("R")


class ModelList(msgspec.Struct, kw_only=True):
    """GET /v1/models."""

    object: str = "list"
    data: list[ModelCard]


class Version(msgspec.Struct, kw_only=True):
    """GET /version."""

    name: str = "colibri-edge"
    version: str


class About(msgspec.Struct, kw_only=True):
    """GET /."""

    name: str = "colibri-edge"
    version: str
    description: str = "Colibri serves late-interaction models over Jina's API: a vector a token, and ranking."
    models: list[str]
    routes: str = "/openapi.json"


def route(
    app: App,
    path: str,
    endpoint: Endpoint,
    *,
    method: str = "GET",
    open_to_all: bool = False,
    scope: KeyScope | None = None,
) -> Route:
    """A route of ours: it wants a key, of this scope if it names one, unless it is open to all."""

    async def answer(request: Request) -> Response:
        exchange_of(request).route = path.replace(":path", "")
        if not open_to_all:
            app.authorise(request, scope)
        return await endpoint(app, request)

    return Route(path, answer, methods=[method])


def routes(app: App) -> list[Route]:
    """All of them but the index's."""
    return [
        route(app, "/v1/multi-vector", embeddings, method="POST", scope="rank"),
        route(app, "/v1/embeddings", embeddings, method="POST", scope="rank"),
        route(app, "/v1/rerank", rerank, method="POST", scope="rank"),
        route(app, "/v1/models", list_models),
        route(app, "/v1/models/{id:path}", show_model),
        route(app, "/health", health, open_to_all=True),
        route(app, "/live", health, open_to_all=True),
        route(app, "/ready", ready, open_to_all=True),
        route(app, "/metrics", metrics),
        route(app, "/", about, open_to_all=True),
        route(app, "/version", version, open_to_all=True),
    ]


def described_by(app: App, document: bytes) -> Route:
    """The route that gives the OpenAPI document."""

    async def describe(app: App, request: Request) -> Response:
        return Response(document, media_type="application/json")

    return route(app, "/openapi.json", describe, open_to_all=True)


async def embeddings(app: App, request: Request) -> Response:
    """Token vectors of texts."""
    app.work.check(close=unread(request))
    async with app.bodies.read(request) as body:
        asked = decode(body, EmbeddingsRequest, app.settings)
        model = app.models.wanted(asked.model)
        dim = width(model, asked.dimensions)
        if request.scope["path"] == "/v1/embeddings" and asked.encoding_format and asked.embedding_type is None:
            raise _one_vector_wanted()
        wanted = forms(asked.embedding_type)
        texts = plain_texts(asked.input, "input", app.settings)
        role = role_of(asked)
        with app.work.admit(cost_of(texts)) as ticket:
            encoded = await app.working(
                request,
                encode(
                    model,
                    texts,
                    role,
                    dim,
                    ticket,
                    slice_texts=app.settings.slice_texts,
                    truncation=asked.truncation is not False,
                ),
            )
            tokens = None
            if asked.return_tokenized_input:
                tokens = await run_in_threadpool(row_tokens, model, texts, role)
    count(app, request, model, ticket, {role: encoded})
    usage = answers.Usage(encoded.report.tokens, encoded.report.tokens)
    return Streamed(answers.in_pieces(answers.embeddings(asked.model, encoded.slices, wanted, usage, tokens)))


async def rerank(app: App, request: Request) -> Response:
    """Documents by how well they answer a query."""
    app.work.check(close=unread(request))
    async with app.bodies.read(request) as body:
        asked = decode(body, RerankRequest, app.settings)
        model = app.models.wanted(asked.model)
        dim = width(model, asked.dimensions)
        query = plain_texts(asked.query, "query", app.settings)
        documents = plain_texts(asked.documents, "documents", app.settings)
        whole = asked.truncation is False
        with app.work.admit(cost_of([*query, *documents])) as ticket:

            async def work() -> tuple[Encoded, Encoded, list[float]]:
                size = app.settings.slice_texts
                asking = await encode(
                    model, query, "query", dim, ticket, slice_texts=size, truncation=not whole, what="query"
                )
                found = await encode(
                    model, documents, "document", dim, ticket, slice_texts=size, truncation=not whole, what="documents"
                )
                scored = await run_in_threadpool(
                    scores, model, asking.slices[0], found.slices, normalise=app.settings.normalise_scores
                )
                return asking, found, scored

            asking, found, scored = await app.working(request, work())
    count(app, request, model, ticket, {"query": asking, "document": found})
    order = np.argsort(-np.array(scored), kind="stable")[: asked.top_n]
    given_back = asked.return_documents is not False
    rows = asking.slices[0]
    within = bounds(model.manifest, dim, rows.weight)
    if within is not None and not query[0].strip():  # Jina's API ranks all the same
        within = NOTHING_FITS
    times = rows.weight if app.settings.normalise_scores else 1.0
    tokens = asking.report.tokens + found.report.tokens
    answer = answers.RerankAnswer(
        asked.model,
        "list",
        answers.Usage(tokens, tokens),
        [
            answers.Ranked(
                int(i),
                scored[i],
                answers.RankedDocument(documents[i]) if given_back else None,
                fit_of(within, scored[i] * times),
            )
            for i in order
        ],
    )
    return json_response(answer)


async def list_models(app: App, request: Request) -> Response:
    """What is served."""
    return json_response(ModelList(data=[app.models.card(model) for model in app.models.loaded]))


async def show_model(app: App, request: Request) -> Response:
    """One model, by name or alias."""
    model = app.models.find(request.path_params["id"].strip("/"))
    if model is None:
        raise Problem(404, "RESOURCE_NOT_FOUND", "no such model; GET /v1/models lists them")
    return json_response(app.models.card(model))


async def health(app: App, request: Request) -> Response:
    """Whether the process answers."""
    return json_response({"status": "ok"})


async def ready(app: App, request: Request) -> Response:
    """Whether it takes requests: not while it shuts down or is full."""
    app.work.check_ready()
    return json_response({"status": "ready", "models": [model.name for model in app.models.loaded]})


async def about(app: App, request: Request) -> Response:
    """What this is, for a person with a browser or curl."""
    models = [model.name for model in app.models.loaded]
    return json_response(About(version=__version__, models=models))


async def version(app: App, request: Request) -> Response:
    """Which release runs."""
    return json_response(Version(version=__version__))


async def metrics(app: App, request: Request) -> Response:
    """For Prometheus."""
    app.metrics.admitted.set(app.work.admitted)
    app.metrics.running.set(app.work.running)
    app.metrics.queue_seconds.set(app.work.waiting_seconds)
    return Response(app.metrics.text(), headers={"content-type": CONTENT_TYPE})


def _one_vector_wanted() -> Problem:
    """To OpenAI's clients, which send that field always and would read None without a word."""
    return invalid(
        "encoding_format",
        "an OpenAI client wants one vector a text; these models have a row a token, in `embeddings`: "
        "POST /v1/multi-vector gives them, and so does this route with `embedding_type` (float or base64) in its "
        "body; /v1/rerank ranks without any",
    )


def width(model: Colibri, asked: int | None) -> int:
    """The width to encode at. Raises Problem 422 where there is no head for it."""
    if asked is None:
        return model.dim
    if asked not in model.dims:
        raise invalid("dimensions", f"found {asked}, {model.name} has {', '.join(map(str, model.dims))}")
    return asked


def count(app: App, request: Request, model: Colibri, ticket: Ticket, made: dict[str, Encoded]) -> None:
    """Note what a request took, in the log, the metrics, the key's account and the answer's headers."""
    exchange = exchange_of(request)
    totals = {"texts": 0, "tokens": 0, "truncated": 0}
    for role, encoded in made.items():
        for what in totals:
            number = getattr(encoded.report, what)
            totals[what] += number
            getattr(app.metrics, what).labels(model.name, role).inc(number)
    app.metrics.waited.observe(ticket.waited)
    app.spend(request, totals["tokens"])
    exchange.about |= {"model": model.name, **totals, "queue_seconds": round(ticket.waited, 4)}
    if totals["truncated"]:
        exchange.headers["x-colibri-truncated"] = str(totals["truncated"])


def json_response(answer: object) -> Response:
    """Any answer that is small."""
    return Response(msgspec.json.encode(answer), media_type="application/json")
