"""ColBERTConfig and RunConfig: settings that know which of them were given."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from colibri.compat.colbert.infra.config.settings import ModelSettings, RunSettings
from colibri.errors import ArtefactError, InputError, InputTypeError

METADATA = "metadata.json"
_EXAMPLE = "ColBERTConfig(doc_maxlen=300)"


class _OfDataclass:
    """What makes a class a dataclass to `dataclasses`' own functions and to classes made of it, made when one of them
    asks: that import takes 8 ms."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, made: object, owner: "type[_Config]") -> Any:
        from dataclasses import make_dataclass

        listed = [(name, kind, getattr(owner, name)) for name, kind in owner._kinds().items()]
        return getattr(make_dataclass(owner.__name__, listed), self._name)


class _Config:
    """What both have. `assigned` names the settings that were given: those alone win over others' in
    `from_existing`."""

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Any]]
    else:
        __dataclass_fields__ = _OfDataclass()
        __dataclass_params__ = _OfDataclass()
    total_visible_gpus = 0

    def __init__(self, **given: Any) -> None:
        self.assigned: dict[str, bool] = dict.fromkeys(given, True)
        names = self._names()
        for name in given:
            if name not in names:
                raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument {name!r}")
        for name in names:
            value = given.get(name)
            setattr(self, name, getattr(type(self), name) if value is None else value)

    @classmethod
    def _names(cls) -> list[str]:
        return list(cls._kinds())

    @classmethod
    def _kinds(cls) -> dict[str, Any]:
        """Settings and their types, those of a run first, as a dataclass has them."""
        return {
            name: kind for one in reversed(cls.__mro__) for name, kind in getattr(one, "__annotations__", {}).items()
        }

    @classmethod
    def from_existing(cls, *sources: "Any") -> Self:
        """One of what was given to several; later ones win, None is skipped."""
        given: dict[str, Any] = {}
        for source in sources:
            if source is not None and not isinstance(source, _Config):
                kind = type(source).__name__
                raise InputTypeError(f"config: found {kind}, wanted a ColBERTConfig or RunConfig, such as {_EXAMPLE}")
            if source is not None:
                given |= {name: getattr(source, name) for name in source.assigned}
        return cls(**{name: value for name, value in given.items() if name in cls._names()})

    @classmethod
    def from_path(cls, path: str | os.PathLike[str]) -> tuple[Self, set[str]]:
        """From a JSON file (its "config", if it has one), and the names there that are no settings."""
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls.from_deprecated_args(document.get("config", document))

    @classmethod
    def from_deprecated_args(cls, args: dict[str, Any]) -> tuple[Self, set[str]]:
        """From a mapping, and the names there that are no settings."""
        made = cls()
        return made, made.configure(**args)

    def configure(self, ignore_unrecognized: bool = True, **given: Any) -> set[str]:
        """Set several; the names that are no settings, which are left out."""
        return {name for name, value in given.items() if not self.set(name, value, ignore_unrecognized)}

    def set(self, key: str, value: Any, ignore_unrecognized: bool = False) -> bool:
        """Set one. Raises InputError for a name that is no setting, unless those are ignored: then False."""
        if key in self._names():
            setattr(self, key, value)
            self.assigned[key] = True
            return True
        if not ignore_unrecognized:
            raise InputError(f"Unrecognized key `{key}` for {type(self)}")
        return False

    def assign_defaults(self) -> None:
        """Count every default as given."""
        for name in self._names():
            setattr(self, name, getattr(type(self), name))
            self.assigned[name] = True

    def export(self) -> dict[str, Any]:
        """All settings by name; long lists and mappings as their beginning."""
        return {name: _shown(getattr(self, name)) for name in self._names()}

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._names() if name in self.assigned)
        return f"{type(self).__name__}({given})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.export() == self.export()

    __hash__ = None  # type: ignore[assignment]


class RunConfig(_Config, RunSettings):
    """Where a run reads and writes; see `Run`."""


class ColBERTConfig(_Config, ModelSettings, RunSettings):
    """All settings. Of a model: `dim`, `doc_maxlen`, `query_maxlen`; what an artefact cannot change is refused where
    it is used. nbits, kmeans_niters, bsize and their like are taken and have no effect: rows are stored as int8 and
    searched exactly."""

    @property
    def index_path_(self) -> str:
        """Folder of the index."""
        return self.index_path or os.path.join(self.index_root_, str(self.index_name))  # noqa: PTH118

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: str | os.PathLike[str]) -> Self | None:
        """What an artefact says of itself, or a checkpoint's artifact.metadata; None where there is neither."""
        metadata = Path(checkpoint_path, "artifact.metadata")
        if metadata.is_file():
            found, _ = cls.from_path(metadata)
        else:
            from colibri import artefact

            try:
                manifest = artefact.find(checkpoint_path).manifest
            except ArtefactError:
                return None
            found = cls(**settings_of(manifest))
        found.set("checkpoint", os.fspath(checkpoint_path))
        return found

    @classmethod
    def load_from_index(cls, index_path: str | os.PathLike[str]) -> Self:
        """What an index was made with. Raises NotThere where the folder says nothing of it."""
        from colibri.compat.colbert.asserted import NotThere

        for name in (METADATA, "plan.json"):
            if Path(index_path, name).is_file():
                return cls.from_path(Path(index_path, name))[0]
        raise NotThere(2, f"no index there (no {METADATA})", os.fspath(index_path))

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Write all settings as JSON. Raises Refused where the file is there, unless it may be replaced."""
        from colibri.compat.colbert.asserted import check

        check(overwrite or not Path(path).exists(), os.fspath(path))
        Path(path).write_text(json.dumps(self.export(), indent=4, default=str) + "\n", encoding="utf-8")


def settings_of(manifest: Any) -> dict[str, Any]:
    """The settings that an artefact's manifest decides."""
    query, document = manifest.query, manifest.document
    return {
        "dim": manifest.default_dim,
        "doc_maxlen": document.max_tokens,
        "query_maxlen": query.expansion.to_tokens if query.expansion else query.max_tokens,
        "mask_punctuation": bool(document.skiplist.ids),
        "attend_to_mask_tokens": bool(query.expansion and query.expansion.attended),
    }


def _shown(value: Any) -> Any:
    value = value.provenance() if hasattr(value, "provenance") else value
    if isinstance(value, list) and len(value) > 100:
        return f"list with {len(value)} elements starting with...", value[:3]
    if isinstance(value, dict) and len(value) > 100:
        return f"dict with {len(value)} keys starting with...", list(value)[:3]
    return value
