"""`models.ColBERT`: texts to rows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from colibri.compat.bare_model import BareModel, listed
from colibri.compat.not_here import absent, not_here
from colibri.compat.options import hub_words, without_effect
from colibri.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from colibri.artefact import RoleName

__all__ = ["ColBERT", "Dense"]

Dense = absent("pylate.models.Dense", "there is no torch to put together", "name a model or a folder")

_PRECISIONS = ("float32", "int8", "uint8", "binary", "ubinary")


class ColBERT(BareModel):
    """A model by name, folder, alias or hub id, as `colibri.load` finds it.

    What an artefact says of a model (prefixes, expansion, skiplist) may be said again and must be the same: InputError
    names what differs. `query_length` and `document_length` go up to what the graph takes; `embedding_size` chooses
    one of the model's widths. `cache_folder`, `revision`, `token` and `local_files_only` are obeyed where the name is a
    hub id, as `colibri.load` tells. `arrays`: see `colibri.compat.arrays`.
    """

    _called = "ColBERT"

    def __init__(
        self,
        model_name_or_path: Any = None,
        modules: Any = None,
        device: Any = None,
        prompts: Mapping[str, str] | None = None,
        default_prompt_name: str | None = None,
        similarity_fn_name: str | None = None,
        cache_folder: str | None = None,
        trust_remote_code: bool | None = None,
        revision: str | None = None,
        local_files_only: bool | None = None,
        token: bool | str | None = None,
        use_auth_token: bool | str | None = None,
        truncate_dim: int | None = None,
        embedding_size: int | None = None,
        bias: bool | None = None,
        query_prefix: str | None = None,
        document_prefix: str | None = None,
        truncation: bool | None = None,
        query_length: int | None = None,
        document_length: int | None = None,
        do_query_expansion: bool | None = None,
        attend_to_expansion_tokens: bool | None = None,
        skiplist_words: Sequence[str] | None = None,
        model_kwargs: Mapping[str, Any] | None = None,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        config_kwargs: Mapping[str, Any] | None = None,
        model_card_data: Any = None,
        *,
        arrays: str | None = None,
    ) -> None:
        without_effect("models.ColBERT", trust_remote_code=trust_remote_code, model_kwargs=model_kwargs, bias=bias)
        without_effect("models.ColBERT", tokenizer_kwargs=tokenizer_kwargs, config_kwargs=config_kwargs)
        without_effect("models.ColBERT", model_card_data=model_card_data, truncation=truncation)
        if modules is not None:
            not_here("ColBERT of modules", "there is no torch to put together", "name a model or a folder")
        if similarity_fn_name not in (None, "MaxSim"):
            raise InputError(f"similarity_fn_name: found {similarity_fn_name!r}, wanted 'MaxSim'")
        super().__init__(
            model_name_or_path,
            device=device,
            dim=embedding_size if embedding_size is not None else truncate_dim,
            arrays=arrays,
            hub=hub_words(cache_folder, revision, use_auth_token if token is None else token, local_files_only),
        )
        self._more_prompts = dict(prompts or {})
        self.default_prompt_name = default_prompt_name
        self._check_prefix("query", query_prefix)
        self._check_prefix("document", document_prefix)
        self._check_expansion(do_query_expansion, attend_to_expansion_tokens)
        self._check_skiplist(skiplist_words)
        self._set_length("query", query_length)
        self._set_length("document", document_length)

    @property
    def similarity_fn_name(self) -> str:
        """ "MaxSim"."""
        return "MaxSim"

    def encode(
        self,
        sentences: Any,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        precision: str = "float32",
        convert_to_numpy: bool = True,
        convert_to_tensor: bool = False,
        padding: bool = False,
        device: Any = None,
        normalize_embeddings: bool = True,
        is_query: bool = True,
        pool_factor: int = 1,
        protected_tokens: int | None = None,
        output_value: str | None = "token_embeddings",
    ) -> Any:
        """Rows of texts, **of queries unless is_query=False**: a list of (tokens, dim) float32 arrays in their order.

        One string gives one array, a list of lists a list of lists. convert_to_tensor=True (or convert_to_numpy=False)
        gives what `colibri.compat.arrays` says in place of numpy's; padding=True arrays of (1, longest, dim) with zero
        rows behind. Query weights are folded into the rows, which then are not of unit length.

        Raises InputTypeError for what is no text, InputError for an option that is none, NotHere for pooling, other
        precisions, rows that are not normalised and output_value=None.
        """
        without_effect("ColBERT.encode", batch_size=batch_size, protected_tokens=protected_tokens)
        _refuse(precision, normalize_embeddings, pool_factor, is_query, output_value)
        if device is not None:
            self.to(device)
        texts, single = listed(sentences, "sentences")
        groups = [list(part) for part in texts] if texts and all(isinstance(part, list) for part in texts) else None
        flat = [text for part in groups for text in part] if groups is not None else texts
        role: RoleName = "query" if is_query else "document"
        given = self._prompted(flat, role, prompt, prompt_name or self.default_prompt_name)
        rows = self._rows(given, role, show_progress_bar)
        tensors = convert_to_tensor or not convert_to_numpy
        if groups is not None:
            return [self._formed(part, tensors, padding, stack=convert_to_tensor) for part in _parts(rows, groups)]
        formed = self._formed(rows, tensors, padding, stack=False)
        return formed[0] if single else formed

    def _formed(self, rows: "list[NDArray[Any]]", tensors: bool, padding: bool, *, stack: bool) -> Any:
        """As the caller wants them. stack: of a list in a list, where all are as long, one array, as PyLate gives."""
        import numpy as np

        if padding and rows:
            padded = np.zeros((len(rows), max(map(len, rows)), self._dim), np.float32)
            for i, part in enumerate(rows):
                padded[i, : len(part)] = part
            rows = [padded[i : i + 1] for i in range(len(rows))]
        if not tensors:
            return [np.ascontiguousarray(part) for part in rows]
        if stack and rows and len({len(part) for part in rows}) == 1:
            return self._handed(np.stack(rows))
        return [self._handed(part) for part in rows]

    def _check_expansion(self, wanted: bool | None, attended: bool | None) -> None:
        own = self.colibri.manifest.query.expansion
        if wanted is not None and wanted != (own is not None):
            raise InputError(f"do_query_expansion: found {wanted}, {self.colibri.name} was made with {own is not None}")
        if attended is not None and own is not None and attended != own.attended:
            raise InputError(
                f"attend_to_expansion_tokens: found {attended}, {self.colibri.name} was made with {own.attended}; "
                "leave it out, or `colibri export` the model with the other"
            )

    def _check_skiplist(self, words: Sequence[str] | None) -> None:
        import string

        if words is None:
            return
        rule = self.colibri.manifest.document.skiplist.rule
        if not words if rule == "none" else rule != "custom" and set(words) == set(string.punctuation):
            return
        own = "none" if rule == "none" else "string.punctuation" if rule != "custom" else "a list of its own"
        raise InputError(f"skiplist_words: {self.colibri.name} was made with {own}; leave them out, or export it anew")


def _refuse(precision: str, normalised: bool, pool_factor: int, is_query: bool, output_value: str | None) -> None:
    if output_value is None:
        not_here("output_value=None", "only the rows that count leave a model", 'use "token_embeddings"')
    if output_value != "token_embeddings":
        raise InputError(f"output_value: found {output_value!r}, wanted 'token_embeddings'")
    if precision not in _PRECISIONS:
        raise InputError(f"precision: found {precision!r}, wanted 'float32'")
    if precision != "float32":
        not_here(f"precision={precision!r}", "arrays leave as float32", "use colibri.TokenVectors.quantize for int8")
    if not normalised:
        not_here("normalize_embeddings=False", "an artefact's graph gives unit rows", "leave it out")
    if pool_factor != 1 and not is_query:
        not_here(f"pool_factor={pool_factor}", "Colibri pools by a rule of its own", "use colibri.TokenVectors.pooled")


def _parts(rows: "list[NDArray[Any]]", groups: Sequence[Sequence[Any]]) -> "list[list[NDArray[Any]]]":
    """Rows of all texts as the lists they came in."""
    ends = iter(rows)
    return [[next(ends) for _ in group] for group in groups]
