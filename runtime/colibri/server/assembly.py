"""One server put together: its application with every route, and the index behind some of them."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from colibri.index import Index
from colibri.model import Colibri
from colibri.server.access.keys import KeyRing
from colibri.server.api import index_routes
from colibri.server.api.openapi import OPERATIONS, Operation, document
from colibri.server.api.routes import described_by, routes
from colibri.server.app import App
from colibri.server.models import Models
from colibri.server.settings import Settings
from colibri.stores import PointStore


def assemble(
    models: Models,
    settings: Settings,
    *,
    keys: KeyRing | None,
    any_host: bool,
    places: int,
    index_folder: Path | None,
    open_store: Callable[[Colibri], PointStore] | None = None,
    page: Callable[[App, Index, Colibri], None] | None = None,
) -> tuple[App, Index | PointStore | None]:
    """The application, and the index it answers from, which is the caller's to close. Options: see `App`.

    index_folder  an index to search and to change; None: there are no routes for one
    open_store    in place of a folder: opens a store elsewhere with one of the models
    page          adds more routes for the index in the folder, given the model that reads it
    """
    app = App(models, settings, keys=keys, any_host=any_host, places=places)
    app.add(routes(app))
    operations: tuple[Operation, ...] = OPERATIONS
    index: Index | PointStore | None = None
    if index_folder is not None or open_store is not None:
        found, reader = index_routes.opened(open_store or opens(index_folder), models.loaded)
        app.add(index_routes.routes(app, found, reader))
        index = found
        if page is not None and isinstance(found, Index):
            page(app, found, reader)
        operations += index_routes.OPERATIONS
    described = msgspec.json.encode(document(operations, models, with_keys=keys is not None))
    app.add([described_by(app, described)])
    return app, index


def opens(folder: Path | None) -> Callable[[Colibri], Index]:
    """Opens the index in a folder with a model."""
    assert folder is not None
    return lambda model: Index.open(folder, model)
