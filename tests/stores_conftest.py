"""A store of points over an engine in plain loops."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from colibri.errors import StoreError
from colibri.index import IndexModel
from colibri.stores.layout import Layout
from colibri.stores.point_store import PointStore
from plain_engine import PlainEngine
from store_contract import DIM, SPACE

Make = Callable[..., PointStore]


def no_model() -> IndexModel:
    raise StoreError("vectors of another encoder")


@pytest.fixture
def engine() -> PlainEngine:
    return PlainEngine()


@pytest.fixture
def make(engine: PlainEngine) -> Make:
    """A store over `engine`."""

    def made(
        names: Mapping[int, str] | None = None,
        *,
        cosine: bool = False,
        centroids: bool = False,
        batch_bytes: int = 8 << 20,
        own: Mapping[str, Any] | None = None,
        foreign: bool = True,
    ) -> PointStore:
        layout = Layout(names=names or {DIM: f"colibri-{DIM}"}, cosine=cosine, centroids=centroids)
        return PointStore(
            engine,
            layout,
            no_model,
            name="plain",
            space_id=SPACE,
            batch_bytes=batch_bytes,
            foreign=foreign,
            own=own or {},
        )

    return made
