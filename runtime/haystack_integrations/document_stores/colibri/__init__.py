"""Colibri's document store for Haystack: an index on disk, or any store of `colibri.stores`. Needs [haystack]."""

import colibri.compat.haystack_version  # noqa: F401 - says what is missing before an import of Haystack fails
from haystack_integrations.document_stores.colibri.document_store import ColibriDocumentStore

__all__ = ["ColibriDocumentStore"]
