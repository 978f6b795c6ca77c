"""`from colbert.infra import Run, RunConfig, ColBERTConfig`."""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = ["ColBERTConfig", "Run", "RunConfig"]

if TYPE_CHECKING:
    from colibri.compat.colbert.infra.config.config import ColBERTConfig, RunConfig
    from colibri.compat.colbert.infra.run import Run
else:
    __getattr__, __dir__ = door(__name__, {"config.config": "ColBERTConfig RunConfig", "run": "Run"})
