"""The sessions that run an artefact, on the provider that was chosen, or on the next one where that fails.

On the CPU every text runs alone. On an accelerator texts run in batches; a batch that needs too much memory is halved,
as are all later ones, and a session that fails altogether makes way for the CPU, unless the provider was named.
"""

import logging
import threading
from collections.abc import Sequence

import numpy as np

from colibri.artefact import Artefact, RoleName, check_files
from colibri.encoding.batches import group, lay_out, padded
from colibri.encoding.loaded import Limits, Loaded
from colibri.encoding.session import Interrupt, OutOfMemory
from colibri.errors import ArtefactError, ProviderError
from colibri.providers import CPU, Choice, Choices, Provider, known_provider, told_once
from colibri.tokens import Encoded
from colibri.vectors import Rows

log = logging.getLogger(__name__)


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

    @property
    def alone(self) -> bool:
        """Whether every text runs alone."""
        return self._loaded.budget is None

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
        self, loaded: Loaded, texts: Sequence[Encoded], role: RoleName, dims: Sequence[int], interrupt: Interrupt
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
                known_provider(loaded.choice.provider).name,
                len(texts),
                longest,
                loaded.budget,
                error,
            )
        parts = texts[:half], texts[half:]
        return [rows for part in parts for rows in self._run(loaded, part, role, dims, interrupt)]

    def _together(
        self, loaded: Loaded, texts: Sequence[Encoded], role: RoleName, dims: Sequence[int], interrupt: Interrupt
    ) -> list[list[Rows]]:
        names = [loaded.choice.variant.outputs[str(dim)] for dim in dims]
        longest = max(len(text.ids) for text in texts)
        if loaded.budget is None:
            (text,) = texts
            with loaded.turn(role, longest) as session:
                return [session.run(text.ids, text.attended, names, interrupt)]
        tokens = padded(longest, step=loaded.step, longest=self._longest, profiles=loaded.settings.profiles)
        ids, attended = lay_out(texts, tokens)
        with loaded.turn(role, longest) as session:
            results = session.run_batch(ids, attended, names, interrupt)
        rows = [[result[i, : len(text.ids)] for result in results] for i, text in enumerate(texts)]
        if loaded.choice.provider != CPU and not all(np.isfinite(part).all() for parts in rows for part in parts):
            # float16 that overflows, or a driver at fault: on a CPU export has made sure of it.
            raise ProviderError(f"{loaded.choice.variant_name} gives numbers that are not finite")
        return rows

    @property
    def _longest(self) -> int:
        return self._artefact.manifest.architecture.max_positions

    def _replace(self, failed: Loaded, error: ProviderError) -> None:
        """Let the CPU take over from sessions that failed; raises the error where it may not, or is what failed."""
        with self._lock:
            if self._loaded is not failed:  # another thread was here first
                return
            # A device that died for one provider is dead for the others; the CPU is last.
            cpu = next((choice for choice in self._left if choice.provider == CPU), None)
            if self._limits.strict or cpu is None:
                raise error
            self._left = []
            self._reasons.append(f"{known_provider(failed.choice.provider).name}: failed while it ran ({error})")
            log.warning("%s; %s takes over, on the CPU", self._reasons[-1], cpu.variant_name)
            self._loaded = self._load(cpu, check=True)

    def _load(self, choice: Choice, *, check: bool = False) -> Loaded:
        """The first that loads, beginning with this one. check: whether its files still have to be compared."""
        while True:
            try:
                if check:
                    check_files(self._artefact, self._artefact.files_to_run(choice.variant, choice.graph))
                return Loaded(self._artefact, choice, self._limits)
            except (ProviderError, ArtefactError) as error:
                if not self._left:
                    raise
                if choice.variant.engine is None:  # an engine may be too old where its graph still runs
                    others = [other for other in self._left if other.provider != choice.provider]
                    if not others:
                        raise
                    self._left = others
                self._reasons.append(
                    f"{known_provider(choice.provider).name}: {choice.variant_name} did not start ({error})"
                )
                log.warning("%s; %s is tried instead", self._reasons[-1], self._left[0].variant_name)
                choice, check = self._left.pop(0), True
