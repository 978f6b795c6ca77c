"""Answers that say what went wrong: `detail`, `code` and `request_id`, as Jina's clients read them."""

from collections.abc import Mapping, Sequence

import msgspec


class FieldError(msgspec.Struct, kw_only=True):
    """One value of a request that cannot be used."""

    field: str
    message: str
    type: str = "value_error"
    input: None = None
    """Always null: a text that was sent is not sent back."""


class ErrorAnswer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Body of every answer that is no success."""

    detail: str
    code: str
    request_id: str
    message: str
    """`detail` once more: OpenAI's and Cohere's clients show nothing else."""
    errors: list[FieldError] = []


class Problem(Exception):
    """Ends a request with a status. Raised anywhere below the routes; never logged with what was sent."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FieldError] = (),
        close: bool = False,
    ) -> None:
        """close: the connection cannot be used again, because the request's body was left unread."""
        super().__init__(detail)
        self.status, self.code, self.detail, self.errors = status, code, detail, list(errors)
        self.headers, self.close = dict(headers or {}), close

    def body(self, request_id: str) -> bytes:
        """As JSON. Bytes of a file's name that are no text (half surrogates, to Python) stand as \\udc.. in it."""
        detail = self.detail.encode("utf-8", "backslashreplace").decode("utf-8")
        return msgspec.json.encode(
            ErrorAnswer(detail=detail, code=self.code, request_id=request_id, message=detail, errors=self.errors)
        )


def invalid(field: str, message: str, kind: str = "value_error") -> Problem:
    """422 for one field."""
    message = message.removeprefix(f"{field}: ")  # as the library says it
    error = FieldError(field=field, message=message, type=kind)
    return Problem(422, "VALIDATION_ERROR", f"{field}: {message}" if field else message, errors=[error])


def busy(detail: str, retry_seconds: float, *, close: bool = False) -> Problem:
    """503 with Retry-After."""
    after = {"retry-after": str(max(1, round(retry_seconds)))}
    return Problem(503, "SERVICE_UNAVAILABLE", detail, headers=after, close=close)


def shutting_down() -> Problem:
    """503: ask another server, or this one's successor."""
    return busy("the server is shutting down", 5, close=True)
