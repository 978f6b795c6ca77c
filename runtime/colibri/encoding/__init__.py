"""Token ids to rows, by worker threads that share one session.

In come texts, out go `TokenVectors`, the same to the bit whatever runs beside them. It stands on `tokens` and
`providers`. It must never import scoring, and knows no documents, only texts in an order.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.encoding.calls import Call, DocumentOptions, QueryOptions
    from colibri.encoding.encoder import Encoder
    from colibri.encoding.loaded import Limits
    from colibri.encoding.order import ByText, LongDocuments
    from colibri.encoding.packing import Entry, Report
    from colibri.encoding.prepacked import packed_for, prepack
    from colibri.encoding.streamed_file import save_stream
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "calls": "Call DocumentOptions QueryOptions",
            "encoder": "Encoder",
            "loaded": "Limits",
            "order": "ByText LongDocuments",
            "packing": "Entry Report",
            "prepacked": "packed_for prepack",
            "streamed_file": "save_stream",
        },
    )
