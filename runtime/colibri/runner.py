"""The sessions that run an artefact, on the provider that was chosen, or on the next one where that fails.

On the CPU every text runs alone. On an accelerator texts run in batches; a batch that needs too much memory is halved,
as are all later ones, and a session that fails altogether makes way for the CPU, unless the provider was named.
"""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime

from colibri.artefact import Artefact, check_files
from colibri.batches import group, lay_out, padded
from colibri.cores import physical_cores
from colibri.errors import ArtefactError, ProviderError
from colibri.manifest import RoleName
from colibri.providers import CPU, Choice, Choices, Provider
from colibri.providers.known import known
from colibri.providers.settings import Settings, settings
from colibri.providers.shapes import TOKENS_AT_ONCE
from colibri.providers.taken import told_once
from colibri.session import Interrupt, OutOfMemory, Session
from colibri.tokenizer import Encoded
from colibri.vectors import Rows

log = logging.getLogger(__name__)

_STEP = 8  # tokens: halves multiply in tiles of 8 on NVIDIA's tensor cores

# Tokens times the square of the width, up to which one thread is faster than several that wake each other for every
# operator: of colibri-mini's 384 in int8, 136 tokens. On two cores 12 tokens took 3.4 ms on one thread and 6.4 on two,
# 214 took 43.9 and 40.8 (benchmarks/NOTES.md).
_LITTLE_WORK = 20_000_000
_FLOAT_WORK = 6  # a float32 product takes so many times the time of one in int8


@dataclass(frozen=True)
class Limits:
    """What a user allows.

    threads       cores of a query
    workers       documents at once
    batch_tokens  texts times padded tokens of a batch
    cache         folder of compiled graphs; None: keep none
    strict        whether the provider was named, so that no other may take over

    None, for the first three: what is best for the provider.
    """

    threads: int | None = None
    workers: int | None = None
    batch_tokens: int | None = None
    cache: Path | None = None
    strict: bool = False


class Runner:
    """Runs texts. Threads may share it: together they have no more runs under way than workers."""

    def __init__(self, artefact: Artefact, choices: Choices, limits: Limits) -> None:
        """choices: tried in their order; at least one. Raises ProviderError where none can be loaded."""
        self._artefact = artefact
        self._limits = limits
        self._reasons = list(choices.reasons)
        self._lock = threading.Lock()
        others = [choice for choice in choices.found if choice.provider != CPU]
        # Of those for the CPU the first alone: another would not repair what is wrong with it.
        self._left = others + [choice for choice in choices.found if choice.provider == CPU][:1]
        self._loaded = self._load(self._left.pop(0))
        for refused in told_once(choices.refused):
            log.warning("%s; so it is %s on %s", refused, self.choice.variant_name, self.provider.name)

    @property
    def provider(self) -> Provider:
        """What runs now."""
        return Provider.of(self._loaded.choice, tuple(self._reasons))

    @property
    def choice(self) -> Choice:
        """What runs now."""
        return self._loaded.choice

    @property
    def workers(self) -> int:
        """Runs at once at most."""
        return self._loaded.workers

    def groups(self, texts: Sequence[Encoded]) -> list[list[int]]:
        """Indices of the texts that `run` should be given together, longest first."""
        loaded = self._loaded
        if loaded.budget is None:
            return [[i] for i in sorted(range(len(texts)), key=lambda i: -len(texts[i].ids))]
        return group(texts, loaded.budget, step=loaded.step, longest=self._longest, profiles=loaded.settings.profiles)

    def run(
        self, texts: Sequence[Encoded], role: RoleName, dims: Sequence[int], interrupt: Interrupt
    ) -> list[list[Rows]]:
        """Rows of each text at each dim, (n, dim) float32 for a text of n tokens.

        Raises ProviderError when onnxruntime fails and no other provider is left, Interrupted.
        """
        loaded = self._loaded
        try:
            return self._run(loaded, texts, role, dims, interrupt)
        except ProviderError as error:
            self._replace(loaded, error)
            return self.run(texts, role, dims, interrupt)

    def _run(
        self, loaded: "_Loaded", texts: Sequence[Encoded], role: RoleName, dims: Sequence[int], interrupt: Interrupt
    ) -> list[list[Rows]]:
        if loaded.budget is None or len(texts) == 1:
            return [row for text in texts for row in self._together(loaded, [text], role, dims, interrupt)]
        try:
            return self._together(loaded, texts, role, dims, interrupt)
        except OutOfMemory as error:
            longest = max(len(text.ids) for text in texts)
            half = len(texts) // 2
            with self._lock:
                loaded.budget = max(1, min(loaded.budget, half * longest))
            log.warning(
                "%s: out of memory with %d texts of up to %d tokens; batches are of %d tokens from now on (%s)",
                known(loaded.choice.provider).name,
                len(texts),
                longest,
                loaded.budget,
                error,
            )
        parts = texts[:half], texts[half:]
        return [rows for part in parts for rows in self._run(loaded, part, role, dims, interrupt)]

    def _together(
        self, loaded: "_Loaded", texts: Sequence[Encoded], role: RoleName, dims: Sequence[int], interrupt: Interrupt
    ) -> list[list[Rows]]:
        names = [loaded.choice.variant.outputs[str(dim)] for dim in dims]
        session, slots = loaded.session(role, max(len(text.ids) for text in texts)), loaded.slots[role]
        if loaded.budget is None:
            (text,) = texts
            with slots:
                return [session.run(text.ids, text.attended, names, interrupt)]
        tokens = padded(
            max(len(text.ids) for text in texts),
            step=loaded.step,
            longest=self._longest,
            profiles=loaded.settings.profiles,
        )
        ids, attended = lay_out(texts, tokens)
        with slots:
            results = session.run_batch(ids, attended, names, interrupt)
        rows = [[result[i, : len(text.ids)] for result in results] for i, text in enumerate(texts)]
        if loaded.choice.provider != CPU and not all(np.isfinite(part).all() for parts in rows for part in parts):
            # float16 that overflows, or a driver at fault: on a CPU export has made sure of it.
            raise ProviderError(f"{loaded.choice.variant_name} gives numbers that are not finite")
        return rows

    @property
    def _longest(self) -> int:
        return self._artefact.manifest.architecture.max_positions

    def _replace(self, failed: "_Loaded", error: ProviderError) -> None:
        """Let the CPU take over from sessions that failed; raises the error where it may not, or is what failed."""
        with self._lock:
            if self._loaded is not failed:  # another thread was here first
                return
            # A device that died for one provider is dead for the others; the CPU is last.
            cpu = next((choice for choice in self._left if choice.provider == CPU), None)
            if self._limits.strict or cpu is None:
                raise error
            self._left = []
            self._reasons.append(f"{known(failed.choice.provider).name}: failed while it ran ({error})")
            log.warning("%s; %s takes over, on the CPU", self._reasons[-1], cpu.variant_name)
            self._loaded = self._load(cpu, check=True)

    def _load(self, choice: Choice, *, check: bool = False) -> "_Loaded":
        """The first that loads, beginning with this one. check: whether its files still have to be compared."""
        while True:
            try:
                if check:
                    check_files(self._artefact, self._artefact.files_to_run(choice.variant, choice.graph))
                return _Loaded(self._artefact, choice, self._limits)
            except (ProviderError, ArtefactError) as error:
                if not self._left:
                    raise
                if choice.variant.engine is None:  # an engine may be too old where its graph still runs
                    others = [other for other in self._left if other.provider != choice.provider]
                    if not others:
                        raise
                    self._left = others
                self._reasons.append(f"{known(choice.provider).name}: {choice.variant_name} did not start ({error})")
                log.warning("%s; %s is tried instead", self._reasons[-1], self._left[0].variant_name)
                choice, check = self._left.pop(0), True


class _Loaded:
    """The sessions of one choice. Queries and documents have one each on a CPU, over the same weights.

    A query uses all cores, unless it is so short that the documents' session of one thread is faster. All give the same
    bits: each value is computed by one thread, whichever.
    """

    def __init__(self, artefact: Artefact, choice: Choice, limits: Limits) -> None:
        self.choice = choice
        on_cpu = choice.provider == CPU
        self.step = 1 if on_cpu else _STEP
        threads = limits.threads or physical_cores()
        # An accelerator runs one batch at a time, and two sessions on it would hold its weights twice.
        self.workers = limits.workers or (physical_cores() if on_cpu else 1)
        document_threads = 1 if self.workers > 1 and on_cpu else threads
        graph = choice.graph
        batches = graph.masked_query and graph.masked_document  # without a mask texts can only run alone
        self.budget = (limits.batch_tokens or (None if on_cpu else TOKENS_AT_ONCE)) if batches else None
        self.settings: Settings = settings(artefact, choice, onnxruntime.__version__, limits.cache)
        manifest = artefact.manifest
        factor = 1 if choice.variant.precision == "int8" else _FLOAT_WORK
        self._work = manifest.architecture.hidden**2 * factor if on_cpu else _LITTLE_WORK
        own_graph = graph.query != graph.document
        all_short = manifest.query.max_tokens * self._work < _LITTLE_WORK
        files: dict[RoleName, tuple[str, bool, int]] = {
            "query": (graph.query, graph.masked_query, 1 if own_graph and all_short else threads),
            "document": (graph.document, graph.masked_document, document_threads),
        }
        keys = list(dict.fromkeys(files.values()))
        if len({name for name, *_ in keys}) > 1:  # a folder keeps one compiled graph
            self.settings = replace(self.settings, compiles=False)
        with ThreadPoolExecutor(len(keys)) as pool:
            loading = {
                (name, takes_mask, cores): pool.submit(
                    Session,
                    artefact.path(name),
                    choice.provider,
                    threads=cores,
                    masked=takes_mask,
                    settings=self.settings,
                    device=choice.device,
                )
                for name, takes_mask, cores in keys
            }
        loaded = {key: future.result() for key, future in loading.items()}
        self.sessions = {role: loaded[key] for role, key in files.items()}
        slots = {session: threading.BoundedSemaphore(self.workers) for session in loaded.values()}
        self.slots = {role: slots[session] for role, session in self.sessions.items()}
        self._of_one_thread = loaded.get((graph.query, graph.masked_query, 1), self.sessions["query"])

    def session(self, role: RoleName, tokens: int) -> Session:
        """Which one runs a text of so many tokens."""
        if role == "query" and tokens * self._work < _LITTLE_WORK:
            return self._of_one_thread
        return self.sessions[role]
