"""Documents into an index: what `add`, `upsert` and `import_` do with what they are given."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import chain
from typing import Any, Protocol

from colibri.errors import InputTypeError, tell_committed
from colibri.index.core import Core
from colibri.index.document import Document, checked, payload_json, text_bytes
from colibri.index.encoding import Encoded, IndexModel
from colibri.index.ready import Given, given_rows, packed, passages_of
from colibri.index.rules import Rules
from colibri.index.staging import Staging
from colibri.index.storage.growing import Batch, Entry, there_is
from colibri.index.storage.row_layout import RowLayout
from colibri.index.storage.transaction import Transaction
from colibri.index.storage.words import cut_words
from colibri.machine import Progress, progress_bar
from colibri.vectors import Span

_BATCH_TOKENS = 65_536  # 4 MB of int8 at 64 dims
_BATCH_DOCUMENTS = 1_024
_BATCH_BYTES = 16 << 20  # of texts and payloads, where vectors come ready and texts may be long
_CHARACTERS_A_TOKEN = 4.0  # a first guess, for the bar


def ingest(
    core: Core,
    documents: Iterable[Document | Mapping[str, Any]],
    wanted: Rules,
    *,
    show: bool | Callable[[int], object],
) -> int:
    """Documents in one transaction, or several where the rules say so; how many.

    show: whether to show a bar, or what to call with tokens as they are encoded
    """
    if isinstance(documents, Mapping | str | Document) or not hasattr(documents, "__iter__"):
        raise InputTypeError(f"documents: found {type(documents).__name__}, wanted a list of documents")
    with _bar(documents, show is True) as bar, _work(core, wanted) as work:
        work.run(documents, core.model, show if callable(show) else bar.encoded, bar if show is True else None)
    return work.count


def import_(core: Core, found: Iterable[tuple[Document, Given, tuple[Span, ...]]], wanted: Rules) -> int:
    """Documents of an export, in one transaction; how many."""
    with _work(core, wanted) as work:
        work.import_(found)
    return work.count


@contextmanager
def _work(core: Core, wanted: Rules) -> Iterator["Ingest"]:
    """Committed at its end; when something is raised, what was not committed by then is taken back."""
    core.check_writable()
    layout = core.layout
    staging = Staging(core, layout, replace=wanted.replace, seconds=wanted.commit_every)
    work = Ingest(staging, wanted, layout, core.space_id, pool=core.pool, worded=core.has_words)
    try:
        yield work
        staging.commit()
    except BaseException as error:
        if wanted.commit_every is not None:
            tell_committed(error, work.committed)
        raise
    finally:
        staging.close()


def _bar(documents: Iterable[Document | Mapping[str, Any]], show: bool) -> AbstractContextManager[Progress]:
    """In characters, where all documents are there; a document counts as one more, so that none is nothing."""
    total = sum(_size(document) for document in documents) if show and isinstance(documents, Sequence) else None
    return progress_bar(total, "indexing", show, unit="", units_a_token=_CHARACTERS_A_TOKEN)


def _size(document: object) -> int:
    text = document.get("text") if isinstance(document, Mapping) else getattr(document, "text", None)
    return 1 + (len(text) if isinstance(text, str) else 0)


class Sink(Protocol):
    """Where documents go."""

    @property
    def is_due(self) -> bool:
        """Whether what is there should be committed now."""

    def knows(self, found_id: str) -> bool:
        """Whether there is a document of that id."""

    def add(self, batch: Batch) -> None:
        """Documents of different ids. Raises InputError for one that is there and must not be replaced."""

    def commit(self) -> None:
        """All that is there."""


class Within:
    """Documents go into a transaction that somebody else commits."""

    is_due = False

    def __init__(self, transaction: Transaction, *, replace: bool) -> None:
        self._transaction = transaction
        self._replace = replace

    def knows(self, found_id: str) -> bool:
        """See `Sink`."""
        return self._transaction.known([found_id]) is not None

    def add(self, batch: Batch) -> None:
        """See `Sink`."""
        self._transaction.add(batch, replace=self._replace)

    def commit(self) -> None:
        """Not here."""


class Ingest:
    """One call's documents: checked one by one, encoded or taken ready, quantised and handed on in batches."""

    def __init__(
        self, sink: Sink, rules: Rules, layout: RowLayout, space_id: str, *, pool: int, worded: bool = False
    ) -> None:
        """pool: of what is encoded here, as `TokenVectors.pooled`; rows that come ready are taken as they are.
        worded: whether words are cut here, before any lock; else by whoever commits, if they are kept"""
        self._pool = pool
        self._worded = worded
        self._sink = sink
        self._rules = rules
        self._layout = layout
        self._space_id = space_id
        self._batch: list[tuple[Encoded, str | None]] = []
        self._tokens = self._bytes = 0
        self._payloads: dict[int, str | None] = {}
        self._done: Callable[[int], object] = lambda tokens: None
        self._bar: Progress | None = None
        self.count = 0
        self.committed = 0

    def run(
        self,
        documents: Iterable[Document | Mapping[str, Any]],
        model: Callable[[], IndexModel],
        done: Callable[[int], object],
        bar: Progress | None = None,
    ) -> None:
        """All of them. model: called at the first text. done: called with tokens as they are encoded. bar: told which
        documents are cut and finished."""
        self._done, self._bar = done, bar
        source = self._checked(documents)
        text = next(source, None)
        if text is not None:
            encoded = model().documents(
                chain([text], source),
                self._layout,
                passage_tokens=self._rules.passage_tokens,
                overlap_tokens=self._rules.overlap_tokens,
                pool=self._pool,
                done=done,
                measured=bar.measured if bar is not None else None,
            )
            with closing(encoded):  # whatever ends the work, no thread of it goes on
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
                vectors = given_rows(document.vectors, self._layout.dim, self._space_id, where)
                self._done(len(vectors.rows))
                self._put(Encoded(document, vectors, passages_of(vectors, document.text)), payload)
                continue
            if not self._rules.replace and self._sink.knows(document.id):  # before the work of encoding it
                raise there_is(document.id)
            self._payloads[id(document)] = payload
            yield document

    def _put(self, encoded: Encoded, payload: str | None) -> None:
        document, tokens = encoded.document, len(encoded.vectors.rows)
        self._batch.append((encoded, payload))
        self._tokens += tokens
        self._bytes += len(document.text or "") + len(payload or "")
        self.count += 1
        if self._bar is not None:
            self._bar.finished(_size(document), tokens)
        due = self._sink.is_due
        full = self._tokens >= _BATCH_TOKENS or len(self._batch) >= _BATCH_DOCUMENTS or self._bytes >= _BATCH_BYTES
        if due or full:
            self._flush()
        if due:
            self._sink.commit()
            self.committed = self.count

    def _flush(self) -> None:
        """Hand on what is waiting. Of one id several times the last counts, where ids may be replaced."""
        waiting, self._batch, self._tokens, self._bytes = self._batch, [], 0, 0
        batch: dict[str, tuple[Encoded, str | None]] = {}
        for encoded, payload in waiting:
            if not self._rules.replace and encoded.document.id in batch:
                raise there_is(encoded.document.id)
            batch[encoded.document.id] = (encoded, payload)
        if not batch:
            return
        vectors = packed({found_id: encoded.vectors for found_id, (encoded, _) in batch.items()}, self._layout)
        self._sink.add(Batch([self._entry(encoded, payload) for encoded, payload in batch.values()], vectors))

    def _entry(self, encoded: Encoded, payload: str | None) -> Entry:
        text = encoded.document.text
        kept = text_bytes(text) if text is not None and self._rules.keep_text else None
        words = cut_words(kept, payload, encoded.passages) if self._worded else None
        return Entry(encoded.document.id, kept, payload, encoded.passages, words)
