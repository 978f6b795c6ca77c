"""Colibri's ranker for Haystack: ColBERT's late interaction without torch. Needs the extra [haystack]."""

import colibri.compat.haystack_version  # noqa: F401 - says what is missing before an import of Haystack fails
from haystack_integrations.components.rankers.colibri.ranker import ColibriRanker

__all__ = ["ColibriRanker"]
