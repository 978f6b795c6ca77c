"""Colibri's retriever for Haystack, over a ColibriDocumentStore. Needs the extra [haystack]."""

import colibri.compat.haystack_version  # noqa: F401 - says what is missing before an import of Haystack fails
from haystack_integrations.components.retrievers.colibri.retriever import ColibriRetriever

__all__ = ["ColibriRetriever"]
