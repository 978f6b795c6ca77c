"""Others' words for our things: Stanford ColBERT, RAGatouille and PyLate as their users call them, without torch.

    from colibri.compat.ragatouille import RAGPretrainedModel      # was: from ragatouille import ...

    import colibri.compat                                           # or once, for a whole program that stays as it is
    colibri.compat.install("colbert", "ragatouille")

In come calls in another package's words, out go what that package would have given. It stands on `model`, `index` and
what is below them. It must never hold a state or do mathematics of its own, and nothing else of Colibri imports it.
Importing it, or a module of it, loads nothing but Colibri: numpy comes with the first model or index.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = ["NotHere", "Rows", "arrays", "install"]

if TYPE_CHECKING:
    from colibri.compat.handing import arrays
    from colibri.compat.not_here import NotHere
    from colibri.compat.original_names import install
    from colibri.compat.rows import Rows
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "handing": "arrays",
            "not_here": "NotHere",
            "original_names": "install",
            "rows": "Rows",
        },
    )
