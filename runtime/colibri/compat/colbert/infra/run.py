"""Run: one object a process, with a stack of configurations."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from colibri.compat.colbert.asserted import check
from colibri.compat.colbert.infra.config.config import RunConfig


class Run:
    """`with Run().context(RunConfig(experiment="notes")): ...`; every `Run()` is the same object."""

    _one: "Run | None" = None
    stack: list[RunConfig]

    def __new__(cls) -> "Run":
        if cls._one is None:
            cls._one = super().__new__(cls)
            first = RunConfig()
            first.assign_defaults()
            cls._one.stack = [first]
        return cls._one

    @property
    def config(self) -> RunConfig:
        """The innermost configuration."""
        return self.stack[-1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stack[-1], name)

    @contextmanager
    def context(self, runconfig: Any, inherit_config: bool = True) -> Iterator[None]:
        """Within the block, what `runconfig` was given holds, over what held before."""
        self.stack.append(RunConfig.from_existing(self.config, runconfig) if inherit_config else runconfig)
        try:
            yield
        finally:
            self.stack.pop()

    def open(self, path: str, mode: str = "r") -> IO[Any]:
        """A file of this run: below `path_`, or an absolute one as it is. Raises Refused where one that would be
        written is there, unless the configuration says overwrite."""
        found = Path(self.config.path_, path)
        if "w" in mode or "a" in mode:
            check(self.config.overwrite or not found.exists(), str(found))
            found.parent.mkdir(parents=True, exist_ok=True)
        return found.open(mode, encoding=None if "b" in mode else "utf-8")
