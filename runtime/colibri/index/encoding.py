"""The model of an index: loaded when the first text or question needs it, and how texts become passages and rows."""

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from colibri.encoding import ByText, LongDocuments
from colibri.index.about import NOWHERE, about
from colibri.index.document import Document
from colibri.index.ready import Given
from colibri.index.storage.row_layout import RowLayout
from colibri.pooling import spans_within
from colibri.tokens import split
from colibri.vectors import Span, Spans, TokenVectors

if TYPE_CHECKING:
    from colibri.artefact import Manifest
    from colibri.model import Colibri

    Loader = Callable[[str | os.PathLike[str] | None], Colibri]

_TOLD_TOKENS = 256
_CHUNK_TOKENS = 1_024  # a second of work: documents come out as they are done


@dataclass(slots=True, eq=False)
class Encoded:
    """A document with the rows of its passages."""

    document: Document
    vectors: Given
    passages: tuple[Span, ...]


@dataclass(slots=True, eq=False)
class Passages:
    """A document's passages: their characters, and of each width their rows, one TokenVectors of one text a passage.

    The tokens' spans count from the beginning of the passage.
    """

    document: Document
    spans: tuple[Span, ...]
    rows: dict[int, list[TokenVectors]]


class IndexModel:
    """What encodes for an index; threads may share it."""

    def __init__(self, given: "Colibri | str | os.PathLike[str] | None", load: "Loader | None" = None) -> None:
        """given: a loaded model, or what `load` takes (None: `colibri.load`)."""
        from colibri import artefact  # noqa: PLC0415 - an index of ready vectors needs none of it
        from colibri.model import Colibri  # noqa: PLC0415

        self._lock = threading.Lock()
        self._load = load
        self._loaded: Colibri | None = given if isinstance(given, Colibri) else None
        self._source = None if isinstance(given, Colibri) else given
        self.manifest: Manifest = given.manifest if isinstance(given, Colibri) else artefact.find(given).manifest

    @property
    def name(self) -> str:
        """What loads it again: a path, a hub id or a shipped name."""
        return self.manifest.name if self._source is None else os.fspath(self._source)

    @property
    def given(self) -> "Colibri | str | os.PathLike[str] | None":
        """What it was made of."""
        return self._loaded if self._source is None else self._source

    def loaded(self) -> "Colibri":
        """The model, loaded once."""
        with self._lock:
            if self._loaded is None:
                from colibri.model import load as load_default  # noqa: PLC0415

                self._loaded = (self._load or load_default)(self._source)
            return self._loaded

    def queries(self, texts: list[str], dim: int) -> TokenVectors:
        """Questions as vectors."""
        return self.loaded().encode_queries(texts, dim)

    def documents(
        self,
        documents: Iterable[Document],
        layout: RowLayout,
        *,
        passage_tokens: int | None,
        overlap_tokens: int,
        pool: int = 1,
        done: Callable[[int], object] | None = None,
        measured: Callable[[int, int], object] | None = None,
    ) -> Generator[Encoded]:
        """Texts as passages, made by `passages`, of rows as an index keeps them. pool: see `TokenVectors.pooled`."""
        found = self.passages(
            documents,
            [layout.dim],
            lambda vectors: vectors.pooled(pool).quantize(layout.kind),
            passage_tokens=passage_tokens,
            overlap_tokens=overlap_tokens,
            done=done,
            measured=measured,
        )
        with closing(found):
            for one in found:
                yield Encoded(one.document, _joined(one.rows[layout.dim], one.spans), one.spans)

    def passages(
        self,
        documents: Iterable[Document],
        dims: Sequence[int],
        stored: Callable[[TokenVectors], TokenVectors],
        *,
        passage_tokens: int | None,
        overlap_tokens: int,
        done: Callable[[int], object] | None = None,
        measured: Callable[[int, int], object] | None = None,
    ) -> Generator[Passages]:
        """Texts as passages of `passage_tokens` at most (None: each one passage, cut at the model's limit), as they are
        done, in order. The documents are read some passages ahead.

        stored    makes of a chunk's rows what is kept
        done      called with tokens as they are encoded, in this thread: once for a short document, every _TOLD_TOKENS
                  or so of a long one
        measured  called with a text's characters and tokens when it is cut
        """
        model = self.loaded()
        cut = _Cut(model, passage_tokens, overlap_tokens, measured)
        under_way: deque[_UnderWay] = deque()
        owners: dict[int, _UnderWay] = {}

        def texts() -> Iterator[str]:
            for document in documents:
                spans = cut.spans(document)
                under_way.append(_UnderWay(document, spans, done))
                for span in spans:
                    owners[len(owners) + first] = under_way[-1]
                    yield about(document.payload) if span is NOWHERE else (document.text or "")[span.start : span.end]

        # A passage that is longer alone than within its text still loses nothing: it becomes two windows.
        long: LongDocuments = "windows" if cut.size else "truncate"
        first = 0  # which of all passages the first one of the document under way is
        for chunk in model.stream_documents(
            texts(),
            dims,
            chunk_tokens=_CHUNK_TOKENS,
            long_documents=long,
            progress=ByText(lambda passage, tokens: owners[passage].tell(tokens)),
        ):
            given = chunk[dims[0]].sources
            assert given is not None
            sources = given.tolist()
            kept = {dim: stored(vectors) for dim, vectors in chunk.items()}
            for source, entries in groupby(range(len(sources)), sources.__getitem__):  # all windows of a passage
                one, windows = under_way[0], list(entries)
                one.add({dim: [_entry(rows, i) for i in windows] for dim, rows in kept.items()}, source - first)
                if source - first == len(one.spans) - 1:
                    for passage in range(first, source + 1):
                        del owners[passage]
                    first = source + 1
                    one.tell_rest()
                    yield under_way.popleft().encoded()


class _Cut:
    """How texts become passages."""

    def __init__(
        self,
        model: "Colibri",
        passage_tokens: int | None,
        overlap_tokens: int,
        measured: Callable[[int, int], object] | None,
    ) -> None:
        self._model = model
        self.size = passage_tokens and min(passage_tokens, model.room_tokens)
        self._overlap = min(overlap_tokens, (self.size or 0) // 2)
        self._measured = measured
        self._tokens = 0

    def spans(self, document: Document) -> list[Span]:
        """Passages by their characters, and NOWHERE for words about the document, where there are any."""
        assert document.text is not None
        spans = [Span(0, len(document.text))]
        if self.size:
            self._tokens = 0
            spans = split(document.text, self._offsets, self.size, self._overlap, document.borders or ())
            if self._measured is not None and self._tokens:
                self._measured(len(document.text), self._tokens + self._overlap * (len(spans) - 1))
        return [*spans, NOWHERE] if about(document.payload) else [*spans]

    def _offsets(self, text: str) -> Spans:
        found = self._model.token_offsets(text)
        self._tokens += len(found)
        return found


class _UnderWay:
    """A document whose passages are being encoded."""

    def __init__(self, document: Document, spans: list[Span], done: Callable[[int], object] | None) -> None:
        self._document = document
        self._done = done
        self._untold = 0
        self.spans = spans
        self._rows: dict[int, list[TokenVectors]] = {}
        self._of_rows: list[Span] = []

    def add(self, rows: dict[int, list[TokenVectors]], place: int) -> None:
        """Of the passage at a place, in order: of each width as many."""
        for dim, parts in rows.items():
            self._rows.setdefault(dim, []).extend(parts)
        self._of_rows += [self.spans[place]] * len(next(iter(rows.values())))

    def tell(self, tokens: int) -> None:
        """So many tokens of it were encoded."""
        self._untold += tokens
        if self._untold >= _TOLD_TOKENS:
            self.tell_rest()

    def tell_rest(self) -> None:
        """Say what was not said."""
        untold, self._untold = self._untold, 0
        if untold and self._done is not None:
            self._done(untold)

    def encoded(self) -> Passages:
        """All of it."""
        return Passages(self._document, tuple(self._of_rows), self._rows)


def _joined(parts: Sequence[TokenVectors], spans: Sequence[Span]) -> Given:
    """Passages end to end, at least one; their tokens' spans counted from the beginning of the document."""
    shifted, further = [], []
    before = 0
    for part, span in zip(parts, spans, strict=True):
        assert part.spans is not None
        known = (part.spans[:, 1] > 0)[:, None] & (span != NOWHERE)
        shifted.append(np.where(known, part.spans + np.int32(span.start), 0))
        if part.more_spans is not None and span != NOWHERE:
            further.append(part.more_spans + np.array([before, span.start, span.start], np.int32))
        before += len(part.rows)
    return Given(
        np.concatenate([part.rows for part in parts]),
        [len(part.rows) for part in parts],
        np.concatenate([part.scales for part in parts if part.scales is not None]),
        np.concatenate(shifted),
        np.concatenate(further) if further else None,
    )


def _entry(chunk: TokenVectors, i: int) -> TokenVectors:
    """One passage of a chunk."""
    own = slice(chunk.starts[i], chunk.starts[i + 1])
    starts = np.array([0, own.stop - own.start], np.int64)
    spans = None if chunk.spans is None else chunk.spans[own]
    scales = None if chunk.scales is None else chunk.scales[own]
    more = spans_within(chunk.more_spans, own.start, own.stop)
    return TokenVectors(chunk.rows[own], starts, spans, scales=scales, more_spans=more)
