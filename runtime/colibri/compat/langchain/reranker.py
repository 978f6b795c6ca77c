"""A reranker of documents, whoever found them."""

from collections.abc import Sequence
from typing import Any

from langchain_core.documents import BaseDocumentCompressor, Document
from pydantic import ConfigDict

from colibri.compat.found import reranked
from colibri.compat.options import loaded


class ColibriReranker(BaseDocumentCompressor):  # type: ignore[misc]  # no extra is where types are checked
    """The best of some documents, best first, for a ContextualCompressionRetriever or by itself.

    model      a `colibri.Colibri`, or what `colibri.load` takes; None: the one that comes along
    top_n      how many are kept; None: all
    min_score  least `normalised` of what is kept: a mean of cosines, at most 1
    device     "cpu", "cuda" and so on, as torch has them; None: the best that is here

    Each is a copy with `metadata["relevance_score"]`, the score of `Colibri.rerank` (raw MaxSim), and
    `metadata["colibri"]` (`colibri.compat.found`), whose spans count in `page_content`.
    """

    model: Any = None
    top_n: int | None = 3
    min_score: float | None = None
    device: Any = None

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    def __init__(self, model: Any = None, *, device: Any = None, **given: Any) -> None:
        """Not in pydantic's hooks, which make other errors of ours."""
        super().__init__(model=loaded(model, device=device), device=device, **given)

    def compress_documents(self, documents: Sequence[Document], query: str, callbacks: Any = None) -> list[Document]:
        """The best, best first; of none, none."""
        given = list(documents)
        ranked = reranked(self.model, query, [one.page_content for one in given], self.top_n)
        least = self.min_score
        return [
            given[place].model_copy(
                update={"metadata": given[place].metadata | {"relevance_score": note["score"], "colibri": note}}
            )
            for place, note in ranked
            if least is None or note["normalised"] >= least
        ]
