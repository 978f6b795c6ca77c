"""Documents into a transaction: checked one by one, encoded or taken ready, quantised and written in batches."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from colibri import checks
from colibri.errors import InputError, InputTypeError
from colibri.index.core import Core
from colibri.index.document import Document, checked, payload_json, text_bytes
from colibri.index.encoding import Encoded, IndexModel
from colibri.index.ready import Given, given_rows, packed, passages_of
from colibri.index.storage.transaction import Transaction
from colibri.machine import progress_bar
from colibri.vectors import Span

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
    with core.writing() as transaction, progress_bar(total, "indexing", show is True) as bar:
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

    def import_(self, found: Iterable[tuple[Document, Given, tuple[Span, ...]]]) -> None:
        """Documents of an export."""
        for place, (document, given, passages) in enumerate(found):
            document = checked(document, place, ready=True)  # noqa: PLW2901
            payload = payload_json(document.payload, f"documents[{place}] ({document.id!r})")
            self._put(Encoded(document, given, passages), payload)
        self._flush()

    def _checked(self, documents: Iterable[Document | Mapping[str, Any]]) -> Iterator[Document]:
        """Those that have to be encoded; ready ones are put by the way."""
        for place, given in enumerate(documents):
            document = checked(given, place)
            where = f"documents[{place}] ({document.id!r})"
            payload = payload_json(document.payload, where)
            if document.vectors is not None:
                vectors = given_rows(document.vectors, self._dim, self._space_id, where)
                self._put(Encoded(document, vectors, passages_of(vectors, document.text)), payload)
                continue
            if not self._rules.replace and self._transaction.knows(document.id):  # before the work of encoding it
                raise _there_is(document.id)
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
        """Write what is waiting. Of one id several times the last counts, where ids may be replaced."""
        waiting, self._batch, self._tokens = self._batch, [], 0
        batch = {encoded.document.id: (encoded, payload) for encoded, payload in waiting}
        transaction = self._transaction
        if not self._rules.replace:
            seen: set[str] = set()
            for encoded, _ in waiting:
                if encoded.document.id in seen or transaction.knows(encoded.document.id):
                    raise _there_is(encoded.document.id)
                seen.add(encoded.document.id)
        if not batch:
            return
        if self._rules.replace:
            transaction.remove(batch)
        passages: list[tuple[int, int, int]] = []
        numbers = []
        for encoded, _ in batch.values():
            number = transaction.number()
            numbers.append(number)
            passages += [(number, start, end) for start, end in encoded.passages]
        vectors = packed({found_id: encoded.vectors for found_id, (encoded, _) in batch.items()}, self._dim)
        slot = transaction.append(vectors, passages)
        for number, (encoded, payload) in zip(numbers, batch.values(), strict=True):
            text = encoded.document.text
            kept = text_bytes(text) if text is not None and self._rules.keep_text else None
            count = len(encoded.passages)
            transaction.put(number, encoded.document.id, kept, payload, slot, count)
            slot += count
        transaction.flush()


def _there_is(found_id: str) -> InputError:
    return InputError(f"documents: {found_id!r} is there already, or given twice; `upsert` replaces")
