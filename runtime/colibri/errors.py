"""The few kinds of error Colibri raises; each is also the builtin a caller would expect."""

from contextlib import suppress


class ColibriError(Exception):
    """Root of all errors raised on purpose by Colibri."""

    committed: int | None = None
    """How many documents a call with `commit_every` had committed by then; None: nothing of the call was."""


class ArtefactError(ColibriError, ValueError):
    """An artefact folder is damaged, incomplete, of another format, or not what was asked for."""


class ArtefactNotFound(ArtefactError, FileNotFoundError):
    """No artefact of that name or path."""


class InputError(ColibriError, ValueError):
    """A value given by the caller cannot be used: an unknown dim, variant or option."""


class InputTypeError(InputError, TypeError):
    """A value given by the caller is of the wrong type, such as a text that is not a string."""


class ShapeError(ColibriError, ValueError):
    """Arrays do not fit together: dims differ, offsets do not match, a document without rows."""


class MissingExtra(ColibriError, ImportError):
    """A package that this feature needs is not installed; the message names the extra that brings it."""


class ProviderError(ColibriError, RuntimeError):
    """ONNX Runtime cannot run the graph as asked."""


class ExportError(ColibriError, ValueError):
    """A checkpoint cannot be exported, or an export missed its tolerance."""


class StoreError(ColibriError, RuntimeError):
    """An index cannot be opened or written: another space, read-only, a full disk, a newer format."""


class DocumentNotFound(ColibriError, KeyError):
    """`index[id]` of an id that there is no document of."""

    __str__ = Exception.__str__  # a KeyError shows its message in quotation marks


class StoreLocked(StoreError, TimeoutError):
    """Another process was writing to the index for longer than one was ready to wait."""


class StoreDamaged(StoreError):
    """Bytes of an index changed on disk. `ids` names the documents that are known to be hit."""

    def __init__(self, message: str, ids: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.ids = ids


class StoreUnfinished(StoreError):
    """A call that writes to a store elsewhere ended half-way; doing it again is right.

    done    ids of documents that are in
    unsure  ids of those in the request that failed: each may be in or not
    left    how many were not sent
    """

    def __init__(self, message: str, done: tuple[str, ...] = (), unsure: tuple[str, ...] = (), left: int = 0) -> None:
        super().__init__(message)
        self.done = done
        self.unsure = unsure
        self.left = left


def tell_committed(error: BaseException, documents: int) -> None:
    """Say with an error, of whatever kind, how many documents were committed before it, as `commit_every` may do: in
    `error.committed`, in a note below its traceback, and in the message of one of ours."""
    said = "1 document was" if documents == 1 else f"{documents:,} documents were"
    said = f"{said} committed before"
    with suppress(AttributeError, TypeError):  # an error of the caller's own may take no attributes
        error.add_note(said)
        error.committed = documents  # type: ignore[attr-defined]
    if isinstance(error, ColibriError) and error.args and isinstance(error.args[0], str):
        error.args = (f"{error.args[0]} ({said})", *error.args[1:])
