"""How documents become passages where the caller brings no splitter of his own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.model import Colibri

OVERLAP = 64
"""Tokens that passages share, or a quarter of a passage if that is less: RAGatouille's rule."""


def llama_index_sentence_splitter(
    documents: Sequence[str], document_ids: Sequence[str], chunk_size: int = 256
) -> list[dict[str, Any]]:
    """Passages of `chunk_size` tokens of the model that comes along: [{"document_id", "content"}].

    The original's name; the cuts are Colibri's (between paragraphs and sentences), not llama-index's. An index that is
    given this function cuts by the tokens of its own model instead.
    """
    from colibri.compat.options import loaded

    return split_documents(loaded(None), documents, document_ids, chunk_size)


def split_documents(
    model: "Colibri", documents: Sequence[str], document_ids: Sequence[str], chunk_size: int
) -> list[dict[str, Any]]:
    """Passages of which each fits in `chunk_size` tokens of the model with its markers, so that nothing is cut off."""
    from colibri.tokens import split

    frame = len(model.tokens([""])[0].ids)
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size <= frame:
        raise InputError(f"chunk_size: found {chunk_size!r}, wanted a whole number over the {frame} tokens of markers")
    size = chunk_size - frame
    overlap = min(size // 4, OVERLAP)
    passages = []
    for document_id, text in zip(document_ids, documents, strict=True):
        for span in split(text, model.token_offsets, size, overlap):
            passages.append({"document_id": document_id, "content": text[span.start : span.end].strip() or text})
    return passages
