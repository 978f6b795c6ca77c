"""MaxSim: late interaction's score (Khattab and Zaharia, ColBERT, arXiv 2004.12832, equation 3).

For each query token its best match among a document's tokens, summed. `meaning` defines it to the bit; kernels
compiled ahead (`library`) answer, or those that numba compiles (`kernels`) once enough has been scored (`engine`).
In come rows, out go scores, best tokens and the top k. It stands on `vectors` and `machine`. It must never import what
knows texts: no model, tokenizer or index.

What all functions take:

query    (q, dim)  float32 rows (float16 and float64 are converted)
docs     TokenVectors of the same dim, float32, float16, int8 or int4, in memory or memory-mapped; none without rows
weights  (q,)      float32, how much each query token counts; None: 1 each
threads  cores to use; None: all this process may use, where the work is worth it. Results do not depend on it.

They raise ShapeError when dims or lengths differ or a document has no rows, InputError for values that are not finite
and for unknown documents, InputTypeError for arrays of a wrong type. Rows are checked when they are first scored, and
not again as long as their TokenVectors lives.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

__all__ = ["BestTokens", "Floats", "Top", "best_tokens", "maxsim", "maxsim_batch", "maxsim_subset", "top_k"]

if TYPE_CHECKING:
    from colibri.scoring.bits import Screen, Signs, screened, screening_kernel, sign_rows
    from colibri.scoring.collection import Floats
    from colibri.scoring.engine import NUMPY_COSTS, answering, compile_now, wanted_kernel, why_numpy
    from colibri.scoring.kernels.choice import choose_kernel, usable_kernels
    from colibri.scoring.names import KERNELS, KINDS, row_bytes
    from colibri.scoring.search import (
        BestTokens,
        Top,
        best_tokens,
        best_tokens_picked,
        maxsim,
        maxsim_batch,
        maxsim_picked,
        maxsim_subset,
        top_k,
    )
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "bits": "Screen Signs screened screening_kernel sign_rows",
            "collection": "Floats",
            "engine": "NUMPY_COSTS answering compile_now wanted_kernel why_numpy",
            "kernels.choice": "choose_kernel usable_kernels",
            "names": "KERNELS KINDS row_bytes",
            "search": "BestTokens Top best_tokens best_tokens_picked maxsim maxsim_batch maxsim_picked maxsim_subset "
            "top_k",
        },
    )
