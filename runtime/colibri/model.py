"""Colibri: a loaded model, the object most users hold."""

import logging
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Unpack, overload

from colibri import artefact as artefacts
from colibri import checks, providers
from colibri.artefact import Fit, Manifest, RoleName, bounds, fit_of
from colibri.encoding import Call, DocumentOptions, QueryOptions
from colibri.errors import ArtefactError, InputError, ShapeError
from colibri.scoring import Floats, maxsim
from colibri.tokens import Encoded, TextTokenizer
from colibri.vectors import Spans, TokenVectors

log = logging.getLogger(__name__)

Dims = int | Sequence[int] | None


@dataclass(frozen=True)
class Result:
    """One document of a ranking."""

    index: int
    """Its place in the list that was given."""
    score: float
    """MaxSim: the sum, over query tokens, of the best cosine. At most the number of query tokens."""
    document: str
    """Its text."""
    id: str | None = None
    """As it was given, with a mapping or a `colibri.Document`."""
    payload: dict[str, Any] | None = None
    fit: Fit | None = None
    """Whether it fits the query at all, by the model's cutoffs; None where it has none."""


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
        workers: int | None = None,
        provider: str = providers.AUTO,
        batch_tokens: int | None = None,
        engine_cache: str | os.PathLike[str] | Literal[False] | None = None,
    ) -> None:
        checks.optional_count("threads", threads)
        checks.optional_count("workers", workers)
        checks.optional_count("batch_tokens", batch_tokens)
        providers.wanted_providers(artefact.manifest, variant, provider)  # refused before anything is loaded
        cache = providers.cache_place(engine_cache)
        self._artefact = artefact
        self._asked = {
            "variant": variant,
            "special_tokens": special_tokens,
            "threads": threads,
            "workers": workers,
            "provider": provider,
            "batch_tokens": batch_tokens,
            "engine_cache": engine_cache,
        }
        self.manifest: Manifest = artefact.manifest
        self.dim: int = self.manifest.default_dim if dim is None else checks.one_dim(self.manifest, dim)
        with artefacts.Checking(artefact) as checking:
            # Weights are hashed while onnxruntime is imported: both take some 50 ms of a core.
            checking.begin(providers.likely_weights(artefact, variant, provider, cache))
            warning = providers.require_onnxruntime()
            if warning:
                warnings.warn(warning, RuntimeWarning, stacklevel=3)
            # After the check above, whose message says what to install.
            from colibri.encoding import Encoder, Limits, packed_for  # noqa: PLC0415

            chosen = providers.best_choices(artefact.manifest, variant, provider)
            packed = packed_for(artefact, chosen.found[0], cache)
            with checking.checked(packed.left(artefact, chosen.found[0])):
                self._encoder = Encoder(
                    artefact,
                    chosen,
                    lambda: TextTokenizer(artefact, special_tokens=special_tokens),
                    limits=Limits(threads, workers, batch_tokens, cache, provider != providers.AUTO, packed),
                )
        log.info("%s: %s", self.name, self.provider)

    @property
    def provider(self) -> providers.Provider:
        """What runs the model: name, device, variant, and why nothing better does. It changes when an accelerator
        fails and the CPU takes over."""
        return self._encoder.provider

    @property
    def variant(self) -> str:
        """The artefact's variant that runs."""
        return self._encoder.provider.variant

    @property
    def name(self) -> str:
        """The artefact's name."""
        return self.manifest.name

    @property
    def dims(self) -> tuple[int, ...]:
        """The widths there is a head for, widest first."""
        return self.manifest.dims

    def __repr__(self) -> str:
        return f"Colibri({self.name!r}, dim={self.dim}, variant={self.variant!r}, provider={self.provider.name!r})"

    def __copy__(self) -> "Colibri":
        """One that shares what runs, as threads do."""
        made = object.__new__(type(self))
        made.__dict__ |= self.__dict__
        return made

    def __deepcopy__(self, memo: object) -> "Colibri":
        """As a copy: a model does not change, and its weights are there once."""
        return self.__copy__()

    def __reduce__(self) -> tuple[Callable[..., "Colibri"], tuple[object, ...]]:
        """A pickle names the artefact and the options of `load`; whoever reads it loads it there, or shares the one
        that another pickle of it loaded and that is in use. A token for the hub is not in it."""
        return _loaded_again, (self._artefact.found_again(), {"dim": self.dim, **self._asked}, self.manifest.space_id)

    @overload
    def encode_queries(
        self, texts: Sequence[str], dims: int | None = None, **options: Unpack[QueryOptions]
    ) -> TokenVectors: ...
    @overload
    def encode_queries(
        self, texts: Sequence[str], dims: Sequence[int], **options: Unpack[QueryOptions]
    ) -> dict[int, TokenVectors]: ...
    def encode_queries(
        self, texts: Sequence[str], dims: Dims = None, **options: Unpack[QueryOptions]
    ) -> TokenVectors | dict[int, TokenVectors]:
        """Token vectors of queries, as the manifest's query role says (markers or prefix, expansion, length).

        dims: None (this model's `dim`) or one width gives TokenVectors; a list gives one TokenVectors a width, all
        from one run of the backbone: screen with 64, rerank with 128. Options: see `QueryOptions`.

        Raises, before any work, InputTypeError for what is not a list of strings and InputError for a width without a
        head or an option that is none; ProviderError, naming the text, when onnxruntime fails.
        """
        return self._call(texts, "query", dims, options).result()

    @overload
    def encode_documents(
        self, texts: Sequence[str], dims: int | None = None, **options: Unpack[DocumentOptions]
    ) -> TokenVectors: ...
    @overload
    def encode_documents(
        self, texts: Sequence[str], dims: Sequence[int], **options: Unpack[DocumentOptions]
    ) -> dict[int, TokenVectors]: ...
    def encode_documents(
        self, texts: Sequence[str], dims: Dims = None, **options: Unpack[DocumentOptions]
    ) -> TokenVectors | dict[int, TokenVectors]:
        """Token vectors of documents; see `encode_queries`. Options: see `DocumentOptions`.

        `workers` of them run at once, each on one core; the result has their order. Texts over the role's `max_tokens`
        are cut and counted, unless `long_documents` says otherwise.

        A text without rows of its own (empty, white space, only skiplist tokens) keeps its first row, that of the
        start token. With colibri-mini that scores like a vague text: below an answer, often above unrelated documents.
        """
        return self._call(texts, "document", dims, options).result()

    @overload
    def stream_documents(
        self,
        texts: Iterable[str],
        dims: int | None = None,
        *,
        chunk_tokens: int = ...,
        **options: Unpack[DocumentOptions],
    ) -> Iterator[TokenVectors]: ...
    @overload
    def stream_documents(
        self, texts: Iterable[str], dims: Sequence[int], *, chunk_tokens: int = ..., **options: Unpack[DocumentOptions]
    ) -> Iterator[dict[int, TokenVectors]]: ...
    def stream_documents(
        self, texts: Iterable[str], dims: Dims = None, *, chunk_tokens: int = 65_536, **options: Unpack[DocumentOptions]
    ) -> Iterator[TokenVectors] | Iterator[dict[int, TokenVectors]]:
        """Token vectors of any number of documents, in chunks of `chunk_tokens` rows or a little more.

        `texts` may be a generator: it is read in this thread, some texts ahead of what was yielded, and memory
        does not grow with their number. Chunks hold whole texts in their order; their `sources` count the texts from
        the beginning of the stream. Leaving the loop or Ctrl-C ends all work at once.

            for vectors in model.stream_documents(open("passages.txt"), dtype="float16", progress=True): ...
        """
        if not checks.is_count(chunk_tokens):
            raise InputError(f"chunk_tokens: found {chunk_tokens!r}, wanted a whole number from 1")
        return self._call(texts, "document", dims, options, stream=True).chunks(chunk_tokens)

    @overload
    async def aencode_queries(
        self, texts: Sequence[str], dims: int | None = None, **options: Unpack[QueryOptions]
    ) -> TokenVectors: ...
    @overload
    async def aencode_queries(
        self, texts: Sequence[str], dims: Sequence[int], **options: Unpack[QueryOptions]
    ) -> dict[int, TokenVectors]: ...
    async def aencode_queries(
        self, texts: Sequence[str], dims: Dims = None, **options: Unpack[QueryOptions]
    ) -> TokenVectors | dict[int, TokenVectors]:
        """`encode_queries` for asyncio: the event loop stays free, and cancelling the task ends the work."""
        return await self._call(texts, "query", dims, options).result_async()

    @overload
    async def aencode_documents(
        self, texts: Sequence[str], dims: int | None = None, **options: Unpack[DocumentOptions]
    ) -> TokenVectors: ...
    @overload
    async def aencode_documents(
        self, texts: Sequence[str], dims: Sequence[int], **options: Unpack[DocumentOptions]
    ) -> dict[int, TokenVectors]: ...
    async def aencode_documents(
        self, texts: Sequence[str], dims: Dims = None, **options: Unpack[DocumentOptions]
    ) -> TokenVectors | dict[int, TokenVectors]:
        """`encode_documents` for asyncio: the event loop stays free, and cancelling the task ends the work."""
        return await self._call(texts, "document", dims, options).result_async()

    def token_offsets(self, text: str) -> Spans:
        """The characters behind each token of a text, however long: (tokens, 2) int32. Nothing is run or cut."""
        return self._encoder.offsets(text)

    def word_weight(self, word: str) -> float:
        """How much a word means on its own, whatever stands around it: the weights that its tokens have in a query,
        together, by the largest there is. 1 where the model has no such weights, 0 for a word without tokens."""
        return self._encoder.word_weight(word)

    def tokens(
        self,
        texts: Sequence[str],
        role: RoleName = "document",
        *,
        max_tokens: int | None = None,
        expand_to: int | None = None,
    ) -> list[Encoded]:
        """What the model is given for each text: `ids` (n,) int64, markers and mask tokens included; `keep` (n,) bool,
        which of them get a row in the text's TokenVectors, in that order; `attended`, `spans`. Nothing is run.

        role: "query" or "document". Lengths as in `QueryOptions`. Raises as `encode_queries` does.
        """
        known: Sequence[RoleName] = ("query", "document")
        rules = self._encoder.rules(checks.one_of("role", role, known), max_tokens, expand_to)
        return self._encoder.laid_out(checks.listed_texts(texts, "texts"), rules)

    @property
    def room_tokens(self) -> int:
        """How many tokens of a document fit beside its markers and its prefix."""
        prefix = self.manifest.document.prefix or ""
        return self._encoder.room(self.manifest.document) - (len(self._encoder.offsets(prefix)) if prefix else 0)

    def score(self, query: str | TokenVectors, documents: Sequence[str] | TokenVectors) -> Floats:
        """MaxSim of one query with every document: (n,) float32 in the documents' order.

        Either may be vectors made before (a query's TokenVectors holds one text). Raises ShapeError when they are not
        of one dim or one `space_id`.
        """
        dim = next((given.dim for given in (query, documents) if isinstance(given, TokenVectors)), self.dim)
        queries = query if isinstance(query, TokenVectors) else self.encode_queries([query], dim)
        docs = documents if isinstance(documents, TokenVectors) else self.encode_documents(documents, dim)
        if len(queries) != 1:
            raise ShapeError(f"score takes one query, found {len(queries)}")
        if queries.space_id and docs.space_id and queries.space_id != docs.space_id:
            raise ShapeError("query and documents were encoded by different models: encode both with one")
        return maxsim(queries[0], docs, queries.weights)

    def rerank(
        self,
        query: str,
        documents: Iterable[str | Mapping[str, Any] | checks.HasText],
        top_n: int | None = None,
        *,
        k: int | None = None,
    ) -> list[Result]:
        """Documents by falling score; equal scores keep their order.

        documents  texts, or what `Index.add` takes: mappings with `text`, and `id` and `payload` where there are any,
                   or `colibri.Document`s; a text of any length is scored as one
        k          how many of the best; `top_n` is another name for it

        A query of nothing but blanks asks nothing and gets nothing, as in `Index.search`: its markers alone would rank
        documents by how little they say. `score` tells what they would.

        Raises InputTypeError for what is none of these, InputError for an unknown field, for a document without a text
        or with ready vectors, which `score` takes, and for a `k` and a `top_n` that differ.
        """
        count = checks.one_count(k=k, top_n=top_n)
        given = checks.ranked_documents(documents)
        if not checks.listed_texts([query], "query")[0].strip():
            return []
        queries = self.encode_queries([query])
        scores = self.score(queries, [one.text for one in given])
        within = bounds(self.manifest, queries.dim, queries.weight)
        order = (-scores).argsort(kind="stable")[:count]
        return [
            Result(int(i), score, given[i].text, given[i].id, given[i].payload, fit_of(within, score))
            for i in order
            for score in [float(scores[i])]
        ]

    def _call(
        self,
        texts: Iterable[str],
        role: RoleName,
        dims: Dims,
        options: QueryOptions | DocumentOptions,
        *,
        stream: bool = False,
    ) -> Call:
        given = checks.iterable_texts(texts, "texts")
        if not stream:
            given = checks.listed_texts(given, "texts", all_strings=options.get("on_error") != "skip")
        wanted = checks.wanted_dims(self.manifest, dims, self.dim)
        several = isinstance(dims, Iterable)
        return Call(self._encoder, given, role, wanted, options, several=several, stream=stream)


def load(
    name_or_path: str | os.PathLike[str] | None = None,
    dim: int | None = None,
    variant: str | None = None,
    *,
    special_tokens: bool = False,
    threads: int | None = None,
    workers: int | None = None,
    provider: str = providers.AUTO,
    batch_tokens: int | None = None,
    engine_cache: str | os.PathLike[str] | Literal[False] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> Colibri:
    """Load a model: the shipped one (None), a folder, or any name it goes by.

    Names are those of artefacts, their aliases, and what they were exported from, such as "jinaai/jina-colbert-v2":
    looked for in COLIBRI_MODELS, ./, ./models and the user's data folder, then as a hub id whose repository has a
    colibri.json (docs/export.md, "Where artefacts are found").

    dim             width of the vectors unless a call says otherwise; None: the artefact's default
    variant         which of the artefact's variants; None: the first that the best provider here can run
    special_tokens  True lets text such as "<mask>" stand for the token; by default it is plain text
    threads         cores a query may use; None: the physical ones this process may use
    workers         documents encoded at once, each on one core; None: as many. Documents then have a session of their
                    own, which costs 23 MB for colibri-mini in int8 and 85 MB in float32. 1: they share the queries'
    provider        "auto": the best that is installed, runs a variant and starts; what is passed over, and why, is in
                    the log and in `Colibri.provider`. Or one of "tensorrt-rtx", "tensorrt", "cuda", "migraphx",
                    "coreml", "directml", "webgpu", "openvino" and "cpu": that one or an error (docs/gpu.md)
    batch_tokens    texts times tokens that run together, where a variant has a mask; None: 8,192 on an accelerator,
                    and each text alone on a CPU
    engine_cache    folder where accelerators keep compiled graphs, and where weights lie that `colibri warmup --packed`
                    packed for this processor; None: the user's cache folder; False: nowhere
    cache_dir       where hub ids are kept; None: HF_HOME
    revision        branch, tag or commit of a hub id; of an artefact that was exported from one, the commit it is of
                    ("main": whichever that is). One of another revision is never taken
    token           for repositories that are not public: a text, True for the stored one, False for none; None: the
                    stored one, or HF_TOKEN. It is never kept or logged
    local_files_only  True: no hub is asked, only its cache

    Every file that will be used is compared with its SHA-256 before this returns, and what gets parsed before it is.
    Raises ArtefactNotFound, ArtefactError (damaged or of a newer format), InputError (unknown dim, variant or
    provider), MissingExtra (no onnxruntime; a hub id or a vocabulary whose extra is not here), ProviderError.
    """
    found = artefacts.find(
        name_or_path, cache_dir=cache_dir, revision=revision, token=token, local_files_only=local_files_only
    )
    return Colibri(
        found,
        dim=dim,
        variant=variant,
        special_tokens=special_tokens,
        threads=threads,
        workers=workers,
        provider=provider,
        batch_tokens=batch_tokens,
        engine_cache=engine_cache,
    )


_in_use: "weakref.WeakValueDictionary[str, Colibri]" = weakref.WeakValueDictionary()
_loading = threading.Lock()


def _loaded_again(words: dict[str, Any], options: dict[str, Any], space_id: str) -> Colibri:
    """The model of a pickle. Raises as `load`, and ArtefactError where another model is there by now."""
    key = repr((sorted(words.items()), sorted(options.items()), space_id))
    with _loading:
        found = _in_use.get(key)
        if found is None:
            found = load(**words, **options)
            if found.manifest.space_id != space_id:
                raise ArtefactError(
                    f"{words['name_or_path']}: is another model by now (space {found.manifest.space_id[:8]}) than the "
                    f"one that was pickled (space {space_id[:8]})"
                )
            _in_use[key] = found
    return found
