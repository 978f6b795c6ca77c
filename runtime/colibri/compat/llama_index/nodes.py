"""Nodes of LlamaIndex as documents of ours, and hits as its nodes."""

from collections.abc import Mapping
from typing import Any

from llama_index.core.schema import BaseNode, MetadataMode, NodeWithScore, TextNode
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict

from colibri.compat.found import Content, Matched, Noted, shown
from colibri.errors import InputError
from colibri.index import Document, Hit, Stored

NOTE = "colibri"
_ALL = "_text_is_all"
"""In a payload: that the document's text is the node's, which is not in `_node_content` then."""


def as_document(node: BaseNode) -> Document:
    """What is encoded is the node's content for embedding, metadata included. The payload: the node in LlamaIndex's
    own form for stores, and its metadata beside, to filter by, but for empty lists: they count as no field there."""
    content = node.get_content(metadata_mode=MetadataMode.EMBED)
    whole = content == node.get_content(metadata_mode=MetadataMode.NONE)
    payload = node_to_metadata_dict(node, remove_text=whole, flat_metadata=False)
    kept = {key: value for key, value in payload.items() if value != []}
    return Document(id=node.node_id, text=content, payload=kept | {_ALL: whole})


def as_put(stored: Hit | Stored) -> BaseNode:
    """The node that was put in. Raises InputError for a document that LlamaIndex did not put in."""
    payload = stored.payload or {}
    if "_node_content" not in payload:
        raise InputError(f"{stored.id!r}: is no node of LlamaIndex; a ColibriRetriever reads any document")
    node: BaseNode = metadata_dict_to_node(payload, stored.text if payload.get(_ALL) else None)
    return node


def as_scored(hit: Hit, content: Content = "passage") -> NodeWithScore:
    """A hit of `search(..., explain=True)`: the node that was put in, or one of a document that was not.

    content  of such a document, as `colibri.compat.found.shown` takes it
    """
    payload = hit.payload or {}
    if "_node_content" not in payload:
        text, note = shown(hit, content)
        # What is no text and no number, such as what `Index.sync` knows of a file, is no help to a language model.
        nested = [key for key, value in payload.items() if isinstance(value, Mapping | list)]
        node: BaseNode = TextNode(
            id_=hit.id,
            text=text,
            metadata=payload,
            excluded_llm_metadata_keys=nested,
            excluded_embed_metadata_keys=nested,
        )
        return noted(node, note)
    node = as_put(hit)
    text, note = shown(hit, "document")
    return noted(node, in_text(note, text, node.get_content(metadata_mode=MetadataMode.NONE)))


def noted(node: BaseNode, note: Noted, **more: Any) -> NodeWithScore:
    """A copy of a node with what was found in its metadata, kept out of prompts and of what is encoded."""
    added = {NOTE: note} | more

    def excluded(keys: list[str]) -> list[str]:
        return [*keys, *(key for key in added if key not in keys)]

    copy = node.model_copy(
        update={
            "metadata": node.metadata | added,
            "excluded_llm_metadata_keys": excluded(node.excluded_llm_metadata_keys),
            "excluded_embed_metadata_keys": excluded(node.excluded_embed_metadata_keys),
        }
    )
    return NodeWithScore(node=copy, score=note["normalised"])


def in_text(note: Noted, content: str, text: str) -> Noted:
    """A note on a node's content for embedding, for its text: spans of metadata are left out, others count in text.

    The content is made by a template and stripped. Where the text does not stand in it as it is, nothing is matched.
    """
    if content == text:
        return note
    inner = text.strip()
    start = content.rfind(inner) if inner else -1
    if start < 0:
        return {**note, "passage": None, "matches": []}
    end, back = start + len(inner), start - (len(text) - len(text.lstrip()))
    passage = note["passage"]
    if passage is not None:
        own = (max(passage["start"], start), min(passage["end"], end))
        passage = {"start": own[0] - back, "end": own[1] - back} if own[1] > own[0] else None
    matches: list[Matched] = [
        {**one, "start": one["start"] - back, "end": one["end"] - back}
        for one in note["matches"]
        if start <= one["start"] and one["end"] <= end
    ]
    return {**note, "passage": passage, "matches": matches}
