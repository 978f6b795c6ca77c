"""FastEmbed 0.9's `LateInteractionTextEmbedding` as its users import it, and Colibri inside FastEmbed itself.

    from colibri.compat.fastembed import LateInteractionTextEmbedding      # was: from fastembed import ...

    from colibri.compat.fastembed import register       # or: FastEmbed and qdrant-client stay as they are,
    register()                                          # and know Colibri's models as well

The class needs nothing but Colibri, `register` needs FastEmbed. A document's rows are of unit length; a query's carry
the model's query weights, so compare them by dot product (Qdrant: Distance.DOT), never by cosine.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from colibri.compat.bare_rows import encoded
from colibri.compat.not_here import not_here
from colibri.compat.options import hub_words, loaded, provider_for, without_effect
from colibri.errors import InputError, InputTypeError, MissingExtra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from colibri.artefact import Manifest
    from colibri.model import Colibri

__all__ = ["LateInteractionTextEmbedding", "register"]

_CHUNK = 8192  # rows: 4 MB at 128 dims, some tens of texts ahead of what was taken
_DEVICES = {"CPUExecutionProvider": "cpu", "CUDAExecutionProvider": "cuda", "CoreMLExecutionProvider": "mps"}


class LateInteractionTextEmbedding:
    """A model by name, folder, alias or hub id, as `colibri.load` finds it.

    Raises ArtefactNotFound (a ValueError) for an unknown model. `threads`: cores to use. `providers` or `cuda=True`
    choose a GPU, or ProviderError. lazy_load: the model is loaded when it is first used.
    """

    def __init__(
        self,
        model_name: str,
        cache_dir: str | None = None,
        threads: int | None = None,
        providers: Sequence[Any] | None = None,
        cuda: Any = None,
        device_ids: Sequence[int] | None = None,
        lazy_load: bool = False,
        *,
        device_id: int | None = None,
        local_files_only: bool | None = None,
        specific_model_path: str | None = None,
    ) -> None:
        without_effect("LateInteractionTextEmbedding", device_id=device_id, device_ids=device_ids)
        from colibri.artefact import find

        self.model_name = model_name
        self._device = _device(providers, cuda)
        hub = hub_words(cache_dir, local_files_only=local_files_only)
        self._options: dict[str, Any] = {"threads": threads, **hub}
        self._where = specific_model_path or model_name
        self._manifest: Manifest = find(self._where, **hub).manifest
        self._model: Colibri | None = None
        if not lazy_load:
            _ = self.colibri

    @property
    def colibri(self) -> "Colibri":
        """The model itself, for all that Colibri can do."""
        if self._model is None:
            options = {name: value for name, value in self._options.items() if value is not None}
            if options:
                from colibri.model import load

                self._model = load(self._where, provider=provider_for(self._device), **options)
            else:
                self._model = loaded(self._where, device=self._device)
        return self._model

    @property
    def embedding_size(self) -> int:
        """Width of a row."""
        return self._manifest.default_dim

    @classmethod
    def get_embedding_size(cls, model_name: str) -> int:
        """Width of a model's rows. Raises ArtefactNotFound (a ValueError) for an unknown one."""
        from colibri.artefact import find

        return find(model_name).manifest.default_dim

    @classmethod
    def list_supported_models(cls) -> list[dict[str, Any]]:
        """The models that are here, as FastEmbed describes its own."""
        return [_described(name, manifest) for name, manifest in _here().items()]

    def embed(
        self, documents: str | Iterable[str], batch_size: int | None = None, parallel: int | None = None
    ) -> "Iterator[NDArray[Any]]":
        """Rows of documents, one (tokens, dim) float32 array each, as they are done. `documents` may be a generator."""
        without_effect("embed", batch_size=batch_size, parallel=parallel)
        texts = _texts(documents, "documents")
        for vectors in self.colibri.stream_documents(texts, chunk_tokens=_CHUNK):
            yield from vectors

    def passage_embed(self, texts: str | Iterable[str], **options: Any) -> "Iterator[NDArray[Any]]":
        """As `embed`."""
        yield from self.embed(texts, **options)

    def query_embed(
        self, query: str | Iterable[str], batch_size: int = 256, parallel: int | None = None
    ) -> "Iterator[NDArray[Any]]":
        """Rows of queries, weights folded in, one (tokens, dim) float32 array each. `query` may be a generator.

        Queries longer than the model's are cut; FastEmbed does not cut them.
        """
        without_effect("query_embed", parallel=parallel)
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise InputError(f"batch_size: found {batch_size!r}, wanted a whole number from 1")
        texts = iter(_texts(query, "query"))
        while batch := list(islice(texts, batch_size)):
            yield from encoded(self.colibri, batch, "query")

    def token_count(
        self,
        texts: str | Iterable[str],
        batch_size: int | None = None,
        is_doc: bool = True,
        include_extension: bool = False,
    ) -> int:
        """Tokens of all texts with their start and end tokens, as if none were cut.

        include_extension: also the marker of each, and of a query the mask tokens it is filled up with.
        """
        without_effect("token_count", batch_size=batch_size)
        rules = self._manifest.document if is_doc else self._manifest.query
        framing = len(self._manifest.tokenizer.start_ids) + len(self._manifest.tokenizer.end_ids)
        least = rules.expansion.to_tokens if include_extension and rules.expansion is not None else 0
        marker = int(include_extension and rules.marker_id is not None)
        counts = (len(self.colibri.token_offsets(text)) + framing for text in _texts(texts, "texts"))
        return sum(max(count + marker, least) for count in counts)


def register(replace: bool = False) -> None:
    """Make FastEmbed know the models that are here, by every name they go by; once is enough, twice is fine.

    qdrant-client's own inference then encodes with them: `models.Document(text=..., model="colibri-mini")`. Call it
    before the program's first QdrantClient looks for models. Names that FastEmbed has itself
    ("jinaai/jina-colbert-v2") stay FastEmbed's unless `replace`.

    Raises MissingExtra without FastEmbed.
    """
    try:
        from fastembed import LateInteractionTextEmbedding as Theirs
    except ImportError as error:
        raise MissingExtra("register needs FastEmbed: pip install 'fastembed>=0.9,<0.10'") from error
    from colibri.compat.fastembed_registry import registered

    registered(Theirs, LateInteractionTextEmbedding, replace=replace)


def _texts(given: Any, name: str) -> Iterable[str]:
    if isinstance(given, str):
        return [given]
    if isinstance(given, bytes | bytearray) or not hasattr(given, "__iter__"):
        raise InputTypeError(f"{name}: found {type(given).__name__}, wanted a text or texts")
    found: Iterable[str] = given
    return found


def _device(providers: Sequence[Any] | None, cuda: Any) -> str | None:
    """In torch's words. cuda: True, False, or FastEmbed's Device, whose "auto" is None."""
    word = getattr(cuda, "value", cuda)
    if providers:
        first = providers[0] if isinstance(providers[0], str) else providers[0][0]
        if first not in _DEVICES:
            not_here(
                f"providers={[first]}", "Colibri chooses by machine and artefact", "use colibri.load(provider=...)"
            )
        return _DEVICES[first]
    if word in (True, "cuda"):
        return "cuda"
    return "cpu" if word in (False, "cpu") else None


def _here() -> "dict[str, Manifest]":
    """Manifests of the artefacts that are here, by every name that means them."""
    from colibri.artefact import aliases, find, held
    from colibri.errors import ArtefactError

    found: dict[str, Manifest] = {}
    for one in held():
        try:
            manifest = find(one.folder.absolute()).manifest
        except ArtefactError:  # `colibri models` names what is broken
            continue
        source = [one.source] if manifest.source.kind == "hub" else []
        for word in (one.folder.name, one.name, *one.aliases, *source):
            found.setdefault(word, manifest)
    return found | {name: found[target] for name, target in aliases().items() if target in found}


def _described(name: str, manifest: "Manifest") -> dict[str, Any]:
    variant = next(iter(manifest.variants.values()))
    return {
        "model": name,
        "sources": {"hf": manifest.source.name, "url": None, "_deprecated_tar_struct": False},
        "model_file": variant.graphs[0].document,
        "description": manifest.description,
        "license": manifest.licence.id.lower(),
        "size_in_GB": round(variant.size_bytes / 1e9, 3),
        "additional_files": list(variant.data),
        "dim": manifest.default_dim,
        "tasks": {},
    }


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__") or not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    not_here(f"fastembed.{name}", "only LateInteractionTextEmbedding is late interaction", "import it from fastembed")
