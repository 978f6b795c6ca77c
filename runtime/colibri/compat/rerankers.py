"""rerankers 0.10 with Colibri as its "colbert" kind. Needs the extra [rerankers]; importing this registers it.

    from colibri.compat.rerankers import Reranker       # was: from rerankers import Reranker

Scores are the mean of the query's best cosines (at most 1), in the same order as the original's, which divides another
sum by another count and goes up to 1.9 and more.
"""

from asyncio import get_running_loop
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from colibri.compat.options import loaded, without_effect
from colibri.errors import InputError, MissingExtra
from colibri.machine import install_command

try:
    import rerankers
    from rerankers.documents import Document
    from rerankers.models import AVAILABLE_RANKERS
    from rerankers.models.ranker import BaseRanker
    from rerankers.reranker import DEFAULTS
    from rerankers.results import RankedResults, Result
    from rerankers.utils import prep_docs
except ImportError as error:
    raise MissingExtra(
        f"colibri.compat.rerankers needs rerankers (colibri-edge[rerankers]): {install_command('rerankers')}"
    ) from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ColBERTRanker", "Document", "Reranker"]


class ColBERTRanker(BaseRanker):  # type: ignore[misc]  # rerankers has no types
    """A model by name, folder, alias or hub id, as `colibri.load` finds it, in the words of rerankers' base class."""

    def __init__(
        self,
        model_name: str,
        verbose: int = 1,
        batch_size: int | None = None,
        dtype: Any = None,
        device: Any = None,
        query_token: str | None = None,
        document_token: str | None = None,
        model_kwargs: Mapping[str, Any] | None = None,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        without_effect("ColBERTRanker", batch_size=batch_size, dtype=dtype, model_kwargs=model_kwargs)
        without_effect("ColBERTRanker", query_token=query_token, document_token=document_token)
        without_effect("ColBERTRanker", tokenizer_kwargs=tokenizer_kwargs)
        self.verbose = verbose
        self.colibri = loaded(model_name, device=device)
        """The model itself, for all that Colibri can do."""

    @property
    def device(self) -> str:
        """What runs the model: "cpu", "cuda" and so on."""
        return self.colibri.provider.name

    def rank(
        self,
        query: str,
        docs: Any,
        doc_ids: Sequence[int | str] | None = None,
        metadata: Sequence[Mapping[str, Any]] | None = None,
    ) -> Any:
        """RankedResults by falling score, ranks from 1. docs: texts or Documents, or one of them; none give none.

        Ids are 0, 1, ... where none are given. Raises InputError for ids or metadata of another number than docs.
        """
        listed = [docs] if isinstance(docs, str | Document) else list(docs)
        for name, given in (("doc_ids", doc_ids), ("metadata", metadata)):
            if given is not None and len(given) != len(listed):
                raise InputError(f"{name}: found {len(given)} for {len(listed)} docs, wanted one each")
        if not listed:
            return RankedResults(results=[], query=query, has_scores=True)
        documents = _prepared(listed, doc_ids, metadata)
        scores = self._scores(query, [document.text for document in documents])
        order = (-scores).argsort(kind="stable")
        ranked = [Result(document=documents[int(i)], score=float(scores[i]), rank=n + 1) for n, i in enumerate(order)]
        return RankedResults(results=ranked, query=query, has_scores=True)

    async def rank_async(
        self,
        query: str,
        docs: Any,
        doc_ids: Sequence[int | str] | None = None,
        metadata: Sequence[Mapping[str, Any]] | None = None,
    ) -> Any:
        """`rank` for asyncio: the event loop stays free."""
        return await get_running_loop().run_in_executor(None, partial(self.rank, query, docs, doc_ids, metadata))

    def score(self, query: str, doc: str) -> float:
        """The score of one document."""
        return float(self._scores(query, [doc])[0])

    def as_langchain_compressor(self, k: int = 10) -> Any:
        """A BaseDocumentCompressor that keeps the k best and sets metadata["relevance_score"]. Needs langchain-core."""
        try:
            from colibri.compat.rerankers_langchain import Compressor
        except ImportError as error:
            raise MissingExtra("as_langchain_compressor needs langchain-core: pip install langchain-core") from error
        return Compressor(ranker=self, k=k)

    def _scores(self, query: str, texts: Sequence[str]) -> "NDArray[Any]":
        """MaxSim divided by what the query's rows weigh together."""
        vectors = self.colibri.encode_queries([query])
        total = float(len(vectors.rows) if vectors.weights is None else vectors.weights.sum()) or 1.0
        scores: NDArray[Any] = self.colibri.score(vectors, texts) / total
        return scores


def Reranker(model_name: str, lang: str = "en", model_type: str | None = None, verbose: int = 1, **options: Any) -> Any:
    """rerankers' own, which makes ours of model_type="colbert"; of names that Colibri knows that is the default.

    (rerankers takes any name with "jina" in it for that company's API, and asks for a key.)
    """
    if model_type is None and model_name not in DEFAULTS and _is_here(model_name):
        model_type = "colbert"
    register()
    return rerankers.Reranker(model_name, lang=lang, model_type=model_type, verbose=verbose, **options)


def register() -> None:
    """Make `rerankers.Reranker(..., model_type="colbert")` Colibri's; importing this module does."""
    AVAILABLE_RANKERS["ColBERTRanker"] = ColBERTRanker


def _prepared(
    listed: list[Any], doc_ids: Sequence[int | str] | None, metadata: Sequence[Mapping[str, Any]] | None
) -> list[Any]:
    """Documents. The package's own function cannot take Documents and metadata together."""
    if not isinstance(listed[0], Document):
        return list(prep_docs(listed, doc_ids, metadata))
    for i, document in enumerate(listed):
        document.doc_id = doc_ids[i] if doc_ids is not None else i if document.doc_id is None else document.doc_id
        if metadata is not None:
            document.metadata = dict(metadata[i])
    return listed


def _is_here(name: str) -> bool:
    """Whether an artefact is on this machine; the network is not asked."""
    from pathlib import Path

    from colibri.artefact import FILE_NAME, aliases, meant

    return name in aliases() or bool(meant(name)) or (Path(name) / FILE_NAME).is_file()


register()
