"""One graph loaded into ONNX Runtime."""

import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from colibri import providers
from colibri.artefact import Profile
from colibri.encoding.weights_given import give_weights
from colibri.errors import ProviderError
from colibri.providers import CPU, Device, Settings, known_provider
from colibri.vectors import Rows

log = logging.getLogger(__name__)

_PLAIN = Settings()
# What onnxruntime, CUDA, HIP, DirectX and C++ say when memory ends; there is no class of error for it.
_MEMORY = re.compile(
    r"out.?of.?memory|bad.?alloc|failed to allocate|smaller than requested bytes|cuda failure 2\b|8007000e",
    re.IGNORECASE,
)
# How long a thread waits awake for its part of the next operator. Waking one for each of 400 operators takes as long as
# a query's second core saves, and one that waits without end burns a core that others need (benchmarks/NOTES.md).
_SPIN_MICROSECONDS = 20
_LONG_TOKENS = 1024  # from here on a run gives the memory it needed back to the system when it ends


class Interrupted(Exception):
    """A run was ended by its Interrupt."""


class Interrupt:
    """Ends all runs it was given to, from any thread, those under way between two of their operators."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[onnxruntime.RunOptions] = set()
        self._happened = False

    @property
    def happened(self) -> bool:
        """Whether it was set."""
        return self._happened

    def set(self) -> None:
        """End runs under way, and every later one before it begins."""
        with self._lock:
            self._happened = True
            for options in self._running:
                options.terminate = True

    @contextmanager
    def watching(self, options: onnxruntime.RunOptions) -> Iterator[None]:
        """While a run with these options is under way. Raises Interrupted when it has nothing to begin for."""
        with self._lock:
            if self._happened:
                raise Interrupted
            self._running.add(options)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(options)


class OutOfMemory(ProviderError):
    """A run needed more memory than its device has."""


def spins_briefly() -> bool:
    """Whether onnxruntime's threads can wait awake for a limited time; before 1.26 they do so without end or not."""
    major, minor = (int(part) for part in onnxruntime.__version__.split(".")[:2])
    return (major, minor) >= (1, 26)


class Session:
    """A loaded graph: token ids in, named outputs out. Threads may share it."""

    def __init__(
        self,
        path: Path,
        provider: str,
        *,
        threads: int,
        masked: bool,
        settings: Settings = _PLAIN,
        device: Device | None = None,
    ) -> None:
        """threads: cores one run may use. masked: whether the graph takes an attention mask. device: of a plugin."""
        self._session = _open(path, provider, device, threads, settings)
        self._masked = masked
        self._profiles = settings.profiles if settings.names_profile else ()
        self._has_cpu_arena = provider == CPU

    def run(
        self,
        ids: NDArray[np.int64],
        attended: NDArray[np.bool_],
        outputs: Sequence[str],
        interrupt: Interrupt | None = None,
    ) -> list[Rows]:
        """Run one text.

        ids (n,) int64, attended (n,) bool -> for each output name (n, dim) float32. Raises as `run_batch` does.
        """
        return [output[0] for output in self.run_batch(ids[None], attended[None], outputs, interrupt)]

    def run_batch(
        self,
        ids: NDArray[np.int64],
        attended: NDArray[np.bool_],
        outputs: Sequence[str],
        interrupt: Interrupt | None = None,
    ) -> list[Rows]:
        """Run texts that were made as long as the longest of them.

        ids (texts, tokens) int64, attended (texts, tokens) bool -> for each output name (texts, tokens, dim) float32.
        Raises ProviderError where an engine has no profile for the shape or onnxruntime fails, OutOfMemory where it
        fails for want of memory, Interrupted when `interrupt` was set.
        """
        texts, tokens = ids.shape
        feeds: dict[str, NDArray[np.int64]] = {"input_ids": ids}
        if self._masked:
            feeds["attention_mask"] = attended.astype(np.int64)
        options = onnxruntime.RunOptions()
        options.log_severity_level = 4  # what fails is raised; onnxruntime would print it as well
        if self._profiles:
            options.add_run_config_entry("nv_profile_index", str(profile_index(self._profiles, texts, tokens)))
        if self._has_cpu_arena and ids.size >= _LONG_TOKENS:
            # 8,192 tokens of a 12 x 384 model take 250-280 MB, which the arena would keep for good.
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        interrupt = interrupt or Interrupt()
        with interrupt.watching(options):
            try:
                results: list[Rows] = self._session.run(list(outputs), feeds, options)
            except Exception as error:  # onnxruntime raises classes of its own without a common public one
                if interrupt.happened:
                    raise Interrupted from error
                kind = OutOfMemory if _MEMORY.search(str(error)) else ProviderError
                raise kind(f"onnxruntime {onnxruntime.__version__} failed ({error})") from error
        return results


def _open(
    path: Path, provider: str, device: Device | None, threads: int, settings: Settings
) -> onnxruntime.InferenceSession:
    """A session of the graph, or of what it was compiled to before; that is kept where there is a place for it."""
    folder = settings.folder if settings.compiles else None
    if folder is not None and (kept := providers.cached_graph(folder)) is not None:
        try:
            return _start(kept, provider, device, threads, settings)
        except ProviderError as error:
            log.warning("%s: what was compiled before cannot be loaded and is made again (%s)", path.name, error)
            providers.forget_graph(folder)
    if folder is not None and providers.may_keep_graph(folder):
        log.info("%s: compiling for %s, for the first time on this device", path.name, known_provider(provider).name)
        with providers.keeping_graph(folder) as place:
            entries = {
                "ep.context_enable": "1",
                "ep.context_file_path": os.fspath(place),
                "ep.context_embed_mode": "0",  # a model of one file ends at 2 GB
            }
            try:
                return _start(path, provider, device, threads, settings, entries)
            except ProviderError as error:
                log.info("%s: compiled again at each start (%s)", path.name, error)
    return _start(path, provider, device, threads, settings)


def _start(
    path: Path,
    provider: str,
    device: Device | None,
    threads: int,
    settings: Settings,
    entries: Mapping[str, str] | None = None,
) -> onnxruntime.InferenceSession:
    missing = ""
    name = device.execution_provider if device is not None else provider
    try:
        options = session_options(threads, settings, spin=provider == CPU and threads > 1 and spins_briefly())
        given = give_weights(path, options)
        for key, value in (entries or {}).items():
            options.add_session_config_entry(key, value)
        if device is not None and device.handles:
            options.add_provider_for_devices(list(device.handles), dict(settings.options))
            session = onnxruntime.InferenceSession(os.fspath(path), options)
        else:
            if known_provider(provider).nvidia:
                # Only here: whoever has no GPU loads none of it.
                from colibri.providers import preload  # noqa: PLC0415

                missing = preload(provider)
            # What TensorRT does not take, CUDA does. Without `enable_fallback=0` onnxruntime prints what went wrong and
            # goes on with the CPU.
            beside = ["CUDAExecutionProvider"] if provider == "TensorrtExecutionProvider" else []
            session = onnxruntime.InferenceSession(
                os.fspath(path), options, providers=[(name, dict(settings.options)), *beside], enable_fallback=0
            )
    except Exception as error:  # onnxruntime raises classes of its own without a common public one
        said = " ".join(str(error).split())
        raise ProviderError(f"{path.name}: onnxruntime {onnxruntime.__version__} cannot load it ({said})") from error
    del given  # onnxruntime has what it needs of it
    if name not in session.get_providers():  # CUDA's absence is only printed by onnxruntime
        raise ProviderError(
            f"{path.name}: onnxruntime {onnxruntime.__version__} cannot start {name} and would use the CPU; "
            + (missing or f"to have it: {known_provider(provider).install}")
        )
    return session


def session_options(threads: int, settings: Settings, *, spin: bool) -> onnxruntime.SessionOptions:
    """How every session of ours is started. spin: whether idle threads wait awake for a moment."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    if spin:
        options.add_session_config_entry("session.intra_op.spin_duration_us", str(_SPIN_MICROSECONDS))
    options.log_severity_level = 3
    # The graphs are written as they shall run; what is left to fold (u8 weights) is basic. Higher levels
    # only loaded slower and ran no faster on a CPU (benchmarks/NOTES.md); for others it is as onnxruntime has it.
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if settings.fuses else levels.ORT_ENABLE_BASIC
    # The order of the file. The default runs the casts that gpu-fp16 needs on a CPU first, for all weights at once:
    # 1.9 GB instead of 0.7 GB at 560 million parameters.
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    # onnxruntime's plan of which output may take over which buffer keeps large ones alive through a layer: one
    # 8,192-token document of jina-colbert-v2's size needed 784 MB with it and 457 MB without (benchmarks/NOTES.md).
    options.enable_mem_reuse = False
    if settings.sequential:
        options.enable_mem_pattern = False
    return options


def profile_index(profiles: Sequence[Profile], texts: int, tokens: int) -> int:
    """The first of an engine's profiles that takes an input of this shape, whatever role it was meant for."""
    for i, profile in enumerate(profiles):
        (fewest, shortest), (most, longest) = profile.minimum, profile.maximum
        if fewest <= texts <= most and shortest <= tokens <= longest:
            return i
    taken = ", ".join(f"{p.minimum} to {p.maximum}" for p in profiles)
    raise ProviderError(f"no profile of the engine takes {texts} x {tokens} tokens; there is {taken}")
