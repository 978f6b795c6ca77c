"""RAGatouille (0.0.9.post2) as its users import it: `from colibri.compat.ragatouille import RAGPretrainedModel`.

An index is a folder of `colibri.Index`, searched exactly, with the JSON files beside it that RAGatouille writes.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = ["RAGPretrainedModel", "RAGTrainer"]

if TYPE_CHECKING:
    from colibri.compat.ragatouille.pretrained import RAGPretrainedModel
    from colibri.compat.ragatouille.trainer import RAGTrainer
else:
    __getattr__, __dir__ = door(__name__, {"pretrained": "RAGPretrainedModel", "trainer": "RAGTrainer"})
