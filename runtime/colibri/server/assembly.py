"""One server put together: its application with every route, and the index behind some of them."""

from pathlib import Path

import msgspec

from colibri.index import Index
from colibri.server.access.keys import KeyRing
from colibri.server.api import index_routes
from colibri.server.api.openapi import OPERATIONS, document
from colibri.server.api.routes import described_by, routes
from colibri.server.app import App
from colibri.server.models import Models
from colibri.server.settings import Settings


def assemble(
    models: Models,
    settings: Settings,
    *,
    keys: KeyRing | None,
    any_host: bool,
    places: int,
    index_folder: Path | None,
) -> tuple[App, Index | None]:
    """The application, and the index it answers from, which is the caller's to close. Options: see `App`.

    index_folder  an index to search and to change; None: there are no routes for one
    """
    app = App(models, settings, keys=keys, any_host=any_host, places=places)
    app.add(routes(app))
    operations, index = OPERATIONS, None
    if index_folder is not None:
        index, reader = index_routes.opened(index_folder, models.loaded)
        app.add(index_routes.routes(app, index, reader))
        operations += index_routes.OPERATIONS
    described = msgspec.json.encode(document(operations, models, with_keys=keys is not None))
    app.add([described_by(app, described)])
    return app, index
