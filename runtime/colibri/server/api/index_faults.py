"""What becomes of a request whose index, or store elsewhere, refuses it or fails."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from colibri.errors import InputError, StoreDamaged, StoreError, StoreLocked, StoreUnfinished
from colibri.index import Index
from colibri.server.problems import busy, invalid
from colibri.stores import PointStore

log = logging.getLogger(__name__)

_SECONDS = 5  # to wait before the next try


@contextmanager
def told(index: Index | PointStore, field: str) -> Iterator[None]:
    """Raises Problem: 422 for what `field` asks, 503 where another process, or a store elsewhere, stands in the way.

    What a store's server said is in the log alone.
    """
    try:
        yield
    except InputError as error:
        raise invalid(field, str(error)) from None
    except StoreLocked as error:
        raise busy(str(error), _SECONDS) from None
    except StoreUnfinished as error:
        log.warning("%s", error)
        done = f"{len(error.done):,} documents are in, {len(error.unsure):,} may be, {error.left:,} are not"
        raise busy(f"the collection ended half-way: {done}; send all of them again", _SECONDS) from None
    except StoreError as error:
        if isinstance(error, StoreDamaged) or isinstance(index, Index):
            raise
        log.warning("%s", error)
        raise busy("the collection does not answer", _SECONDS) from None
