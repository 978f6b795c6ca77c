"""What a collection becomes before it is indexed: passages, each of a document, with what is known of that document.

Everything that can be refused is refused here, before anything is encoded.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from colibri.compat.ragatouille.data.corpus_processor import CorpusProcessor
from colibri.compat.ragatouille.data.preprocessors import llama_index_sentence_splitter, split_documents
from colibri.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from colibri.model import Colibri


class Passages(NamedTuple):
    """Texts, and of each its payload: {"document_id", "metadata"}."""

    texts: list[str]
    payloads: list[dict[str, Any]]

    def without(self, document_ids: set[str]) -> "Passages":
        """Those of other documents."""
        kept = [i for i, payload in enumerate(self.payloads) if payload["document_id"] not in document_ids]
        return Passages([self.texts[i] for i in kept], [self.payloads[i] for i in kept])


def passages_of(
    model: "Colibri",
    collection: Sequence[str],
    document_ids: Sequence[str] | None,
    metadatas: Sequence[Mapping[str, Any] | None] | None,
    splitter: Callable[..., Any] | None,
    preprocess: Callable[..., Any] | list[Callable[..., Any]] | None,
    chunk_size: int,
) -> Passages:
    """Documents through splitter and preprocessing. Raises InputError (ValueError) with RAGatouille's words for ids and
    metadata that do not fit, and for metadata that is not JSON, naming the document and the key."""
    from colibri import checks

    texts = checks.listed_texts(collection, "collection")
    ids = _checked_ids(document_ids, len(texts))
    known = _checked_metadata(metadatas, ids)
    if splitter is llama_index_sentence_splitter:
        splitter = _by_tokens_of(model)
    if splitter is None and preprocess is None:
        parts: list[Any] = [{"document_id": i, "content": text} for i, text in zip(ids, texts, strict=True)]
    else:
        parts = CorpusProcessor(splitter, preprocess).process_corpus(texts, ids, chunk_size=chunk_size)
    found = Passages([], [])
    for place, part in enumerate(parts):
        if not isinstance(part, Mapping) or not {"document_id", "content"} <= part.keys():
            raise InputError(
                f"passage {place}: found {type(part).__name__}, wanted a splitter and preprocessing that give "
                '{"document_id": ..., "content": ...}'
            )
        document_id, text = part["document_id"], part["content"]
        if not isinstance(text, str) or not isinstance(document_id, str):
            raise InputTypeError(f"passage {place}: document_id and content have to be strings")
        found.texts.append(text)
        found.payloads.append({"document_id": document_id} | known.get(document_id, {}))
    return found


def _by_tokens_of(model: "Colibri") -> Callable[..., Any]:
    def split(documents: Sequence[str], document_ids: Sequence[str], chunk_size: int = 256) -> list[dict[str, Any]]:
        return split_documents(model, documents, document_ids, chunk_size)

    return split


def _checked_ids(given: Sequence[str] | None, count: int) -> list[str]:
    if given is None:
        from uuid import uuid4

        return [str(uuid4()) for _ in range(count)]
    ids = list(given) if not isinstance(given, str) else [given]
    if len(ids) != count:
        raise InputError("document_ids must be the same length as collection")
    for found in ids:
        if not isinstance(found, str):
            raise InputTypeError(f"document_ids must be strings, found {type(found).__name__}")
    if len(set(ids)) != count:
        raise InputError("document_ids must be unique")
    if any(not found.strip() for found in ids):
        raise InputError("document_ids must not contain empty strings")
    return ids


def _is_metadata(given: object) -> bool:
    return given is None or isinstance(given, Mapping)


def _checked_metadata(
    given: Sequence[Mapping[str, Any] | None] | None, ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Document id -> {"metadata": ...} for those that have some."""
    from colibri.index import Document, refusal

    if given is None:
        return {}
    is_list = not isinstance(given, str | Mapping)
    for wrong in [one for one in given if not _is_metadata(one)] if is_list else [given]:
        raise InputTypeError(f"document_metadatas: found {type(wrong).__name__}, wanted a list of mappings, or None")
    if len(given) != len(ids):
        raise InputError("document_metadatas must be the same length as collection")
    found = {}
    for document_id, metadata in zip(ids, given, strict=True):
        if metadata is None:
            continue
        if problem := refusal(Document(id=document_id, text="", payload={"metadata": metadata})):
            raise InputError(f"document_metadatas of {document_id!r}: {problem.removeprefix('it: payload.')}")
        found[document_id] = {"metadata": dict(metadata)}
    return found
