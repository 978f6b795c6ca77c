"""What runs a model, for people."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from colibri.providers.choice import Choice
from colibri.providers.devices import Device, cpu
from colibri.providers.known import CPU, known_provider


@dataclass(frozen=True)
class Provider:
    """The execution provider that runs a model."""

    name: str
    """Such as "cpu" or "cuda": what `provider=` takes."""
    device: str
    """What it runs on, as far as that is known."""
    variant: str
    """Of the artefact, such as "gpu-fp16"."""
    reasons: tuple[str, ...] = field(default=())
    """Why no better one was taken, one for each, and what has happened since."""

    @staticmethod
    def of(choice: Choice, reasons: tuple[str, ...] = ()) -> "Provider":
        """Of what was chosen."""
        device = choice.device or (cpu() if choice.provider == CPU else Device(choice.provider))
        return Provider(known_provider(choice.provider).name, device.description, choice.variant_name, reasons)

    def __str__(self) -> str:
        return "; ".join([f"{self.variant} on {self.name} ({self.device})", *told_once(self.reasons)])


def told_once(reasons: Iterable[str]) -> list[str]:
    """Reasons such as "cuda: not installed here", one for all whose reason is the same."""
    names: dict[str, list[str]] = {}
    for reason in reasons:
        name, colon, why = reason.partition(": ")
        names.setdefault(why if colon else reason, []).extend([name] if colon else [])
    return [f"{', '.join(who)}: {why}" if who else why for why, who in names.items()]
