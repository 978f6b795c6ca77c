"""A ranker of documents, whoever found them."""

import os
from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haystack import Document, component, default_from_dict, default_to_dict

from colibri.checks import is_count, optional_finite
from colibri.compat.found import Characters, Matched, Noted, reranked
from colibri.compat.options import loaded
from colibri.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from colibri import Colibri


@component
class ColibriRanker:
    """The best of some documents by MaxSim, best first, in the words of FastembedLateInteractionRanker.

    model                 what `colibri.load` takes: a name, a folder, a hub id; None: the one that comes along. Loaded
                          by `warm_up` or the first run, and shared with whoever has the same one in use
    top_k                 how many are kept
    meta_fields_to_embed  fields of `meta` that are read before the content, with `meta_data_separator` between them
    score_threshold       least score of what is kept
    scale_score           False: scores of `Colibri.rerank`, raw MaxSim. True: `normalised`, that over the sum of the
                          query tokens' weights: at most 1, comparable between queries

    Documents are copies with `score` and `meta["colibri"]` (`colibri.compat.found`), whose characters count in their
    content. Raises InputError, which is a ValueError.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        top_k: int = 10,
        meta_fields_to_embed: Sequence[str] | None = None,
        meta_data_separator: str = "\n",
        score_threshold: float | None = None,
        scale_score: bool = False,
    ) -> None:
        self.model = None if model is None else os.fspath(model)
        self.top_k = _count(top_k)
        self.meta_fields_to_embed = list(meta_fields_to_embed or [])
        self.meta_data_separator = meta_data_separator
        self.score_threshold = optional_finite("score_threshold", score_threshold)
        self.scale_score = scale_score
        self._loaded: Colibri | None = None

    def to_dict(self) -> dict[str, Any]:
        """What a saved pipeline keeps of it."""
        return dict(
            default_to_dict(
                self,
                model=self.model,
                top_k=self.top_k,
                meta_fields_to_embed=self.meta_fields_to_embed,
                meta_data_separator=self.meta_data_separator,
                score_threshold=self.score_threshold,
                scale_score=self.scale_score,
            )
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ColibriRanker":
        """One as `to_dict` told of it."""
        made: ColibriRanker = default_from_dict(cls, data)
        return made

    def warm_up(self) -> None:
        """Load the model. Raises as `colibri.load`."""
        if self._loaded is None:
            self._loaded = loaded(self.model)

    @component.output_types(documents=list[Document])
    def run(self, query: str, documents: list[Document], top_k: int | None = None) -> dict[str, list[Document]]:
        """Rank them: {"documents": the best, best first}; of none, none. Of one id given twice the first counts.

        Raises InputError for a query of no characters or a `top_k` below 1, InputTypeError for other than documents.
        """
        count = self.top_k if top_k is None else _count(top_k)
        given = _checked(query, documents)
        if not given:
            return {"documents": []}
        self.warm_up()
        assert self._loaded is not None
        heads = [self._head(document) for document in given]
        texts = [head + (document.content or "") for head, document in zip(heads, given, strict=True)]
        found = []
        for place, note in reranked(self._loaded, query, texts, count):
            score = note["normalised"] if self.scale_score else note["score"]
            if self.score_threshold is None or score >= self.score_threshold:
                own = _in_content(note, len(heads[place]), len(given[place].content or ""))
                found.append(replace(given[place], score=score, meta={**given[place].meta, "colibri": own}))
        return {"documents": found}

    @component.output_types(documents=list[Document])
    async def run_async(
        self, query: str, documents: list[Document], top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """`run` on a thread: the event loop stays free."""
        ranked: dict[str, list[Document]] = await to_thread(self.run, query, documents, top_k)
        return ranked

    def _head(self, document: Document) -> str:
        """What is read before a document's content."""
        values = [document.meta.get(field) for field in self.meta_fields_to_embed]
        return "".join(f"{value}{self.meta_data_separator}" for value in values if value)


def _count(top_k: object) -> int:
    if not is_count(top_k):
        raise InputError(f"top_k: found {top_k!r}, wanted a whole number from 1")
    return int(top_k)


def _checked(query: object, documents: object) -> list[Document]:
    """Each id's first."""
    if not isinstance(query, str):
        raise InputTypeError(f"query: found {type(query).__name__}, wanted str")
    if not query:
        raise InputError("query: found no characters, wanted a question")
    if not isinstance(documents, list):
        raise InputTypeError(f"documents: found {type(documents).__name__}, wanted a list of Documents")
    for i, one in enumerate(documents):
        if not isinstance(one, Document):
            raise InputTypeError(f"documents[{i}]: found {type(one).__name__}, wanted a Document")
    return list({one.id: one for one in reversed(documents)}.values())[::-1]


def _in_content(note: Noted, before: int, length: int) -> Noted:
    """A note whose characters count in the content alone, of which `before` others stood in front."""
    if not before:
        return note
    matches = []
    for one in note["matches"]:
        start, end = max(one["start"] - before, 0), min(one["end"] - before, length)
        if end > start:
            matches.append(Matched(start=start, end=end, weight=one["weight"], strength=one["strength"]))
    passage = note["passage"]
    if passage is not None:
        end = passage["end"] - before
        passage = Characters(start=max(passage["start"] - before, 0), end=end) if end > 0 else None
    return {**note, "passage": passage, "matches": matches}
