"""Where vectors are kept: one protocol, whatever is behind it. `colibri.Index` is the local one."""

from colibri.explain import Match, Span
from colibri.index.document import Document, Hit, PassageHit, Stored
from colibri.stores.protocol import Store

__all__ = ["Document", "Hit", "Match", "PassageHit", "Span", "Store", "Stored"]
