"""Colibri: a loaded model, the object most users hold."""

import logging
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from colibri import artefact as artefacts
from colibri import providers
from colibri.errors import InputError, InputTypeError, ShapeError
from colibri.manifest import Manifest, RoleName
from colibri.scoring import Floats, maxsim
from colibri.tokenizer import TextTokenizer
from colibri.vectors import TokenVectors

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """One document of a ranking."""

    index: int
    """Its place in the list that was given."""
    score: float
    """MaxSim: the sum, over query tokens, of the best cosine. At most the number of query tokens."""
    document: str


class Colibri:
    """A model ready to encode, score and rank. Made by `colibri.load`; threads may share it."""

    def __init__(
        self,
        artefact: artefacts.Artefact,
        *,
        dim: int | None = None,
        variant: str | None = None,
        special_tokens: bool = False,
        threads: int | None = None,
    ) -> None:
        if threads is not None and not _is_count(threads):
            raise InputError(f"threads: found {threads!r}, wanted a whole number from 1, or None")
        warning = providers.require_onnxruntime()
        if warning:
            warnings.warn(warning, RuntimeWarning, stacklevel=3)
        # After the check above, whose message says what to install.
        import onnxruntime  # noqa: PLC0415

        from colibri.encoder import Encoder  # noqa: PLC0415

        self.manifest: Manifest = artefact.manifest
        self.dim: int = self._one_dim(dim)
        choice = providers.choose(
            artefact.manifest,
            variant,
            providers.cpu_features(),
            onnxruntime.get_available_providers(),
            onnxruntime.__version__,
        )
        artefacts.check_files(artefact, artefact.files_to_run(choice.variant, choice.graph))
        self.variant: str = choice.variant_name
        self.provider: str = choice.provider
        tokenizer = TextTokenizer(artefact, special_tokens=special_tokens)
        self._encoder = Encoder(artefact, choice, tokenizer, threads=threads)
        log.info("%s: %s (%s) on %s", self.manifest.name, self.variant, choice.graph.document, self.provider)

    @property
    def name(self) -> str:
        """The artefact's name."""
        return self.manifest.name

    @property
    def dims(self) -> tuple[int, ...]:
        """The widths there is a head for, widest first."""
        return self.manifest.dims

    def __repr__(self) -> str:
        return f"Colibri({self.name!r}, dim={self.dim}, variant={self.variant!r}, provider={self.provider!r})"

    @overload
    def encode_queries(
        self, texts: Sequence[str], dims: int | None = None, *, progress: bool = False
    ) -> TokenVectors: ...
    @overload
    def encode_queries(
        self, texts: Sequence[str], dims: Sequence[int], *, progress: bool = False
    ) -> dict[int, TokenVectors]: ...
    def encode_queries(
        self, texts: Sequence[str], dims: int | Sequence[int] | None = None, *, progress: bool = False
    ) -> TokenVectors | dict[int, TokenVectors]:
        """Token vectors of queries, as the manifest's query role says (markers or prefix, expansion, length).

        dims: None (this model's `dim`) or one width gives TokenVectors; a list gives one TokenVectors a width, all
        from one run of the backbone: screen with 64, rerank with 128.

        Raises InputTypeError for what is not a list of strings, InputError for a width without a head.
        """
        return self._encode(texts, "query", dims, progress)

    @overload
    def encode_documents(
        self, texts: Sequence[str], dims: int | None = None, *, progress: bool = False
    ) -> TokenVectors: ...
    @overload
    def encode_documents(
        self, texts: Sequence[str], dims: Sequence[int], *, progress: bool = False
    ) -> dict[int, TokenVectors]: ...
    def encode_documents(
        self, texts: Sequence[str], dims: int | Sequence[int] | None = None, *, progress: bool = False
    ) -> TokenVectors | dict[int, TokenVectors]:
        """Token vectors of documents; see `encode_queries`. Texts over the role's `max_tokens` are cut (logged).

        A text without rows of its own (empty, white space, only skiplist tokens) keeps its first row, that of the
        start token. With colibri-mini that scores like a vague text: below an answer, often above unrelated documents.
        """
        return self._encode(texts, "document", dims, progress)

    def score(self, query: str | TokenVectors, documents: Sequence[str] | TokenVectors) -> Floats:
        """MaxSim of one query with every document: (n,) float32 in the documents' order.

        Either may be vectors made before (a query's TokenVectors holds one text). Raises ShapeError when they are not
        of one dim or one `space_id`.
        """
        dim = next((given.dim for given in (query, documents) if isinstance(given, TokenVectors)), self.dim)
        queries = query if isinstance(query, TokenVectors) else self._encode([query], "query", dim, False)
        docs = documents if isinstance(documents, TokenVectors) else self._encode(documents, "document", dim, False)
        assert isinstance(queries, TokenVectors)  # one width was asked for
        assert isinstance(docs, TokenVectors)
        if len(queries) != 1:
            raise ShapeError(f"score takes one query, found {len(queries)}")
        if queries.space_id and docs.space_id and queries.space_id != docs.space_id:
            raise ShapeError("query and documents were encoded by different models: encode both with one")
        return maxsim(queries[0], docs, queries.weights)

    def rerank(self, query: str, documents: Sequence[str], top_n: int | None = None) -> list[Result]:
        """Documents by falling score; equal scores keep their order. `top_n` keeps the first so many."""
        if top_n is not None and not _is_count(top_n):
            raise InputError(f"top_n: found {top_n!r}, wanted a whole number from 1, or None")
        documents = _texts(documents, "documents")
        scores = self.score(query, documents)
        order = np.argsort(-scores, kind="stable")[:top_n]
        return [Result(int(i), float(scores[i]), documents[i]) for i in order]

    def _encode(
        self, texts: Sequence[str], role: RoleName, dims: int | Sequence[int] | None, progress: bool
    ) -> TokenVectors | dict[int, TokenVectors]:
        texts = _texts(texts, "texts")
        if dims is None or not isinstance(dims, Iterable) or isinstance(dims, str):
            dim = self._one_dim(dims)
            return self._encoder.encode(texts, role, [dim], progress=progress)[dim]
        wanted = list(dict.fromkeys(self._one_dim(dim) for dim in dims))
        if not wanted:
            raise InputError(f"dims: an empty list; {self.name} has {', '.join(map(str, self.dims))}")
        return self._encoder.encode(texts, role, wanted, progress=progress)

    def _one_dim(self, dim: int | None) -> int:
        if dim is None:
            return getattr(self, "dim", self.manifest.default_dim)
        if not _is_count(dim) or dim not in self.manifest.dims:
            raise InputError(f"dim {dim!r}: {self.name} has heads for {', '.join(map(str, self.manifest.dims))}")
        return int(dim)


def load(
    name_or_path: str | os.PathLike[str] | None = None,
    dim: int | None = None,
    variant: str | None = None,
    *,
    special_tokens: bool = False,
    threads: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> Colibri:
    """Load a model: the shipped one (None), another by name, a folder, or a hub id.

    dim             width of the vectors unless a call says otherwise; None: the artefact's default
    variant         which of the artefact's variants; None: the first that this machine can run
    special_tokens  True lets text such as "<mask>" stand for the token; by default it is plain text
    threads         cores one text may use; None: all this process may use
    cache_dir       where hub ids are kept; None: HF_HOME

    Every file that will be used is compared with its SHA-256 first. Raises ArtefactNotFound, ArtefactError (damaged or
    of a newer format), InputError (unknown dim or variant), MissingExtra (no onnxruntime), ProviderError.
    """
    found = artefacts.find(name_or_path, cache_dir=cache_dir)
    return Colibri(found, dim=dim, variant=variant, special_tokens=special_tokens, threads=threads)


def _is_count(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= 1


def _texts(texts: Sequence[str], what: str) -> list[str]:
    """A list of strings, or an error that says which is not. A lone string is refused: its letters are not meant."""
    if isinstance(texts, str | bytes) or not hasattr(texts, "__iter__"):
        raise InputTypeError(f"{what}: found {type(texts).__name__}, wanted a list of strings")
    listed = list(texts)
    for i, text in enumerate(listed):
        if not isinstance(text, str):
            raise InputTypeError(f"{what}[{i}]: found {type(text).__name__}, wanted str")
    return listed
