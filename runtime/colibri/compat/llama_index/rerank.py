"""A ColBERT that reranks nodes: head, markers, weights and skiplist of the model, which LlamaIndex's own lacks."""

from typing import TYPE_CHECKING, Any

from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.callbacks import CBEventType, EventPayload
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle

from colibri.compat.found import reranked
from colibri.compat.llama_index.nodes import in_text, noted
from colibri.compat.options import loaded, without_effect
from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.model import Colibri

_dispatcher = get_dispatcher(__name__)


class ColbertRerank(BaseNodePostprocessor):  # type: ignore[misc]  # no extra is where types are checked
    """The top_n best of the nodes, best first, as copies with a new score: `normalised`, a mean of cosines as there.

    model                 a `colibri.Colibri`, or what `colibri.load` takes; None: the one that comes along
    device                "cpu", "cuda" and so on, as torch has them; None: the best that is here
    keep_retrieval_score  whether the score before is kept in `metadata["retrieval_score"]`

    What is scored is a node's content for embedding, metadata included; spans in `metadata["colibri"]` count in its
    text. `tokenizer` has no effect: it is the model's own. LlamaIndex's package of this name takes the mean over raw
    hidden states of a model without its head; these are MaxSim.
    """

    top_n: int = Field(description="How many nodes are kept.")
    model: str = Field(description="The model's name.")
    device: Any = Field(default=None, description="As torch has them.")
    keep_retrieval_score: bool = Field(default=False, description="Whether metadata keeps the score before.")
    _colibri: Any = PrivateAttr()

    def __init__(
        self,
        top_n: int = 5,
        model: Any = None,
        tokenizer: str | None = None,
        device: Any = None,
        keep_retrieval_score: bool = False,
        **given: Any,
    ) -> None:
        if isinstance(top_n, bool) or not isinstance(top_n, int) or top_n < 1:
            raise InputError(f"top_n: found {top_n!r}, wanted a whole number from 1")
        without_effect("ColbertRerank", tokenizer=tokenizer)
        found = loaded(model, device=device)
        name = model if isinstance(model, str) else found.name
        super().__init__(top_n=top_n, model=name, device=device, keep_retrieval_score=keep_retrieval_score, **given)
        self._colibri = found

    @property
    def colibri(self) -> "Colibri":
        """The model itself, for all that Colibri can do."""
        found: Colibri = self._colibri
        return found

    @classmethod
    def class_name(cls) -> str:
        """As LlamaIndex keeps it."""
        return "ColbertRerank"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        _dispatcher.event(ReRankStartEvent(query=query_bundle, nodes=nodes, top_n=self.top_n, model_name=self.model))
        if query_bundle is None:
            raise InputError("Missing query bundle in extra info.")
        if not nodes:
            return []
        query = query_bundle.query_str
        about = {
            EventPayload.NODES: nodes,
            EventPayload.MODEL_NAME: self.model,
            EventPayload.QUERY_STR: query,
            EventPayload.TOP_K: self.top_n,
        }
        with self.callback_manager.event(CBEventType.RERANKING, payload=about) as event:
            kept = self._best(nodes, query)
            event.on_end(payload={EventPayload.NODES: kept})
        _dispatcher.event(ReRankEndEvent(nodes=kept))
        return kept

    def _best(self, nodes: list[NodeWithScore], query: str) -> list[NodeWithScore]:
        contents = [one.node.get_content(metadata_mode=MetadataMode.EMBED) for one in nodes]
        kept = []
        for place, note in reranked(self.colibri, query, contents, self.top_n):
            node = nodes[place].node
            before = {"retrieval_score": nodes[place].score} if self.keep_retrieval_score else {}
            text = node.get_content(metadata_mode=MetadataMode.NONE)
            kept.append(noted(node, in_text(note, contents[place], text), **before))
        return kept
