"""`from ragatouille.data import CorpusProcessor`: documents to passages."""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = ["CorpusProcessor", "llama_index_sentence_splitter"]

if TYPE_CHECKING:
    from colibri.compat.ragatouille.data.corpus_processor import CorpusProcessor
    from colibri.compat.ragatouille.data.preprocessors import llama_index_sentence_splitter
else:
    __getattr__, __dir__ = door(
        __name__,
        {"corpus_processor": "CorpusProcessor", "preprocessors": "llama_index_sentence_splitter"},
    )
