"""sentence-transformers 6.2.0's `MultiVectorEncoder` as its users import it.

    from colibri.compat.sentence_transformers import MultiVectorEncoder     # was: from sentence_transformers import ...

Its other models make one vector a text, and are not here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from colibri.compat.bare_model import BareModel, listed
from colibri.compat.bare_rows import matrix, packed, pairwise
from colibri.compat.not_here import not_here
from colibri.compat.options import hub_words, without_effect
from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.artefact import RoleName
    from colibri.vectors import TokenVectors

__all__ = ["MultiVectorEncoder"]

_SIMILARITIES = ("maxsim", "meanmaxsim")


class MultiVectorEncoder(BareModel):
    """A model by name, folder, alias or hub id, as `colibri.load` finds it, which obeys `cache_folder`, `revision`,
    `token` and `local_files_only`, too. `arrays`: see `colibri.compat.arrays`."""

    _called = "MultiVectorEncoder"

    def __init__(
        self,
        model_name_or_path: Any = None,
        *,
        modules: Any = None,
        device: Any = None,
        prompts: Mapping[str, str] | None = None,
        default_prompt_name: str | None = None,
        cache_folder: str | None = None,
        trust_remote_code: bool | None = None,
        revision: str | None = None,
        local_files_only: bool | None = None,
        token: bool | str | None = None,
        model_kwargs: Mapping[str, Any] | None = None,
        processor_kwargs: Mapping[str, Any] | None = None,
        config_kwargs: Mapping[str, Any] | None = None,
        model_card_data: Any = None,
        backend: str | None = None,
        similarity_fn_name: str | None = None,
        arrays: str | None = None,
    ) -> None:
        without_effect("MultiVectorEncoder", trust_remote_code=trust_remote_code, model_kwargs=model_kwargs)
        without_effect("MultiVectorEncoder", backend=backend, model_card_data=model_card_data)
        without_effect("MultiVectorEncoder", processor_kwargs=processor_kwargs, config_kwargs=config_kwargs)
        without_effect("MultiVectorEncoder", default_prompt_name=default_prompt_name)
        if modules is not None:
            not_here("MultiVectorEncoder of modules", "there is no torch to put together", "name a model or a folder")
        self.similarity_fn_name = similarity_fn_name or "maxsim"
        hub = hub_words(cache_folder, revision, token, local_files_only)
        super().__init__(model_name_or_path, device=device, dim=None, arrays=arrays, hub=hub)
        for role, prompt in (prompts or {}).items():
            if role in ("query", "document"):
                self._check_prefix("query" if role == "query" else "document", prompt)
            else:
                self._more_prompts[role] = prompt

    @property
    def similarity_fn_name(self) -> str:
        """ "maxsim" or "meanmaxsim", which is that divided by the number of the query's rows; can be set."""
        return self._similarity

    @similarity_fn_name.setter
    def similarity_fn_name(self, value: Any) -> None:
        name = getattr(value, "value", value)
        if name not in _SIMILARITIES:
            raise InputError(f"similarity_fn_name: found {value!r}, wanted {' or '.join(map(repr, _SIMILARITIES))}")
        self._similarity = str(name)

    def encode_query(
        self,
        inputs: Any,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        output_value: str | None = "token_embeddings",
        convert_to_numpy: bool = False,
        device: Any = None,
        normalize_embeddings: bool | None = None,
        pool: Any = None,
        chunk_size: int | None = None,
        token_pooling: Any = None,
        **unused: Any,
    ) -> Any:
        """Rows of queries; see `encode`."""
        without_effect("encode_query", batch_size=batch_size, chunk_size=chunk_size, normalise=normalize_embeddings)
        self._refuse(output_value, device, pool, token_pooling, unused)
        return self._encode(inputs, "query", prompt, prompt_name, show_progress_bar, convert_to_numpy)

    def encode_document(
        self,
        inputs: Any,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        output_value: str | None = "token_embeddings",
        convert_to_numpy: bool = False,
        device: Any = None,
        normalize_embeddings: bool | None = None,
        pool: Any = None,
        chunk_size: int | None = None,
        token_pooling: Any = None,
        **unused: Any,
    ) -> Any:
        """Rows of documents; see `encode`."""
        without_effect("encode_document", batch_size=batch_size, chunk_size=chunk_size, normalise=normalize_embeddings)
        self._refuse(output_value, device, pool, token_pooling, unused)
        return self._encode(inputs, "document", prompt, prompt_name, show_progress_bar, convert_to_numpy)

    def encode(
        self,
        inputs: Any,
        prompt_name: str | None = None,
        prompt: str | None = None,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
        output_value: str | None = "token_embeddings",
        convert_to_numpy: bool = False,
        device: Any = None,
        normalize_embeddings: bool | None = None,
        pool: Any = None,
        chunk_size: int | None = None,
        token_pooling: Any = None,
        task: str | None = None,
        **unused: Any,
    ) -> Any:
        """Rows of texts, of queries with task="query" and else of documents: a list of (tokens, dim) float32 arrays in
        their order, as `colibri.compat.arrays` says, or numpy's with convert_to_numpy; one string gives one.

        Markers are part of the model and always there, as if `encode_query` or `encode_document` had been called;
        sentence-transformers leaves them out here. Query weights are folded into the rows.

        Raises InputTypeError for what is no text, InputError for an option that is none, NotHere for pooling, pools of
        processes and output_value=None.
        """
        without_effect("encode", batch_size=batch_size, chunk_size=chunk_size, normalise=normalize_embeddings)
        self._refuse(output_value, device, pool, token_pooling, unused)
        if task not in (None, "query", "document"):
            raise InputError(f"task: found {task!r}, wanted 'query', 'document' or None, which is 'document'")
        role: RoleName = "query" if task == "query" or (task is None and prompt_name == "query") else "document"
        return self._encode(inputs, role, prompt, prompt_name, show_progress_bar, convert_to_numpy)

    def similarity(self, embeddings1: Any, embeddings2: Any, **options: Any) -> Any:
        """MaxSim of every query (embeddings1) with every document: (queries, documents) float32.

        Both: a list of (tokens, dim) arrays or tensors, a padded (n, tokens, dim), or one (tokens, dim).
        """
        mean = self._is_mean(options)
        queries = packed(embeddings1, "embeddings1", drop_padding=False)
        scores = matrix(queries, packed(embeddings2, "embeddings2", drop_padding=True))
        return self._handed(scores / _lengths(queries)[:, None] if mean else scores)

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any, **options: Any) -> Any:
        """MaxSim of each query with the document at its place: (n,) float32."""
        mean = self._is_mean(options)
        queries = packed(embeddings1, "embeddings1", drop_padding=False)
        scores = pairwise(queries, packed(embeddings2, "embeddings2", drop_padding=True))
        return self._handed(scores / _lengths(queries) if mean else scores)

    def _is_mean(self, options: dict[str, Any]) -> bool:
        if unknown := options.keys() - {"device", "chunk_elements", "length_normalize"}:
            raise TypeError(f"similarity() got an unexpected keyword argument {sorted(unknown)[0]!r}")
        chosen = options.get("length_normalize")
        return self._similarity == "meanmaxsim" if chosen is None else bool(chosen)

    def _encode(
        self, inputs: Any, role: "RoleName", prompt: str | None, name: str | None, progress: bool | None, plain: bool
    ) -> Any:
        texts, single = listed(inputs, "inputs")
        given = self._prompted(texts, role, prompt, name)
        if given is not texts:
            not_here(
                f"a prompt for a {role} other than {self._prefix(role)!r}",
                "it would stand in the place of the model's own",
                "put the words before the text yourself",
            )
        rows = self._rows(given, role, progress)
        found = rows if plain else [self._handed(part) for part in rows]
        return found[0] if single else found

    def _refuse(self, output_value: str | None, device: Any, pool: Any, pooling: Any, unused: dict[str, Any]) -> None:
        if "convert_to_tensor" in unused:
            raise InputError(
                "convert_to_tensor: rows of several texts are not as many each, so there is nothing to stack; leave it "
                "out, a list of tensors is what comes, or pass convert_to_numpy=True"
            )
        if unused:
            raise InputError(f"found {', '.join(map(repr, sorted(unused)))}, which encode does not know")
        if output_value is None:
            not_here("output_value=None", "only the rows that count leave a model", 'use "token_embeddings"')
        if output_value != "token_embeddings":
            raise InputError(f"output_value: found {output_value!r}, wanted 'token_embeddings'")
        if pooling is not None:
            not_here("token_pooling", "Colibri pools by a rule of its own", "use colibri.TokenVectors.pooled")
        if pool is not None or isinstance(device, list):
            self._no_pool()
        if device is not None:
            self.to(device)


def _lengths(queries: "TokenVectors") -> Any:
    """Rows of each query that are not padding."""
    import numpy as np

    return np.array([max(1, int((rows != 0).any(axis=1).sum())) for rows in queries], np.float32)


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__") or not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    not_here(
        f"sentence_transformers.{name}",
        "only MultiVectorEncoder is late interaction",
        "install sentence-transformers for it, and import MultiVectorEncoder from colibri.compat.sentence_transformers",
    )
