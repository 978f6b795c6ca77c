"""What is loaded of a choice: its sessions, which of them runs a text, and how many do so at once."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import onnxruntime

from colibri.artefact import Artefact, RoleName, check_files
from colibri.encoding.session import Session, spins_briefly
from colibri.errors import ProviderError
from colibri.machine import physical_cores
from colibri.providers import CPU, TOKENS_AT_ONCE, Choice, Packed, Settings, settings_for

log = logging.getLogger(__name__)

_STEP = 8  # tokens: halves multiply in tiles of 8 on NVIDIA's tensor cores

# Tokens times the square of the width, up to which one thread is faster than several that share each operator: of
# colibri-mini's 384 in int8, LITTLE tokens where a thread waits awake for its next part, and NAPPING where it has to be
# woken for it (benchmarks/NOTES.md).
_LITTLE_WORK = 500_000
_LITTLE_WORK_NAPPING = 20_000_000
_FLOAT_WORK = 6  # a float32 product takes so many times the time of one in int8


@dataclass(frozen=True)
class Limits:
    """What a user allows.

    threads       cores of a query
    workers       documents at once
    batch_tokens  texts times padded tokens of a batch
    cache         folder of compiled graphs; None: keep none
    strict        whether the provider was named, so that no other may take over
    packed        graphs that were packed for this processor; they run in place of the artefact's own

    None, for the first three: what is best for the provider.
    """

    threads: int | None = None
    workers: int | None = None
    batch_tokens: int | None = None
    cache: Path | None = None
    strict: bool = False
    packed: Packed = field(default_factory=Packed)


class Loaded:
    """The sessions of one choice. Queries and documents have one each on a CPU, over the same weights.

    A query uses all cores, unless it is so short that the documents' session of one thread is faster, or others are
    under way that have use for the cores. All give the same bits: each value is computed by one thread, whichever.
    """

    def __init__(self, artefact: Artefact, choice: Choice, limits: Limits) -> None:
        self.choice = choice
        self._on_cpu = on_cpu = choice.provider == CPU
        self.step = 1 if on_cpu else _STEP
        threads = limits.threads or physical_cores()
        # An accelerator runs one batch at a time, and two sessions on it would hold its weights twice.
        self.workers = limits.workers or (physical_cores() if on_cpu else 1)
        document_threads = 1 if self.workers > 1 and on_cpu else threads
        graph = choice.graph
        batches = graph.masked_query and graph.masked_document  # without a mask texts can only run alone
        self.budget = (limits.batch_tokens or (None if on_cpu else TOKENS_AT_ONCE)) if batches else None
        self.settings: Settings = settings_for(artefact, choice, onnxruntime.__version__, limits.cache)
        manifest = artefact.manifest
        factor = 1 if choice.variant.precision == "int8" else _FLOAT_WORK
        self._little = _LITTLE_WORK if spins_briefly() else _LITTLE_WORK_NAPPING
        self._work = manifest.architecture.hidden**2 * factor if on_cpu else self._little
        own_graph = graph.query != graph.document
        all_short = manifest.query.max_tokens * self._work < self._little
        files: dict[RoleName, tuple[str, bool, int]] = {
            "query": (graph.query, graph.masked_query, 1 if own_graph and all_short else threads),
            "document": (graph.document, graph.masked_document, document_threads),
        }
        keys = list(dict.fromkeys(files.values()))
        if len({name for name, *_ in keys}) > 1:  # a folder keeps one compiled graph
            self.settings = replace(self.settings, compiles=False)

        def opened(name: str, takes_mask: bool, cores: int) -> Session:
            def session(path: Path) -> Session:
                device, settings = choice.device, self.settings
                return Session(
                    path, choice.provider, threads=cores, masked=takes_mask, settings=settings, device=device
                )

            packed = limits.packed.graphs.get(name) if on_cpu else None
            if packed is not None:
                try:
                    return session(packed)
                except ProviderError as error:
                    log.warning("%s; the artefact's own graph is taken", error)
                    check_files(artefact, [name, *choice.variant.data])
            return session(artefact.path(name))

        with ThreadPoolExecutor(len(keys)) as pool:
            loading = {key: pool.submit(opened, *key) for key in keys}
        loaded = {key: future.result() for key, future in loading.items()}
        self.sessions = {role: loaded[key] for role, key in files.items()}
        slots = {session: threading.BoundedSemaphore(self.workers) for session in loaded.values()}
        self._slots = {role: slots[session] for role, session in self.sessions.items()}
        self._of_one_thread = loaded.get((graph.query, graph.masked_query, 1), self.sessions["query"])

        self._counting = threading.Lock()
        self._under_way = 0

    def session(self, role: RoleName, tokens: int, *, alone: bool = True) -> Session:
        """Which one runs a text of so many tokens. alone: whether nothing else wants to run."""
        if role == "query" and (tokens * self._work < self._little or (self._on_cpu and not alone)):
            return self._of_one_thread
        return self.sessions[role]

    @contextmanager
    def turn(self, role: RoleName, tokens: int) -> Iterator[Session]:
        """The session for one run, as soon as fewer than `workers` are under way."""
        with self._counting:
            self._under_way += 1
            alone = self._under_way == 1
        try:
            with self._slots[role]:
                yield self.session(role, tokens, alone=alone)
        finally:
            with self._counting:
                self._under_way -= 1
