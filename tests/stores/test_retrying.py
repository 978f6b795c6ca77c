"""Which faults are tried again, how often, and what is said in the end."""

from typing import Any

import pytest

from colibri import StoreError
from colibri.stores.client_engine import fault
from colibri.stores.retrying import Fault, Retries, done


class Told(Exception):
    """As qdrant-client's: with what it has of an answer."""

    def __init__(self, **facts: Any) -> None:
        super().__init__("told")
        self.__dict__ |= facts


def answer(status: int) -> Told:
    return Told(status_code=status, reason_phrase="Because", content=b'{"status":{"error":"why"}}')


class Code:
    """As grpc's."""

    def __init__(self, name: str) -> None:
        self.name = name


class UnsupportedProtocol(Exception):
    """By httpx's name."""


@pytest.mark.parametrize(
    ("error", "again"),
    [
        *((answer(status), True) for status in (408, 425, 429, 500, 502, 503, 504)),
        *((answer(status), False) for status in (400, 401, 403, 404, 409, 413, 422, 501)),
        (Told(source=ConnectionError("refused")), True),
        (Told(source=ValueError("half a body")), True),
        (Told(source=UnsupportedProtocol("no scheme")), False),
        *((Told(code=lambda n=n: Code(n)), True) for n in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED")),
        *((Told(code=lambda n=n: Code(n)), False) for n in ("UNAUTHENTICATED", "INVALID_ARGUMENT", "NOT_FOUND")),
        (ValueError("wrong width"), False),
    ],
)
def test_what_may_be_done_again(error: Exception, again: bool) -> None:
    assert fault(error).again is again


def test_a_server_that_says_when_is_taken_at_its_word() -> None:
    assert fault(Told(retry_after_s=7)) == Fault("the server is busy (told)", again=True, after=7.0)


@pytest.mark.parametrize("fails", [0, 1, 3])
def test_it_is_done_again_until_it_works(fails: int) -> None:
    calls: list[int] = []

    def call() -> str:
        calls.append(1)
        if len(calls) <= fails:
            raise answer(503)
        return "done"

    assert done("docs: writing", call, Retries(count=3, first=0), fault) == "done"
    assert len(calls) == fails + 1


@pytest.mark.parametrize(("status", "tries"), [(503, 4), (401, 1)])
def test_and_then_told(status: int, tries: int) -> None:
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        raise answer(status)

    with pytest.raises(StoreError, match=f"docs: writing: failed.*{status} Because.*why") as caught:
        done("docs: writing", call, Retries(count=3, first=0), fault)
    assert len(calls) == tries
    assert ("4 times" in str(caught.value)) == (tries == 4)
    assert isinstance(caught.value.__cause__, Told)
