"""Texts to TokenVectors: tokenise, run, drop the rows that do not count.

On a CPU every text runs alone at its own length: nothing is padded, so its rows cannot depend on the texts beside it.
That holds for int8 bit for bit, where even two texts of one length in a batch would share an activation scale.

Queries and documents have a session each over the same weights. A query uses all cores, because somebody waits for it,
unless it is so short that one is faster; a document uses one, and as many documents run at once as there are workers.

On an accelerator texts of like length run together (`runner`, `batches`).
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from colibri.artefact import Artefact, Role, RoleName
from colibri.encoding.lengths import with_lengths
from colibri.encoding.loaded import Limits
from colibri.encoding.order import ByText, Order
from colibri.encoding.packing import Chunk, Entry, Report, joined, stored
from colibri.encoding.runner import Runner
from colibri.encoding.session import Interrupt
from colibri.encoding.workers import Job, Outcome
from colibri.errors import ArtefactError, InputError, InputTypeError
from colibri.machine import give_back, progress_bar
from colibri.providers import Choice, Choices, Provider
from colibri.tokens import Encoded, TextTokenizer
from colibri.vectors import Rows, Spans, TokenVectors

log = logging.getLogger(__name__)

_CHUNK_TOKENS = 65_536  # 32 MB of float32 at 128 dims
_AHEAD_CHARACTERS = 2_048  # of a stream's window, for each worker: with three windows none of them waits
_TIDY_TOKENS = 20_000  # of colibri-mini some two seconds of work, after which 2 ms do not show


class Encoder:
    """Runs the graphs of one variant. Threads may share it: together they have no more runs under way than workers."""

    def __init__(
        self,
        artefact: Artefact,
        choice: Choice | Choices,
        tokenizer: Callable[[], TextTokenizer],
        *,
        threads: int | None = None,
        workers: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        """choice: or several, best first. tokenizer: makes it, while sessions load. Limits as in `loaded.Limits`; a
        single worker has the queries' session, and all their cores."""
        self._manifest = artefact.manifest
        choices = Choices((choice,), ()) if isinstance(choice, Choice) else choice
        limits = limits or Limits(threads=threads, workers=workers)
        # onnxruntime loads without the GIL, which a tokenizer of 250,002 pieces holds for 0.5 s and more.
        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(Runner, artefact, choices, limits)
            self._tokenizer = tokenizer()
        self._runner = loading.result()
        self._since_tidy = 0
        roles: tuple[RoleName, RoleName] = ("query", "document")
        self._weights: dict[RoleName, NDArray[np.float32] | None] = {
            role: _token_weights(artefact, artefact.manifest.role(role).weights_file) for role in roles
        }
        query = self._weights["query"]
        self._heaviest = 1.0 if query is None else max(float(query.max()), 1e-9)

    @property
    def provider(self) -> Provider:
        """What runs now: an accelerator that fails makes way for the CPU."""
        return self._runner.provider

    @property
    def workers(self) -> int:
        """Runs at once at most."""
        return self._runner.workers

    def word_weight(self, word: str) -> float:
        """See `Colibri.word_weight`."""
        weights = self._weights["query"]
        if weights is None:
            return 1.0
        return float(weights[self._tokenizer.ids(word)].sum() / self._heaviest)

    def job(self, texts: Iterable[str], order: Order, *, stream: bool = False) -> Job[Entry]:
        """The work on these texts, not begun: `chunks` does it, `Job.stop` ends it from another thread.

        stream: whether somebody waits for the first chunk, so that texts which run alone are read few at a time
        """
        rules = self._rules(order)

        def run(encoded: Encoded, interrupt: Interrupt) -> Entry:
            return together.run([encoded], interrupt)[0]

        together = _Together(self._runner, order, self._weights[order.role])
        few = stream and self._runner.alone
        characters = _AHEAD_CHARACTERS * self.workers if few else None
        return Job(texts, self._tokenise(rules, order), run, lambda: self.workers, together, characters=characters)

    def encode(self, texts: Iterable[str], role: RoleName, dims: Iterable[int]) -> dict[int, TokenVectors]:
        """Texts at one or several dims from a single run of the backbone each."""
        order = Order(role=role, dims=tuple(dims))
        return self.gather(self.job(texts, order), order)

    def gather(
        self,
        job: Job[Entry],
        order: Order,
        *,
        report: Report | None = None,
        total: int | None = None,
        show: bool | Callable[[int], object] | ByText = False,
    ) -> dict[int, TokenVectors]:
        """All of a job at each dim. Where nothing was left out or split, `sources` is None. Options as in `chunks`."""
        counts = report or Report()
        before = len(counts.failed) + counts.split
        chunks = list(self.chunks(job, order, report=counts, total=total, show=show))
        found = {dim: joined([chunk.pop(dim) for chunk in chunks]) for dim in order.dims}
        if len(counts.failed) + counts.split > before:
            return found
        return {dim: replace(vectors, sources=None) for dim, vectors in found.items()}

    def chunks(
        self,
        job: Job[Entry],
        order: Order,
        *,
        report: Report,
        chunk_tokens: int = _CHUNK_TOKENS,
        total: int | None = None,
        show: bool | Callable[[int], object] | ByText = False,
    ) -> Iterator[dict[int, TokenVectors]]:
        """A job in parts of `chunk_tokens` rows or a little more, whole texts each; a last, empty one if none was full.

        report: counts are added to it. total: how many texts there will be, for the bar that `show` asks for. show: may
        also be called with the rows kept of each entry, as soon as it is done.
        """
        weighted = self._weights[order.role] is not None
        chunk = Chunk(order.dims, order.dtype, self._manifest.space_id, weighted=weighted)
        yielded = False
        # Closed here: an error that somebody keeps keeps this frame, and that would keep the threads.
        bar = progress_bar(total, f"encoding {order.role} texts", show is True, terminal_only=False)
        with bar as progress, closing(iter(job)) as outcomes:
            if isinstance(show, ByText):
                job.tell = lambda index, entry: show.done(index, len(entry.spans))
            elif callable(show):
                job.tell = lambda index, entry: show(len(entry.spans))
            elif show:
                job.tell = lambda index, entry: progress.encoded(entry.tokens)
            for outcome in outcomes:
                entries = _entries(outcome, order, report)
                for entry in entries:
                    chunk.add(entry, outcome.index)
                tokens = sum(entry.tokens for entry in entries)
                progress.finished(1, tokens)
                self._tidy(tokens)
                if chunk.tokens >= chunk_tokens:
                    yield chunk.pack()
                    yielded = True
        if chunk.tokens or not yielded:
            yield chunk.pack()
        if report.truncated:
            cut_at = self._rules(order).max_tokens
            log.info("%d of %d %s texts were cut at %d tokens", report.truncated, report.texts, order.role, cut_at)

    def _rules(self, order: Order) -> Role:
        return order.rules or self._manifest.role(order.role)

    def _tidy(self, tokens: int) -> None:
        self._since_tidy += tokens  # of calls at once some may get lost, which does no harm
        if self._since_tidy >= _TIDY_TOKENS:
            self._since_tidy = 0
            give_back()

    def row_tokens(self, texts: Sequence[str], role: RoleName) -> list[list[str]]:
        """The token behind each row that a text gets, as the vocabulary spells it."""
        encoded = self._tokenizer.encode(texts, self._manifest.role(role))
        return [self._tokenizer.tokens(one.ids[one.keep].tolist()) for one in encoded]

    def laid_out(self, texts: Sequence[str], rules: Role) -> list[Encoded]:
        """Texts as the model is given them."""
        return self._tokenizer.encode(texts, rules)

    def room(self, rules: Role) -> int:
        """How many tokens of a text fit."""
        return self._tokenizer.room(rules)

    def rules(self, role: RoleName, max_tokens: object = None, expand_to: object = None) -> Role:
        """The rules of a role, with lengths of a call's own. Raises InputError for lengths that cannot be."""
        own = self._manifest.role(role)
        if max_tokens is None and expand_to is None:
            return own
        frame = own.max_tokens - self._tokenizer.room(own)
        longest = self._runner.longest
        return with_lengths(own, role, frame=frame, longest=longest, max_tokens=max_tokens, expand_to=expand_to)

    def offsets(self, text: str) -> Spans:
        """The characters behind each token of a text: (tokens, 2) int32."""
        return self._tokenizer.offsets(text)

    def _tokenise(self, rules: Role, order: Order) -> Callable[[list[str]], list[list[Encoded]]]:
        def tokenise(texts: list[str]) -> list[list[Encoded]]:
            for text in texts:
                if not isinstance(text, str):
                    raise InputTypeError(f"found {type(text).__name__}, wanted str")
            if order.long == "windows":
                return self._tokenizer.encode_windows(texts, rules, order.overlap)
            encoded = self._tokenizer.encode(texts, rules)
            for one in encoded if order.long == "error" else ():
                if one.truncated:
                    raise InputError(f"{one.truncated} tokens more than the {rules.max_tokens} that fit")
            return [[one] for one in encoded]

        return tokenise


class _Together:
    """Runs entries as a call asks for, alone or several at once as the runner groups them."""

    def __init__(self, runner: Runner, order: Order, weights: NDArray[np.float32] | None) -> None:
        self._runner = runner
        self._order = order
        self._weights = weights

    def groups(self, entries: Sequence[Encoded]) -> list[list[int]]:
        return self._runner.groups(entries)

    def run(self, entries: Sequence[Encoded], interrupt: Interrupt) -> list[Entry]:
        rows = self._runner.run(entries, self._order.role, self._order.dims, interrupt)
        return [self._entry(encoded, found) for encoded, found in zip(entries, rows, strict=True)]

    def _entry(self, encoded: Encoded, rows: list[Rows]) -> Entry:
        kept = {
            dim: stored(result[encoded.keep], self._order.dtype)
            for dim, result in zip(self._order.dims, rows, strict=True)
        }
        return Entry(
            {dim: own for dim, (own, _) in kept.items()},
            {dim: scales for dim, (_, scales) in kept.items() if scales is not None},
            encoded.spans[encoded.keep],
            None if self._weights is None else self._weights[encoded.ids[encoded.keep]],
            len(encoded.ids),
            encoded.truncated,
        )


def _entries(outcome: Outcome[Entry], order: Order, report: Report) -> list[Entry]:
    """The entries of a text in their order, counted; none where it failed and may be left out."""
    report.texts += 1
    if outcome.error is not None:
        said = f"{order.what}[{outcome.index}]: {outcome.error}"
        if not order.skip:
            raise type(outcome.error)(said) from outcome.error
        log.warning("%s; it was left out", said)
        report.failed[outcome.index] = outcome.error
        return []
    entries = [outcome.made[place] for place in range(len(outcome.made))]
    report.add(outcome.index, entries)
    return entries


def _token_weights(artefact: Artefact, name: str | None) -> NDArray[np.float32] | None:
    if name is None:
        return None
    weights = np.fromfile(artefact.path(name), "<f4").astype(np.float32)
    vocabulary = artefact.manifest.architecture.vocabulary
    if weights.shape != (vocabulary,):
        raise ArtefactError(f"{artefact.path(name)}: {weights.size} weights, wanted one for each of {vocabulary} ids")
    return weights
