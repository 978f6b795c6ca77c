"""The async twin of a method."""

from asyncio import to_thread
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


def on_a_thread(method: Callable[Given, Result]) -> Callable[Given, Coroutine[Any, Any, Result]]:
    """The method as a coroutine of the same signature, on a thread: the event loop stays free."""

    @wraps(method)
    async def twin(*given: Given.args, **named: Given.kwargs) -> Result:
        return await to_thread(method, *given, **named)

    twin.__name__ = f"{method.__name__}_async"
    twin.__qualname__ = f"{method.__qualname__}_async"
    return twin
