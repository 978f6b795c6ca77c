"""How far a run is: tokens as they are encoded, bytes of finished files, and how much fits between two commits."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, cast, runtime_checkable

from colibri.files.walk import Found
from colibri.index import Document

_FIRST_CHARACTERS = 16_000  # of the first batch, of which nobody knows yet how long it takes
_FEWEST_CHARACTERS = 4_000
_SAMPLE = 2_000  # characters
_SAMPLES = 16
_BYTES_A_TOKEN = 4.0
_OVERLAP = 1.1  # passages overlap, and have tokens of their own


@runtime_checkable
class Counter(Protocol):
    """What wants to know more than tokens: `colibri.machine.progress.Progress`, in bytes of files."""

    total: float | None

    def encoded(self, tokens: int) -> None:
        """So many tokens more."""

    def finished(self, units: float, tokens: int) -> None:
        """So many bytes of files more."""

    def measured(self, units: float, tokens: int) -> None:
        """So many bytes of files that come next are about so many tokens."""


class Pace:
    """Of one run. Threads don't share it.

    tokens      encoded so far
    characters  of the documents that were encoded
    files       that are in the index now
    kept        tokens of these; others are encoded, but not committed yet
    """

    def __init__(
        self,
        done: Callable[[int], object],
        count_tokens: Callable[[str], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """done: called with tokens, or a `Counter`. count_tokens: of a text, for samples."""
        self._done = done
        self._counter = cast(Counter, done) if isinstance(done, Counter) else None
        self._count_tokens = count_tokens
        self._clock = clock
        self._begun = clock()
        self._sampled = [0, 0, 0]  # texts, bytes, tokens
        self.kept = 0
        self._a_second: float | None = None
        self.tokens = 0
        self.characters = 0
        self.files = 0

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self._clock() - self._begun

    def encoded(self, tokens: int) -> None:
        """So many more."""
        self.tokens += tokens
        if self._counter is None:
            self._done(tokens)
        else:
            self._counter.encoded(tokens)

    def finished(self, one: Found) -> None:
        """A file is in the index; what was encoded since the last one was of it."""
        self.files += 1
        tokens, self.kept = self.tokens - self.kept, self.tokens
        if self._counter is not None:
            self._counter.finished(one.size_bytes, tokens)

    def grew(self, size_bytes: int) -> None:
        """A file is larger by so much than it was when all files were counted."""
        if size_bytes and self._counter is not None and self._counter.total:
            self._counter.total = max(self._counter.total + size_bytes, 1)

    def passed(self, one: Found) -> None:
        """Nothing of a file is to be encoded."""
        if self._counter is not None and self._counter.total:
            self._counter.total = max(self._counter.total - one.size_bytes, 1)

    def expect(self, documents: Sequence[Document], files: Sequence[Found]) -> None:
        """All documents of some files come next."""
        if self._counter is None:
            return
        size = 0
        for document in documents:
            text = document.text or ""
            size += len(text.encode("utf-8", "replace"))
            if self._sampled[0] < _SAMPLES and text:
                sample = text[len(text) // 2 :][:_SAMPLE]
                found = (1, len(sample.encode("utf-8", "replace")), self._count_tokens(sample))
                self._sampled = [have + more for have, more in zip(self._sampled, found, strict=True)]
        _, sampled, tokens = self._sampled
        bytes_a_token = sampled / tokens if tokens else _BYTES_A_TOKEN
        self._counter.measured(sum(one.size_bytes for one in files), int(size / bytes_a_token * _OVERLAP) + 1)

    def counted(self, documents: Iterator[Document]) -> Iterator[Document]:
        """Documents on their way to be encoded."""
        for document in documents:
            self.characters += len(document.text or "")
            yield document

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Work on documents that were counted."""
        begun, before = self._clock(), self.characters
        yield
        seconds, done = self._clock() - begun, self.characters - before
        if seconds > 0 and done:
            self._a_second = done / seconds

    def characters_in(self, seconds: float) -> int:
        """How many were encoded in such a time, of late."""
        if self._a_second is None:
            return _FIRST_CHARACTERS
        return max(int(self._a_second * seconds), _FEWEST_CHARACTERS)
