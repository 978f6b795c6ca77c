"""Reading config.json: every value is checked, and an error names its key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from colibri.artefact import parse_typed
from colibri.errors import ArtefactError, ExportError


@dataclass(frozen=True)
class Config:
    """A config.json and its path."""

    document: Mapping[str, Any]
    where: str

    def number(self, key: str, kind: type = int, default: float | None = None) -> Any:
        """A number above 0. A key that is missing or null means `default`, or an error where there is none."""
        value = self.document.get(key)
        if value is None:
            if default is None:
                raise ExportError(f"{self.where}: no {key}")
            return default
        try:
            value = parse_typed(kind, value, key)
        except ArtefactError as error:
            raise ExportError(f"{self.where}: {error}") from None
        if value <= 0:
            raise ExportError(f"{self.where}: {key} {value}, wanted more than 0")
        return value

    def require(self, **wanted: object) -> None:
        """Refuse a key that is there with another value: an option that no builder follows."""
        for key, value in wanted.items():
            if self.document.get(key, value) != value:
                raise ExportError(
                    f"{self.where}: {key} {self.document[key]!r}, this exporter knows {value!r} for this family"
                )

    def heads(self) -> tuple[int, int]:
        """Hidden width and attention heads; the second divides the first."""
        hidden, heads = self.number("hidden_size"), self.number("num_attention_heads")
        if hidden % heads:
            raise ExportError(f"{self.where}: num_attention_heads {heads} does not divide hidden_size {hidden}")
        return hidden, heads
