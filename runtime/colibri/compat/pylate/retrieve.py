"""`retrieve.ColBERT`: what an index finds for rows of queries."""

from collections.abc import Sequence
from typing import Any

from colibri.compat.not_here import absent
from colibri.compat.options import without_effect
from colibri.compat.pylate.indexes import PLAID
from colibri.compat.pylate.rank import RerankResult
from colibri.errors import InputTypeError

__all__ = ["XTR", "ColBERT"]

XTR = absent("pylate.retrieve.XTR", "Colibri's search is exact and needs no estimate", "use retrieve.ColBERT")


class ColBERT:
    """Finds the best documents of an index. `index`: a PLAID or Voyager of `indexes`."""

    def __init__(self, index: PLAID) -> None:
        if not isinstance(index, PLAID):
            raise InputTypeError(
                f"index: found {type(index).__name__}, wanted a PLAID or Voyager of colibri.compat.pylate.indexes"
            )
        self.index = index

    def retrieve(
        self,
        queries_embeddings: Any,
        k: int = 10,
        k_token: int | None = None,
        device: Any = None,
        batch_size: int | None = None,
        subset: Sequence[Any] | None = None,
    ) -> list[list[RerankResult]]:
        """For each query its k best documents, best first: [{"id", "score"}].

        queries_embeddings: rows of many queries, or (tokens, dim) for one. subset: the ids to search among, one list
        for all queries or one for each. Raises as the index does.
        """
        without_effect("retrieve.ColBERT", k_token=k_token, device=device, batch_size=batch_size)
        return self.index(queries_embeddings, k=k, subset=subset)
