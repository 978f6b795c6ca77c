"""The options of encoding, and one call with them: at once, in chunks, or for asyncio."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal, TypedDict, get_args

from colibri import checks
from colibri.artefact import RoleName
from colibri.encoding.order import ByText, LongDocuments, Order, Stored
from colibri.encoding.packing import Report
from colibri.errors import InputError, InputTypeError
from colibri.vectors import TokenVectors

if TYPE_CHECKING:
    from colibri.encoding.encoder import Encoder


class QueryOptions(TypedDict, total=False):
    """How queries are encoded.

    dtype     "float32", "float16" to store half, or "int8" to store a quarter and 4 bytes a token (the bits that
              `TokenVectors.quantize` gives): each text is converted when it is done
    on_error  "raise" (default) ends the call at the first text that fails, naming its index; "skip" leaves such texts
              out: the result then has `sources`, which tell what each entry was made of, a warning is logged for
              each, and `report.failed` has the errors
    report    a `Report` that the call adds its counts to
    progress  whether to show a bar with tokens/s on stderr; or what to call, in the calling thread, with the tokens
              kept of each text (or window of one) as soon as it is done, in any order. What it raises ends the call.
              A `ByText` is also told which text it is
    max_tokens
              where texts are cut, in place of the role's `max_tokens`: markers and all, up to what the graph takes
              (`architecture.max_positions` of the manifest). A model may rank worse at lengths it was not trained on
    expand_to
              how many tokens a query that is expanded with mask tokens has at least, in place of its
              `expansion.to_tokens`; 0: none are added. The text's own limit stays `max_tokens`: give both for another
              length of queries. InputError for a model without expansion
    """

    dtype: Stored
    on_error: Literal["raise", "skip"]
    report: Report | None
    progress: bool | Callable[[int], object] | ByText
    max_tokens: int | None
    expand_to: int | None


class DocumentOptions(QueryOptions, total=False):
    """How documents are encoded: as `QueryOptions`, and:

    long_documents  what becomes of a text that does not fit in the role's `max_tokens`. "truncate" (default) cuts it,
                    and `report.truncated` counts; "error" makes it a text that fails (InputError); "windows" makes
                    entries of its own out of as many parts as it takes: `sources` tell which text each belongs to, and
                    spans still point into the whole text
    overlap_tokens  tokens that a window shares with the one before it; None: an eighth of a window
    """

    long_documents: LongDocuments
    overlap_tokens: int | None


_OF_QUERIES = QueryOptions.__annotations__.keys()
_OF_DOCUMENTS = DocumentOptions.__annotations__.keys()


class Call:
    """Some texts and what is wanted of them, checked; nothing is done yet."""

    def __init__(
        self,
        encoder: "Encoder",
        texts: Iterable[str],
        role: RoleName,
        dims: tuple[int, ...],
        options: QueryOptions | DocumentOptions,
        *,
        several: bool,
        stream: bool = False,
    ) -> None:
        """texts: a list that was checked, or an iterator. several: whether the answer is a dict of widths. stream:
        whether it is wanted in chunks."""
        known = _OF_QUERIES if role == "query" else _OF_DOCUMENTS
        if unknown := options.keys() - known:
            raise InputTypeError(f"unknown option {', '.join(sorted(unknown))}; there is {', '.join(known)}")
        skip = checks.one_of("on_error", options.get("on_error", "raise"), ("raise", "skip")) == "skip"
        report = options.get("report")
        if report is not None and not isinstance(report, Report):
            raise InputTypeError(f"report: found {type(report).__name__}, wanted a colibri.Report or None")
        rules = encoder.rules(role, options.get("max_tokens"), options.get("expand_to"))
        self._encoder = encoder
        self._order = Order(
            role=role,
            dims=dims,
            dtype=checks.one_of("dtype", options.get("dtype", "float32"), get_args(Stored)),
            long=checks.one_of("long_documents", options.get("long_documents", "truncate"), get_args(LongDocuments)),
            overlap=_overlap(options.get("overlap_tokens"), encoder.room(rules)),
            skip=skip,
            rules=rules,
        )
        self._report = Report() if report is None else report
        asked = options.get("progress", False)
        self._show = asked if callable(asked) or isinstance(asked, ByText) else bool(asked)
        self._several = several
        self._total = len(texts) if isinstance(texts, list) else None
        self._job = encoder.job(texts, self._order, stream=stream)

    def result(self) -> TokenVectors | dict[int, TokenVectors]:
        """All at once."""
        found = self._encoder.gather(self._job, self._order, report=self._report, total=self._total, show=self._show)
        return found if self._several else found[self._order.dims[0]]

    async def result_async(self) -> TokenVectors | dict[int, TokenVectors]:
        """All at once, in a thread; cancelling the task ends the work."""
        import asyncio  # noqa: PLC0415 - whoever awaits this has loaded it

        try:
            return await asyncio.to_thread(self.result)
        except asyncio.CancelledError:
            self._job.stop()
            raise

    def chunks(self, tokens: int) -> Iterator[TokenVectors] | Iterator[dict[int, TokenVectors]]:
        """In parts of so many rows or a little more."""
        parts = self._encoder.chunks(
            self._job,
            self._order,
            report=self._report,
            chunk_tokens=tokens,
            total=self._total,
            show=self._show,
        )
        return parts if self._several else (part[self._order.dims[0]] for part in parts)


def _overlap(found: object, room: int) -> int:
    if found is None:
        return room // 8
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < max(room, 1):
        raise InputError(
            f"overlap_tokens: found {found!r}, wanted a whole number below the {room} of a window, or None"
        )
    return found
