"""Checkpoint: texts to rows, as `colbert.modeling.checkpoint.Checkpoint` gives them."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from colibri.compat.colbert.asserted import check, said_as
from colibri.compat.colbert.infra.config.config import ColBERTConfig, settings_of
from colibri.compat.colbert.modeling.tokenization import DocTokenizer, QueryTokenizer
from colibri.compat.handing import handed, known_kind
from colibri.compat.not_here import not_here
from colibri.compat.options import loaded, without_effect
from colibri.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from colibri.model import Colibri
    from colibri.vectors import TokenVectors

_TORCH = (
    "bert linear model raw_tokenizer skiplist parameters named_parameters state_dict query doc forward mask pad_token "
    "amp_manager save"
).split()
_LONGEST_FULL_QUERY = 500
_WITHOUT_EFFECT = (
    "bsize index_bsize nbits kmeans_niters ncells ndocs centroid_score_threshold load_index_with_mmap"
).split()


class Checkpoint:
    """A model under the name of its checkpoint, or a folder: any name that `colibri.load` takes; or a loaded model, or
    another Checkpoint.

    colbert_config  settings over those of the artefact: `dim` (a head it has), `query_maxlen`, `doc_maxlen` (up to what
                    the graph takes), `checkpoint` when no name is given
    verbose         without effect: nothing is printed
    arrays          what comes out: "auto" tensors if torch is imported, else `colibri.compat.Rows`; "torch"; "numpy"
    device          None: the best provider there is; "cpu"; "cuda"
    variant         of the artefact, as `colibri.load` takes it

    Raises as `colibri.load`; InputError for settings that the artefact cannot have.
    """

    def __init__(
        self,
        name: Any,
        colbert_config: Any = None,
        verbose: int = 3,
        *,
        arrays: str | None = None,
        device: Any = None,
        variant: str | None = None,
    ) -> None:
        from colibri import checks

        known_kind(arrays)
        name = getattr(colbert_config, "checkpoint", None) if name is None else name
        if name is None:
            raise InputTypeError("checkpoint: found None, wanted a name, a folder or a hub id")
        self._arrays = arrays
        self._colibri: Colibri = (
            name.colibri if isinstance(name, Checkpoint) else loaded(name, device=device, variant=variant)
        )
        own = ColBERTConfig(**settings_of(self._colibri.manifest))
        self.name = os.fspath(name) if isinstance(name, str | os.PathLike) else name.name
        self.colbert_config = ColBERTConfig.from_existing(own, colbert_config)
        _check_settings(self.colbert_config, own)
        given = getattr(colbert_config, "assigned", {})
        without_effect("ColBERTConfig", **{name: given.get(name) for name in _WITHOUT_EFFECT})
        self._dim = checks.one_dim(self._colibri.manifest, self.colbert_config.dim)
        self._own = own
        self.query_tokenizer = QueryTokenizer(self.colbert_config.query_maxlen)
        self.doc_tokenizer = DocTokenizer(self.colbert_config.doc_maxlen)
        self.verbose = verbose
        # Lengths beyond the graph are refused now, not by the first text.
        self.query_vectors([])
        self.document_vectors([])

    @property
    def colibri(self) -> "Colibri":
        """The model that does the work."""
        return self._colibri

    @property
    def dim(self) -> int:
        """Width of the rows."""
        return self._dim

    @property
    def device(self) -> str:
        """Where rows come out: always "cpu"; `colibri.provider` says what runs the model."""
        return "cpu"

    def queryFromText(
        self,
        queries: Sequence[str],
        bsize: int | None = None,
        to_cpu: bool = False,
        context: Any = None,
        full_length_search: bool = False,
    ) -> Any:
        """Rows of queries, (n, query_maxlen, dim) float32; where the model does not expand queries, (n, longest, dim)
        with zero rows behind. Weights are folded in. One string is a list of one.

        full_length_search: a single query that is longer than `query_maxlen` keeps its tokens, up to 500

        Raises Refused (AssertionError) for what is no list or tuple, InputTypeError for what is no text in it, NotHere
        for a context.
        """
        without_effect("Checkpoint.queryFromText", bsize=bsize, to_cpu=to_cpu or None)
        if context is not None:
            not_here("context=", "Baleen's background of 512 tokens needs a graph of its own", "leave it out")
        rows, _ = self.query_vectors(_listed(queries), full_length=full_length_search).padded()
        if not len(rows):
            rows = rows.reshape(0, self.query_tokenizer.query_maxlen, self.dim)
        return handed(rows, self._arrays)

    def docFromText(
        self,
        docs: Sequence[str],
        bsize: int | None = None,
        keep_dims: bool | str = True,
        to_cpu: bool = False,
        showprogress: bool = False,
        return_tokens: bool = False,
        pool_factor: int = 1,
        protected_tokens: int = 0,
        clustering_mode: str = "hierarchical",
    ) -> Any:
        """Rows of documents, float32: kept rows first, zero rows behind.

        keep_dims True       (n, longest, dim), the longest text's dropped punctuation counted
                  False      a list of (tokens, dim)
                  "flatten"  rows end to end (tokens of all, dim), and a list of how many each has; only with `bsize`

        With `bsize`, which else has no effect, a tuple of that; `return_tokens` adds a list of each document's token
        ids, int64, dropped ones included. Raises as `queryFromText`; NotHere for a pool_factor over 1.
        """
        check(keep_dims in (True, False, "flatten"), f"keep_dims: found {keep_dims!r}, wanted True, False or 'flatten'")
        check(clustering_mode == "hierarchical", f"clustering_mode: found {clustering_mode!r}, wanted 'hierarchical'")
        check(bsize or keep_dims != "flatten", "keep_dims='flatten' wants a bsize")
        if pool_factor > 1:
            not_here("pool_factor over 1", "Colibri pools by a rule of its own", "use colibri.TokenVectors.pooled")
        without_effect(
            "Checkpoint.docFromText", bsize=bsize, to_cpu=to_cpu or None, protected_tokens=protected_tokens or None
        )
        texts = _listed(docs)
        vectors = self.document_vectors(texts, progress=showprogress)
        found: list[Any] = []
        if keep_dims == "flatten":
            found = [handed(vectors.rows, self._arrays), [len(rows) for rows in vectors]]
        elif keep_dims:
            found = [handed(self._stacked(vectors, texts), self._arrays)]
        else:
            found = [[handed(rows, self._arrays) for rows in vectors]]
        if not bsize:
            return found[0]
        if return_tokens:
            found.append([handed(one.ids, self._arrays) for one in self._tokens(texts)])
        return tuple(found)

    def query_vectors(
        self, texts: list[str], *, length: int | None = None, full_length: bool = False
    ) -> "TokenVectors":
        """Queries of `length` tokens, with weights beside them; None: the tokenizer's `query_maxlen`."""
        length = self.query_tokenizer.query_maxlen if length is None else length
        if full_length:
            check(len(texts) == 1, "full_length_search takes one query")
            most = min(_LONGEST_FULL_QUERY, self._colibri.manifest.architecture.max_positions)
            length = min(most, max(length, len(self._colibri.token_offsets(texts[0]))))
        if length == self._own.query_maxlen:
            return self._colibri.encode_queries(texts, self.dim)
        expand = length if self._colibri.manifest.query.expansion else None
        with said_as("max_tokens", "query_maxlen"):
            return self._colibri.encode_queries(texts, self.dim, max_tokens=length, expand_to=expand)

    def document_vectors(self, texts: list[str], *, progress: bool = False) -> "TokenVectors":
        """Documents cut at the tokenizer's `doc_maxlen`."""
        with said_as("max_tokens", "doc_maxlen"):
            return self._colibri.encode_documents(texts, self.dim, max_tokens=self.document_tokens, progress=progress)

    @property
    def document_tokens(self) -> int | None:
        """Where documents are cut; None: as the artefact says."""
        length = self.doc_tokenizer.doc_maxlen
        return None if length == self._own.doc_maxlen else length

    def _tokens(self, texts: list[str]) -> Any:
        return self._colibri.tokens(texts, max_tokens=self.document_tokens)

    def _stacked(self, vectors: "TokenVectors", texts: list[str]) -> Any:
        """As long as the longest text was with its punctuation, which is the original's shape."""
        import numpy as np

        rows, _ = vectors.padded()
        longest = max((len(one.ids) for one in self._tokens(texts)), default=0)
        return np.pad(rows, ((0, 0), (0, longest - rows.shape[1]), (0, 0)))

    def _itself(self, *_: Any, **__: Any) -> Self:
        """Itself: the provider was chosen when it was loaded."""
        return self

    to = cuda = cpu = eval = train = half = float = compile = requires_grad_ = _itself

    def __getattr__(self, name: str) -> Any:
        if name in _TORCH:
            not_here(f"Checkpoint.{name}", "there is no torch module", "use queryFromText, docFromText or colibri.load")
        raise AttributeError(f"'Checkpoint' object has no attribute {name!r}")


def _listed(texts: Any) -> list[str]:
    if isinstance(texts, str):
        return [texts]
    check(isinstance(texts, list | tuple), f"{type(texts)}: wanted a list or tuple of texts")
    return list(texts)


def _check_settings(config: ColBERTConfig, own: ColBERTConfig) -> None:
    """Refuse what an artefact decides and the configuration would have otherwise."""
    if config.similarity != "cosine":
        not_here(f"similarity {config.similarity!r}", "rows are compared by cosine", 'leave it at "cosine"')
    if config.interaction != "colbert":
        not_here(f"interaction {config.interaction!r}", "scores are MaxSim", 'leave it at "colbert"')
    for name in ("mask_punctuation", "attend_to_mask_tokens"):
        said, wanted = getattr(config, name), getattr(own, name)
        if said != wanted:
            raise InputError(
                f"{name}: the configuration says {said}, the artefact was exported with {wanted}; leave it out, or "
                "export the checkpoint with the other"
            )
