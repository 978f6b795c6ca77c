"""Documents into a transaction: checked one by one, encoded or taken ready, quantised and written in batches."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

import numpy as np

from colibri import checks
from colibri.errors import InputError, InputTypeError
from colibri.explain import Span
from colibri.index.core import Core
from colibri.index.document import Document, checked, payload_json, ready, text_bytes
from colibri.index.encoding import Encoded, IndexModel
from colibri.index.transaction import Transaction
from colibri.progress import progress
from colibri.vectors import Spans, TokenVectors, quantised_rows

_BATCH_TOKENS = 65_536  # 4 MB of int8 at 64 dims
_BATCH_DOCUMENTS = 1_024


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How documents come in.

    replace         whether an id that is there is replaced; else it is an error
    keep_text       whether texts are stored
    passage_tokens  of long texts' passages; None: a text is one passage
    """

    replace: bool
    keep_text: bool
    passage_tokens: int | None
    overlap_tokens: int


def rules(replace: bool, split: bool, passage_tokens: int, overlap_tokens: int, keep_text: bool) -> Rules:
    """Rules of what a caller gave. Raises InputError."""
    if not checks.is_count(passage_tokens):
        raise InputError(f"passage_tokens: found {passage_tokens!r}, wanted a whole number from 1")
    if overlap_tokens != 0 and not checks.is_count(overlap_tokens):
        raise InputError(f"overlap_tokens: found {overlap_tokens!r}, wanted a whole number from 0")
    return Rules(
        replace=replace,
        keep_text=keep_text,
        passage_tokens=passage_tokens if split else None,
        overlap_tokens=overlap_tokens,
    )


def ingest(
    core: Core,
    documents: Iterable[Document | Mapping[str, Any]],
    wanted: Rules,
    *,
    show: bool | Callable[[int], object],
) -> int:
    """Documents in one transaction; how many. show: whether to show a bar, or what to call for each document."""
    if isinstance(documents, Mapping | str | Document) or not hasattr(documents, "__iter__"):
        raise InputTypeError(f"documents: found {type(documents).__name__}, wanted a list of documents")
    total = len(documents) if isinstance(documents, Sequence) else None
    with core.writing() as transaction, progress(total, "indexing", show is True) as bar:
        work = Ingest(transaction, wanted, core.dim, core.space_id)
        work.run(documents, core.model, show if callable(show) else bar)
    return work.count


class Ingest:
    """One call's documents on their way into one transaction."""

    def __init__(self, transaction: Transaction, rules: Rules, dim: int, space_id: str) -> None:
        self._transaction = transaction
        self._rules = rules
        self._dim = dim
        self._space_id = space_id
        self._batch: list[tuple[Encoded, str | None]] = []
        self._tokens = 0
        self._payloads: dict[int, str | None] = {}
        self._done: Callable[[int], object] = lambda tokens: None
        self.count = 0

    def run(
        self,
        documents: Iterable[Document | Mapping[str, Any]],
        model: Callable[[], IndexModel],
        done: Callable[[int], object],
    ) -> None:
        """All of them. model: called at the first text. done: called with the tokens of each document."""
        self._done = done
        source = self._checked(documents)
        text = next(source, None)
        if text is not None:
            encoded = model().documents(
                chain([text], source),
                self._dim,
                passage_tokens=self._rules.passage_tokens,
                overlap_tokens=self._rules.overlap_tokens,
            )
            for one in encoded:
                self._put(one, self._payloads.pop(id(one.document)))
        self._flush()

    def _checked(self, documents: Iterable[Document | Mapping[str, Any]]) -> Iterator[Document]:
        """Those that have to be encoded; ready ones are put by the way."""
        for place, given in enumerate(documents):
            document = checked(given, place)
            where = f"documents[{place}] ({document.id!r})"
            payload = payload_json(document.payload, where)
            if not self._rules.replace and self._transaction.knows(document.id):
                raise InputError(f"{where}: there is such a document; `upsert` replaces it")
            if document.vectors is not None:
                vectors = ready(document.vectors, self._dim, self._space_id, where)
                self._put(Encoded(document, vectors, _passages_of(vectors, document.text)), payload)
                continue
            self._payloads[id(document)] = payload
            yield document

    def _put(self, encoded: Encoded, payload: str | None) -> None:
        self._batch.append((encoded, payload))
        self._tokens += len(encoded.vectors.rows)
        self.count += 1
        self._done(len(encoded.vectors.rows))
        if self._tokens >= _BATCH_TOKENS or len(self._batch) >= _BATCH_DOCUMENTS:
            self._flush()

    def _flush(self) -> None:
        """Write what is waiting. Of one id several times the last counts."""
        batch = list({encoded.document.id: (encoded, payload) for encoded, payload in self._batch}.values())
        if not self._rules.replace and len(batch) < len(self._batch):
            seen: set[str] = set()
            for encoded, _ in self._batch:
                if encoded.document.id in seen:
                    raise InputError(f"documents: {encoded.document.id!r} is given twice; `upsert` takes the later one")
                seen.add(encoded.document.id)
        self._batch, self._tokens = [], 0
        if not batch:
            return
        transaction = self._transaction
        passages, numbers = [], []
        for encoded, _ in batch:
            found = encoded.document.id
            if self._rules.replace:
                transaction.remove(found)
            elif transaction.knows(found):
                raise InputError(f"documents: {found!r} is given twice; `upsert` takes the later one")
            numbers.append(transaction.number())
            passages += [(numbers[-1], start, end) for start, end in encoded.passages]
        slot = transaction.append(_packed([encoded.vectors for encoded, _ in batch], self._dim), passages)
        for number, (encoded, payload) in zip(numbers, batch, strict=True):
            text = encoded.document.text
            kept = text_bytes(text) if text is not None and self._rules.keep_text else None
            count = len(encoded.passages)
            transaction.put(number, encoded.document.id, kept, payload, slot, count)
            slot += count


def _packed(parts: list[TokenVectors], dim: int) -> TokenVectors:
    """All of them as int8, end to end. Spans where a part has none say that nobody knows: (0, 0)."""
    tokens = sum(len(part.rows) for part in parts)
    rows, scales = np.empty((tokens, dim), np.int8), np.empty(tokens, np.float32)
    at = 0
    for dtype, group in groupby(parts, key=lambda part: part.rows.dtype):
        run = list(group)
        length = sum(len(part.rows) for part in run)
        own = slice(at, at + length)
        given = run[0].rows if len(run) == 1 else np.concatenate([part.rows for part in run])
        if dtype == np.int8:
            rows[own] = given
            scales[own] = np.concatenate([part.scales for part in run if part.scales is not None])
        else:
            rows[own], scales[own] = quantised_rows(given)
        at += length
    starts = np.zeros(1 + sum(len(part) for part in parts), np.int64)
    np.cumsum(np.concatenate([np.diff(part.starts) for part in parts]), out=starts[1:])
    spans: Spans | None = None
    if any(part.spans is not None for part in parts):
        spans = np.concatenate(
            [np.zeros((len(part.rows), 2), np.int32) if part.spans is None else part.spans for part in parts]
        )
    return TokenVectors(rows, starts, spans, scales=scales)


def _passages_of(vectors: TokenVectors, text: str | None) -> tuple[Span, ...]:
    """Which characters ready passages are: what their tokens' spans say, else all of the text for a single one."""
    if vectors.spans is None:
        whole = Span(0, len(text)) if text is not None and len(vectors) == 1 else Span(0, 0)
        return (whole,) * len(vectors)
    found = []
    for begin, end in zip(vectors.starts[:-1].tolist(), vectors.starts[1:].tolist(), strict=True):
        spans = vectors.spans[begin:end]
        spans = spans[spans[:, 1] > spans[:, 0]]
        found.append(Span(int(spans[:, 0].min()), int(spans[:, 1].max())) if len(spans) else Span(0, 0))
    return tuple(found)
