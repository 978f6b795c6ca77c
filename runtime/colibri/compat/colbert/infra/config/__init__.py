"""`from colbert.infra.config import ColBERTConfig, RunConfig`."""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = ["ColBERTConfig", "RunConfig"]

if TYPE_CHECKING:
    from colibri.compat.colbert.infra.config.config import ColBERTConfig, RunConfig
else:
    __getattr__, __dir__ = door(
        __name__,
        {"config": "ColBERTConfig RunConfig"},
    )
