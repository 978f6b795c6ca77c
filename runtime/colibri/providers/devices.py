"""What execution providers run on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from colibri.providers.hardware import cpu_features
from colibri.providers.known import CPU

Kind = Literal["cpu", "gpu", "npu"]


@dataclass(frozen=True)
class Device:
    """What an execution provider runs on."""

    execution_provider: str
    kind: Kind = "gpu"
    description: str = "an accelerator"
    compute_capability: str | None = None
    """NVIDIA's, where it is known."""
    facts: Mapping[str, str] = field(default_factory=dict, compare=False)
    """All that is known of device and driver: a compiled graph belongs to them."""
    handles: tuple[Any, ...] = field(default=(), compare=False)
    """onnxruntime's own objects for it, where a plugin runs it; empty: the provider is part of onnxruntime."""


@dataclass(frozen=True)
class Here:
    """What onnxruntime can use.

    version     of onnxruntime
    devices     execution provider -> its device
    refused     execution provider -> why it cannot be used, though it is installed
    """

    version: str
    devices: Mapping[str, Device]
    refused: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def named(version: str, execution_providers: Iterable[str]) -> "Here":
        """Where only names are known, as onnxruntime lists them."""
        return Here(version, {name: cpu() if name == CPU else Device(name) for name in execution_providers})


def cpu() -> Device:
    """The CPU under onnxruntime's own provider."""
    features = ", ".join(sorted(cpu_features()))
    return Device(CPU, "cpu", f"CPU with {features}" if features else "CPU")
