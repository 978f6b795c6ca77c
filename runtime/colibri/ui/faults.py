"""What index and model say when they cannot do what is asked, as the page is told: whoever searches is to mend them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from colibri.errors import ColibriError
from colibri.index import Index
from colibri.server import Problem, told

log = logging.getLogger(__name__)


@contextmanager
def told_whole(index: Index, field: str) -> Iterator[None]:
    """As `told`; and raises Problem 500, with what the library says and what to do, where the index is damaged or gone,
    or its model."""
    try:
        with told(index, field):
            yield
    except ColibriError as error:
        log.warning("%s", error)
        raise Problem(500, "INDEX_FAILED", str(error)) from error
