"""The files of a checkpoint that say how queries and documents are laid out, and which of them counts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from colibri.errors import ExportError

STANFORD_FILE = "artifact.metadata"
PYLATE_FILE = "config_sentence_transformers.json"
TRANSFORMER_FILE = "sentence_bert_config.json"
_OTHER_NAMES = ("roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
_TRANSFORMER_FILES = (TRANSFORMER_FILE, *(f"sentence_{name}_config.json" for name in _OTHER_NAMES))
"""The same file under the names that sentence-transformers looks for (base/modules/transformer.py)."""
_STANFORD_CLASS = "HF_ColBERT"
_MULTIVECTOR = "MultiVectorEncoder"
_PYLATE_KEYS = frozenset(
    {
        "query_prefix",
        "document_prefix",
        "query_length",
        "document_length",
        "skiplist_words",
        "do_query_expansion",
        "attend_to_expansion_tokens",
    }
)

Form = Literal["stanford", "pylate", "multivector"]


@dataclass(frozen=True)
class RoleFiles:
    """What a folder has of the files that say how queries and documents are laid out."""

    folder: Path
    stanford: dict[str, Any] | None
    """artifact.metadata, where the folder has one."""
    pylate: dict[str, Any] | None
    """config_sentence_transformers.json, where the folder has one."""
    transformer: dict[str, Any] | None = None
    """sentence_bert_config.json, where the folder has one."""
    mask: dict[str, Any] | None = None
    """config.json of the module MultiVectorMask, where modules.json lists one."""
    modules: tuple[dict[str, Any], ...] = ()
    """modules.json (sentence-transformers, PyLate), empty where there is none."""
    architectures: tuple[str, ...] = field(default=())
    """config.json's."""

    @property
    def form(self) -> Form | None:
        """Whose files count.

        stanford     artifact.metadata, where config.json names the class HF_ColBERT (whose head is linear.weight) or
                     where no other file speaks of a head in a Dense module
        pylate       config_sentence_transformers.json with PyLate's keys; dense models have a file of that name, too
        multivector  the files of sentence-transformers' MultiVectorEncoder (6.0 and later)

        So the file that counts is the one that belongs to the head that counts.
        """
        others = self._other_form
        has_dense = any(module_kind(module) == "Dense" for module in self.modules)
        if self.stanford is not None and (_STANFORD_CLASS in self.architectures or others is None or not has_dense):
            return "stanford"
        return others

    @property
    def is_pylate(self) -> bool:
        """Whether PyLate's configuration tells its roles."""
        return self.form == "pylate"

    @property
    def overruled(self) -> "RoleFiles | None":
        """The same without the file that counts, where another one speaks, too."""
        if self.stanford is None or self._other_form is None:
            return None
        if self.form == "stanford":
            return RoleFiles(self.folder, None, self.pylate, self.transformer, self.mask, self.modules)
        return RoleFiles(self.folder, self.stanford, None)

    @property
    def _other_form(self) -> Form | None:
        found = self.pylate or {}
        if found.get("model_type") == _MULTIVECTOR:
            return "multivector"
        return "pylate" if found.get("model_type") == "ColBERT" or not _PYLATE_KEYS.isdisjoint(found) else None


def read_role_files(folder: Path) -> RoleFiles:
    """Needs no weights. Raises ExportError for a file that is no JSON object, or no list of modules."""
    modules = read_modules(folder / "modules.json")
    encoder = encoder_folder(folder, modules)
    stanford, pylate = (_optional(folder / name) for name in (STANFORD_FILE, PYLATE_FILE))
    places = [place / name for place in dict.fromkeys((encoder, folder)) for name in _TRANSFORMER_FILES]
    transformer = next((path for path in places if path.is_file()), None)
    mask = next((m["path"] for m in modules if module_kind(m) == "MultiVectorMask"), None)
    named = (_optional(encoder / "config.json") or {}).get("architectures")
    return RoleFiles(
        folder,
        stanford,
        pylate,
        None if transformer is None else read_json(transformer),
        None if mask is None else read_json(folder / mask / "config.json"),
        modules,
        tuple(map(str, named)) if isinstance(named, list) else (),
    )


def encoder_folder(folder: Path, modules: tuple[dict[str, Any], ...]) -> Path:
    """Where config.json and the weights lie: at the top, or in a folder of its own that modules.json names."""
    return folder / str(next((m["path"] for m in modules if module_kind(m) == "Transformer"), ""))


def module_kind(module: Mapping[str, Any]) -> str:
    """The last part of a module's type: Transformer, Dense, Normalize, ..."""
    return str(module["type"]).rpartition(".")[2]


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises ExportError when it is not there or not one."""
    document = _read_any_json(path)
    if not isinstance(document, dict):
        raise ExportError(f"{path}: wanted a JSON object")
    return document


def read_modules(path: Path) -> tuple[dict[str, Any], ...]:
    """modules.json, empty where there is none. Raises ExportError for what is no list of modules in the folder."""
    if not path.is_file():
        return ()
    modules = _read_any_json(path)
    well_formed = isinstance(modules, list) and all(
        isinstance(m, dict) and isinstance(m.get("type"), str) and isinstance(m.get("path"), str) for m in modules
    )
    if not well_formed or any(".." in Path(m["path"]).parts or Path(m["path"]).is_absolute() for m in modules):
        raise ExportError(f"{path}: wanted a list of modules, each with its type and a path inside the folder")
    return tuple(modules)


def _optional(path: Path) -> dict[str, Any] | None:
    return read_json(path) if path.is_file() else None


def _read_any_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ExportError(f"{path}: no such file; wanted a Hugging Face checkpoint folder") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ExportError(f"{path}: not JSON ({error})") from error
