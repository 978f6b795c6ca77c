"""The models of one server: found by name or alias, and what is said of each."""

import os
from collections.abc import Mapping, Sequence

import msgspec

from colibri.artefact import Manifest
from colibri.errors import InputError
from colibri.model import Colibri, load
from colibri.providers import told_once
from colibri.server.problems import Problem


class Licence(msgspec.Struct, kw_only=True):
    """Terms of a model's weights."""

    id: str
    commercial_use: bool
    notice: str


class Dimension(msgspec.Struct, kw_only=True):
    """A width that can be asked for."""

    dimensions: int
    default: bool
    truncated_from: int | None
    """Set where this head is only the first rows of a wider one."""


class Cutoff(msgspec.Struct, kw_only=True):
    """From which scores on a text fits a query, at one width and for queries whose tokens weigh so much together."""

    dimensions: int
    min_weight: float
    max_weight: float | None
    false_positives: dict[str, float]
    """Rate -> the score that this share of unrelated pairs reaches."""
    balanced: float


class Cutoffs(msgspec.Struct, kw_only=True):
    """Measured, or published, on related and unrelated pairs."""

    unit: str
    """Of the scores: "sum" is raw MaxSim, "mean" that divided by the sum of the query tokens' weights."""
    likely: str
    """The rate whose score a `fit` of "likely" reaches; so `maybe`."""
    maybe: str
    source: str
    rows: list[Cutoff]


class ModelCard(msgspec.Struct, kw_only=True):
    """One model in GET /v1/models."""

    id: str
    object: str = "model"
    owned_by: str
    description: str
    aliases: list[str]
    licence: Licence
    dimensions: list[Dimension]
    truncated: list[int]
    """The widths whose head is truncated."""
    max_query_tokens: int
    max_document_tokens: int
    space_id: str
    variant: str
    provider: str
    device: str
    provider_reasons: list[str]
    """Why no better provider runs it."""
    cutoffs: Cutoffs | None
    """null: nobody measured them, and no answer has a `fit`."""


class Models:
    """Loaded models under all their names."""

    def __init__(self, models: Sequence[Colibri], aliases: Mapping[str, str] | None = None) -> None:
        """aliases: further names -> the name of a model. Raises InputError where a name would mean two models."""
        self.loaded = list(models)
        self._by_name: dict[str, Colibri] = {}
        for model in models:
            self._add(model.name, model)
        for model in models:
            for alias in model.manifest.aliases:
                self._add(alias, model)
        for alias, name in (aliases or {}).items():
            if name not in self._by_name:
                raise InputError(f"alias {alias}={name}: there is {', '.join(self._by_name)}")
            self._add(alias, self._by_name[name])

    def _add(self, name: str, model: Colibri) -> None:
        if self._by_name.setdefault(name, model) is not model:
            raise InputError(f"{name}: a name of two artefacts; a server has it once")

    @property
    def names(self) -> list[str]:
        """All of them, aliases too."""
        return list(self._by_name)

    def find(self, name: str) -> Colibri | None:
        """The model of that name or alias."""
        return self._by_name.get(name)

    def wanted(self, name: str) -> Colibri:
        """The model of that name or alias. Raises Problem, naming those there are."""
        model = self._by_name.get(name)
        if model is None:
            raise Problem(400, "INPUT_MODEL_NOT_FOUND", self._not_served(name[:100]))
        return model

    def _not_served(self, name: str) -> str:
        there = f"model {name!r} is not served here; there is {', '.join(self._by_name)}"
        stem, _, width = name.rpartition("-")
        if stem in self._by_name and width in map(str, self._by_name[stem].dims):
            return f"{there}: send model {stem!r} and dimensions {width}"
        return (
            f"{there}, for text alone. Another model's vectors are not comparable with its own: `colibri serve"
            f" --artefact` serves one more model, --alias {name}={self.loaded[0].name} answers to that name with this"
        )

    def card(self, model: Colibri) -> ModelCard:
        """What GET /v1/models says of it."""
        manifest, licence = model.manifest, model.manifest.licence
        return ModelCard(
            id=model.name,
            owned_by=manifest.source.name,
            description=manifest.description,
            aliases=[name for name, found in self._by_name.items() if found is model and name != model.name],
            licence=Licence(id=licence.id, commercial_use=licence.commercial_use, notice=licence.notice),
            dimensions=[
                Dimension(
                    dimensions=head.dim, default=head.dim == manifest.default_dim, truncated_from=head.truncated_from
                )
                for head in sorted(manifest.heads, key=lambda head: -head.dim)
            ],
            truncated=sorted((head.dim for head in manifest.heads if head.truncated_from), reverse=True),
            max_query_tokens=manifest.query.max_tokens,
            max_document_tokens=manifest.document.max_tokens,
            space_id=manifest.space_id,
            variant=model.provider.variant,
            provider=model.provider.name,
            device=model.provider.device,
            provider_reasons=told_once(model.provider.reasons),
            cutoffs=_cutoffs(manifest),
        )


def _cutoffs(manifest: Manifest) -> Cutoffs | None:
    found = manifest.cutoffs
    if found is None:
        return None
    return Cutoffs(
        unit=found.unit,
        likely=found.likely,
        maybe=found.maybe,
        source=found.source,
        rows=[
            Cutoff(
                dimensions=row.dim,
                min_weight=row.min_weight,
                max_weight=row.max_weight,
                false_positives=row.false_positives,
                balanced=row.balanced,
            )
            for row in found.rows
        ],
    )


def load_all(
    artefacts: Sequence[str | os.PathLike[str]], aliases: Mapping[str, str], *, workers: int | None, provider: str
) -> Models:
    """Load artefacts (none: the one that comes along). Each has its own sessions; `workers` documents run at once."""
    names: Sequence[str | os.PathLike[str] | None] = artefacts or [None]
    return Models([load(name, workers=workers, provider=provider) for name in names], aliases)
