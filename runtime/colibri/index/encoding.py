"""The model of an index: loaded when the first text or question needs it, and how texts become passages and rows."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from colibri.encoding import LongDocuments
from colibri.index.about import NOWHERE, about
from colibri.index.document import Document
from colibri.index.ready import Given
from colibri.tokens import split
from colibri.vectors import Span, TokenVectors

if TYPE_CHECKING:
    from colibri.artefact import Manifest
    from colibri.model import Colibri

    Loader = Callable[[str | os.PathLike[str] | None], Colibri]

_CHUNK_TOKENS = 16_384


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
        self, documents: Iterable[Document], dim: int, *, passage_tokens: int | None, overlap_tokens: int
    ) -> Iterator[Encoded]:
        """Texts as int8 passages, as `passages` makes them."""
        found = self.passages(
            documents, [dim], TokenVectors.quantize, passage_tokens=passage_tokens, overlap_tokens=overlap_tokens
        )
        for one in found:
            yield Encoded(one.document, _joined(one.rows[dim], one.spans), one.spans)

    def passages(
        self,
        documents: Iterable[Document],
        dims: Sequence[int],
        stored: Callable[[TokenVectors], TokenVectors],
        *,
        passage_tokens: int | None,
        overlap_tokens: int,
    ) -> Iterator[Passages]:
        """Texts as passages of `passage_tokens` at most (None: each one passage, cut at the model's limit), as they are
        done, in order. The documents are read a few hundred ahead. stored: makes of a chunk's rows what is kept."""
        model = self.loaded()
        size = passage_tokens and min(passage_tokens, model.room_tokens)
        held: dict[int, Document] = {}
        owners: deque[tuple[int, int, Span]] = deque()  # of passages handed out: their number, document, place in it

        def texts() -> Iterator[str]:
            number = 0
            for place, document in enumerate(documents):
                assert document.text is not None
                held[place] = document
                spans = [Span(0, len(document.text))]
                if size:
                    overlap = min(overlap_tokens, size // 2)
                    spans = split(document.text, model.token_offsets, size, overlap, document.borders or ())
                for span in spans:
                    owners.append((number, place, span))
                    number += 1
                    yield document.text[span.start : span.end]
                if words := about(document.payload):
                    owners.append((number, place, NOWHERE))
                    number += 1
                    yield words

        # A passage that is longer alone than within its text still loses nothing: it becomes two windows.
        long: LongDocuments = "windows" if size else "truncate"
        parts: dict[int, list[TokenVectors]] = {dim: [] for dim in dims}
        spans: list[Span] = []
        current = 0
        for chunk in model.stream_documents(texts(), dims, chunk_tokens=_CHUNK_TOKENS, long_documents=long):
            sources = chunk[dims[0]].sources
            assert sources is not None
            kept = {dim: stored(vectors) for dim, vectors in chunk.items()}
            for i, source in enumerate(sources.tolist()):
                while owners[0][0] < source:
                    owners.popleft()
                _, place, span = owners[0]
                if place != current:
                    yield Passages(held.pop(current), tuple(spans), parts)
                    parts, spans, current = {dim: [] for dim in dims}, [], place
                for dim, vectors in kept.items():
                    parts[dim].append(_entry(vectors, i))
                spans.append(span)
        if spans:
            yield Passages(held.pop(current), tuple(spans), parts)


def _joined(parts: Sequence[TokenVectors], spans: Sequence[Span]) -> Given:
    """int8 passages end to end, at least one; their tokens' spans counted from the beginning of the document."""
    shifted = []
    for part, span in zip(parts, spans, strict=True):
        assert part.spans is not None
        known = (part.spans[:, 1] > 0)[:, None] & (span != NOWHERE)
        shifted.append(np.where(known, part.spans + np.int32(span.start), 0))
    return Given(
        np.concatenate([part.rows for part in parts]),
        [len(part.rows) for part in parts],
        np.concatenate([part.scales for part in parts if part.scales is not None]),
        np.concatenate(shifted),
    )


def _entry(chunk: TokenVectors, i: int) -> TokenVectors:
    """One passage of a chunk."""
    own = slice(chunk.starts[i], chunk.starts[i + 1])
    starts = np.array([0, own.stop - own.start], np.int64)
    spans = None if chunk.spans is None else chunk.spans[own]
    return TokenVectors(chunk.rows[own], starts, spans, scales=None if chunk.scales is None else chunk.scales[own])
