"""What results carry in the words of LangChain, LlamaIndex and Haystack: `metadata["colibri"]`, plain JSON.

    {"score": 5.1,                                   raw MaxSim
     "normalised": 0.71,                             over the sum of the query tokens' weights: at most 1
     "fit": "likely",                                by the model's cutoffs, None where it has none
     "passage": {"start": 0, "end": 240},            of the whole document's text: what was scored; None: not known
     "matches": [{"start": 11, "end": 14,            characters of the text that the result shows
                  "weight": 0.8, "strength": 1.0}]}  what it adds to the score; that over the most that a span adds

`colibri.compat.highlighting` shows them. No framework is imported here.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict, get_args

from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.artefact import Fit
    from colibri.explain import Match
    from colibri.index import Hit
    from colibri.model import Colibri

__all__ = ["Characters", "Content", "Matched", "Noted", "Ranked", "Shown", "matched", "reranked", "shown"]

Content = Literal["passage", "document"]


class Characters(TypedDict):
    """Characters start to end - 1 of a text."""

    start: int
    end: int


class Matched(Characters):
    """Characters of a result's text that answered the query."""

    weight: float
    strength: float


class Noted(TypedDict):
    """`metadata["colibri"]`."""

    score: float
    normalised: float
    fit: "Fit | None"
    passage: Characters | None
    matches: list[Matched]


class Shown(NamedTuple):
    """A hit as a framework's document: its text, and what `metadata["colibri"]` says."""

    text: str
    note: Noted


class Ranked(NamedTuple):
    """One of the texts that were ranked: its place among them, and what `metadata["colibri"]` says."""

    place: int
    note: Noted


def matched(
    found: "Sequence[Match]",
    text: str,
    start: int = 0,
    end: int | None = None,
    *,
    meaning: Callable[[str], float] | None = None,
) -> list[Matched]:
    """The spans of `colibri.explain.highlights` with their strengths, in order, none overlapping.

    found       `explain.matches` of a passage of `text`
    start, end  the part of `text` that is shown: spans beyond it are left out, and count from its beginning
    meaning     as `highlights` takes it

    Raises as `highlights` does.
    """
    from colibri.explain import answering_words, highlights

    end = len(text) if end is None else end
    # As highlights counts: in equal parts to the words that a token answered with.
    adding = [
        (word, max(one.weight, 0.0) / len(words))
        for one in found
        if one.query.end > one.query.start
        for words in [answering_words(text, one)]
        for word in words
    ]
    spans = []
    for span in highlights(found, text, meaning=meaning):
        weight = sum(part for word, part in adding if span.start <= word.start and word.end <= span.end)
        own = (max(span.start, start), min(span.end, end))
        if own[1] > own[0]:
            spans.append((*own, weight))
    most = max((weight for *_, weight in spans), default=0.0)
    return [Matched(start=a - start, end=b - start, weight=w, strength=w / most) for a, b, w in spans]


def shown(hit: "Hit", content: Content = "passage") -> Shown:
    """A hit of `search(..., explain=True)` for a framework's document.

    content  "passage": its best passage's text, whose place in the document the note says; "document": all of it

    The passage is the best one that is part of the text, as `Hit.highlights` takes it; where none is, the text is all
    of it and nothing is matched. Raises InputError for a document whose text the store does not keep, and for another
    content.
    """
    if content not in get_args(Content):
        raise InputError(f"content: found {content!r}, wanted {' or '.join(map(repr, get_args(Content)))}")
    if hit.text is None:
        raise InputError(
            f"{hit.id!r}: its text is not kept in the index, and a document needs one; add it with keep_text=True"
        )
    best = next((one for one in hit.passages if one.end > one.start), None)
    start, end = (0, len(hit.text)) if best is None or content == "document" else (best.start, best.end)
    note = Noted(
        score=hit.score,
        normalised=hit.normalised,
        fit=hit.fit,
        passage=None if best is None else Characters(start=best.start, end=best.end),
        matches=[] if best is None else matched(best.matches, hit.text, start, end),
    )
    return Shown(hit.text[start:end], note)


def reranked(model: "Colibri", query: str, texts: Sequence[str], k: int | None = None) -> list[Ranked]:
    """The k best of some texts by falling score, equal ones in their order: `Colibri.rerank` with matched spans.

    The scores are those of `rerank` to the bit. A text of any length is scored as one; what its model cuts off is in
    no passage. Of no texts nothing is asked. Raises as `rerank` does.
    """
    from colibri import checks
    from colibri.artefact import bounds, fit_of
    from colibri.explain import matches

    checks.optional_count("k", k)
    given = checks.listed_texts(texts, "texts")
    if not given:
        return []
    queries, docs = model.encode_queries([query]), model.encode_documents(given)
    scores = model.score(queries, docs)
    total = queries.weight or 1.0
    within = bounds(model.manifest, queries.dim, queries.weight)
    ranked = []
    for place in map(int, (-scores).argsort(kind="stable")[:k]):
        score, text = float(scores[place]), given[place]
        spans = None if docs.spans is None else docs.spans[docs.starts[place] : docs.starts[place + 1]]
        found = matches(queries, docs, place, spans)  # of rows as the model gives them: nothing is pooled here
        note = Noted(
            score=score,
            normalised=score / total,
            fit=fit_of(within, score),
            passage=None if spans is None else _extent(spans),
            matches=matched(found, text, meaning=model.word_weight),
        )
        ranked.append(Ranked(place, note))
    return ranked


def _extent(spans: Any) -> Characters | None:
    """From the first to the last character that a token stands for."""
    own = spans[spans[:, 1] > spans[:, 0]]
    return Characters(start=int(own[:, 0].min()), end=int(own[:, 1].max())) if len(own) else None
