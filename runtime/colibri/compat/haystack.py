"""Haystack with Colibri in it: a ranker, a document store and its retriever. Needs the extra [haystack].

    from colibri.compat.haystack import ColibriDocumentStore, ColibriRanker, ColibriRetriever

They live in `haystack_integrations`, as all add-ons of Haystack do: `Pipeline.loads` takes classes of no other place
without being told to. Results carry `meta["colibri"]` (`colibri.compat.found`): scores, the passage and the matched
characters, which `colibri.compat.highlighting` shows. docs/haystack.md has it all in use.
"""

from haystack_integrations.components.rankers.colibri import ColibriRanker
from haystack_integrations.components.retrievers.colibri import ColibriRetriever
from haystack_integrations.document_stores.colibri import ColibriDocumentStore

__all__ = ["ColibriDocumentStore", "ColibriRanker", "ColibriRetriever"]
