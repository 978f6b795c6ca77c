"""A class that FastEmbed's registry takes. Importing this needs FastEmbed."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastembed.common.model_description import DenseModelDescription, ModelSource
from fastembed.late_interaction.late_interaction_embedding_base import LateInteractionTextEmbeddingBase


def registered(theirs: Any, ours: Any, *, replace: bool) -> None:
    """Put ours into FastEmbed's registry: first of all if it replaces, else last and without the names taken there."""
    registry = theirs.EMBEDDINGS_REGISTRY
    registry[:] = [kind for kind in registry if not issubclass(kind, Registered)]
    taken = {model.model.lower() for kind in registry for model in kind._list_supported_models()}
    kind = type("Colibri", (Registered,), {"ours": ours, "taken": frozenset() if replace else frozenset(taken)})
    registry.insert(0 if replace else len(registry), kind)


class Registered(LateInteractionTextEmbeddingBase):  # type: ignore[misc]  # FastEmbed is not where types are checked
    """Colibri's models in the words of FastEmbed's base class."""

    ours: Any
    """`colibri.compat.fastembed.LateInteractionTextEmbedding`."""
    taken: frozenset[str]
    """Names, in small letters, that mean another's model."""

    def __init__(
        self, model_name: str, cache_dir: str | None = None, threads: int | None = None, **options: Any
    ) -> None:
        super().__init__(model_name, cache_dir, threads)
        names = [model.model for model in self._list_supported_models()]
        named = next((name for name in names if name.lower() == model_name.lower()), model_name)
        self._model = self.ours(named, None, threads, **options)  # FastEmbed's folder of downloads is not ours

    def embed(
        self, documents: str | Iterable[str], batch_size: int = 256, parallel: int | None = None, **_: Any
    ) -> Iterator[Any]:
        """Rows of documents."""
        yield from self._model.embed(documents, batch_size, parallel)

    def query_embed(self, query: str | Iterable[str], **_: Any) -> Iterator[Any]:
        """Rows of queries."""
        yield from self._model.query_embed(query)

    def token_count(self, texts: str | Iterable[str], batch_size: int = 1024, **options: Any) -> int:
        """Tokens of all texts."""
        count: int = self._model.token_count(texts, batch_size, **options)
        return count

    @property
    def embedding_size(self) -> int:
        """Width of a row."""
        size: int = self._model.embedding_size
        return size

    @classmethod
    def get_embedding_size(cls, model_name: str) -> int:
        """Width of a model's rows."""
        size: int = cls.ours.get_embedding_size(model_name)
        return size

    @classmethod
    def _list_supported_models(cls) -> list[DenseModelDescription]:
        found = []
        for model in cls.ours.list_supported_models():
            if model["model"].lower() not in cls.taken:
                fields = {name: value for name, value in model.items() if name != "sources"}
                found.append(DenseModelDescription(sources=ModelSource(hf=model["sources"]["hf"]), **fields))
        return found
