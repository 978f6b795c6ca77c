"""Nodes come back as they were put in, and spans count in a node's own text."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from llama_index.core.schema import Document, ImageNode, IndexNode, MetadataMode, TextNode

from colibri.compat.found import Noted
from colibri.compat.llama_index.nodes import as_document, as_put, as_scored, in_text, noted
from colibri.errors import InputError
from colibri.index import Hit, Stored

NOTE: Noted = {"score": 2.0, "normalised": 0.5, "fit": None, "passage": None, "matches": []}


@pytest.mark.parametrize(
    "node",
    [
        TextNode(text="Bread."),
        TextNode(text="", metadata={"title": "Bread"}),
        TextNode(text="  Bread.\n", metadata={"title": "Bread", "tags": [], "n": {"a": [1]}}),
        TextNode(text="Bread.", metadata={"title": "Bread"}, excluded_embed_metadata_keys=["title"]),
        TextNode(text="Bread.", text_template="{content} ({metadata_str})", metadata={"title": "Bread"}),
        Document(text="Bread.", metadata={"title": "Bread"}),
        IndexNode(text="Bread.", index_id="other"),
        ImageNode(text="Bread.", image_url="bread.png"),
    ],
)
def test_a_node_comes_back(node: TextNode) -> None:
    document = as_document(node)
    assert document.text == node.get_content(metadata_mode=MetadataMode.EMBED)
    for mode in MetadataMode:
        again = as_put(Stored(document.id, document.text, dict(document.payload or {}), ()))
        assert again.get_content(metadata_mode=mode) == node.get_content(metadata_mode=mode)
    if type(node) is Document:  # for which LlamaIndex's own stores give TextNodes
        return
    found = as_put(Stored(document.id, document.text, dict(document.payload or {}), ()))
    assert type(found) is type(node)
    assert found.to_dict() == node.to_dict()


def test_metadata_of_ours_stays_out_of_prompts() -> None:
    node = TextNode(text="Bread.", metadata={"title": "Oven"})
    found = noted(node, NOTE, retrieval_score=0.25)
    assert found.score == 0.5
    assert found.node.metadata == {"title": "Oven", "colibri": NOTE, "retrieval_score": 0.25}
    for mode in (MetadataMode.LLM, MetadataMode.EMBED):
        assert found.node.get_content(metadata_mode=mode) == "title: Oven\n\nBread."
    assert node.metadata == {"title": "Oven"}
    assert noted(found.node, NOTE).node.excluded_llm_metadata_keys == ["colibri", "retrieval_score"]


def test_a_document_of_another_program_is_a_node_too() -> None:
    payload = {"lang": "en", "file": {"path": "a.md"}, "tags": ["a"]}
    found = as_scored(Hit("a.md", 2.0, 0.5, "Bread.", payload))
    assert (found.node.node_id, found.node.get_content(), found.score) == ("a.md", "Bread.", 0.5)
    assert found.node.metadata == payload | {"colibri": NOTE}
    assert found.node.get_content(metadata_mode=MetadataMode.LLM) == "lang: en\n\nBread."
    with pytest.raises(InputError, match=r"'a.md': is no node of LlamaIndex; a ColibriRetriever reads any document"):
        as_put(Stored("a.md", "Bread.", payload, ()))


@given(
    st.text(max_size=30),
    st.dictionaries(st.sampled_from(["title", "lang"]), st.text(max_size=10)),
    st.sampled_from(["{metadata_str}\n\n{content}", "{content} ({metadata_str})", "[{metadata_str}] {content}"]),
)
@example("  Bread.\n", {"title": "Bread."}, "{content} ({metadata_str})")
@example("a", {"title": "b"}, "{metadata_str}")
def test_spans_count_in_the_nodes_own_text(text: str, metadata: dict[str, str], template: str) -> None:
    node = TextNode(text=text, metadata=metadata, text_template=template)
    content = node.get_content(metadata_mode=MetadataMode.EMBED)
    words = [found.span() for found in re.finditer(r"\w+", content)]
    note: Noted = {
        **NOTE,
        "passage": {"start": 0, "end": len(content)},
        "matches": [{"start": start, "end": end, "weight": 1.0, "strength": 1.0} for start, end in words],
    }
    found = in_text(note, content, text)
    for one in found["matches"]:
        assert re.fullmatch(r"\w+", text[one["start"] : one["end"]])
    if found["passage"] is not None:
        assert text[found["passage"]["start"] : found["passage"]["end"]].strip() == text.strip()
    if content == text or (text.strip() and template != "{metadata_str}"):
        assert found["passage"] is not None
