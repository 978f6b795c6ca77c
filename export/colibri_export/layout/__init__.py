"""Which families of checkpoints there are, where their tensors lie, and what shapes config.json makes them have."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from colibri.artefact import Architecture
from colibri.errors import ExportError
from colibri_export.layout import bert, jina_bert, modernbert, xlmr_flash
from colibri_export.layout.config import Config
from colibri_export.layout.known_keys import require_known
from colibri_export.layout.tensor import Tensor

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Layout:
    """One family of checkpoints."""

    architecture: Callable[[Config], Architecture]
    """The facts of config.json."""
    tensors: Callable[[Architecture], Tensors]
    """Our name -> where it lies, in the order tensors are stored."""
    word: str
    """The vocabulary table; what stands before it is the prefix of all names."""
    prefixes: tuple[str, ...]
    unused: tuple[str, ...]
    """Beginnings of names, after the prefix, of tensors that no row depends on."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Part of a tensor's name -> what is not of this family where it occurs."""
    keys: str = ""
    """What of config.json its `architecture` reads or refuses, beside the keys that all families share."""


_BERT = Layout(bert.architecture, bert.tensors, bert.WORD, bert.PREFIXES, bert.UNUSED, keys=bert.KEYS)
_MODERNBERT = Layout(
    modernbert.architecture,
    modernbert.tensors,
    modernbert.WORD,
    modernbert.PREFIXES,
    modernbert.UNUSED,
    keys=modernbert.KEYS,
)
_XLMR_FLASH = Layout(
    xlmr_flash.architecture,
    xlmr_flash.tensors,
    xlmr_flash.WORD,
    xlmr_flash.PREFIXES,
    xlmr_flash.UNUSED,
    keys=xlmr_flash.KEYS,
)
_JINA_BERT = Layout(
    jina_bert.architecture,
    jina_bert.tensors,
    jina_bert.WORD,
    jina_bert.PREFIXES,
    jina_bert.UNUSED,
    jina_bert.OTHERS,
    keys=jina_bert.KEYS,
)
_BY_MODEL_TYPE = {"bert": _BERT, "xlm-roberta": _BERT, "roberta": _BERT, "modernbert": _MODERNBERT}
MODEL_TYPES = frozenset(_BY_MODEL_TYPE)
"""What config.json calls the families that have a builder."""


def find(config: Mapping[str, Any], where: str, ignored: Collection[str] = ()) -> tuple[Layout, Architecture]:
    """The layout and the facts of a checkpoint.

    where    the path of config.json, for errors
    ignored  keys of config.json that somebody has said to change no row

    Raises ExportError that names the key, for a family or an option that no builder knows.
    """
    model_type = config.get("model_type")
    if xlmr_flash.is_described_by(config):
        layout = _XLMR_FLASH
    elif jina_bert.is_described_by(config):
        layout = _JINA_BERT
    elif isinstance(model_type, str) and model_type in _BY_MODEL_TYPE:
        layout = _BY_MODEL_TYPE[model_type]
    else:
        known = ", ".join([*_BY_MODEL_TYPE, "xlm-roberta-flash (position_embedding_type rotary)", "JinaBERT (alibi)"])
        raise ExportError(
            f"{where}: model_type {model_type!r}, this exporter knows {known}; --via optimum takes others"
        )
    architecture = layout.architecture(Config(config, where))
    require_known(config, where, layout.keys, ignored)
    return layout, architecture
