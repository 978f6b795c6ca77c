"""Who is let in: a key out of a request's header, for a route of ours or before an application of somebody else's."""

import uuid
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from colibri.server.access.keys import Key, KeyRing, KeyScope
from colibri.server.access.rates import Rates
from colibri.server.problems import Problem


def found_key(keys: KeyRing, given: Sequence[str], alone: str | None = None) -> Key:
    """The key in a request's Authorization headers, or in those of a name that hold it `alone`, ended or not.

    Raises Problem 401.
    """
    wanted = "Authorization: Bearer KEY" if alone is None else f"{alone}: KEY"
    if not given or (alone is not None and not any(value.strip() for value in given)):
        raise _unauthorised("AUTH_MISSING_API_KEY", f"no key: send {wanted}")
    scheme, _, secret = given[0].strip().partition(" ") if alone is None else ("bearer", "", given[0].strip())
    if len(given) > 1 or scheme.lower() != "bearer" or not secret.strip():
        raise _unauthorised("AUTH_INVALID_FORMAT", f"wanted one header {wanted}")
    key = keys.find(secret.strip())
    if key is None:
        raise _unauthorised("AUTH_INVALID_API_KEY", "no such key")
    return key


def check_key(key: Key, scope: KeyScope | None, *, close: bool = False) -> None:
    """Refuse a key that ended, or is not for this. close: see `Problem`. Raises Problem 401, 403."""
    if key.ended:
        raise _unauthorised("AUTH_EXPIRED_API_KEY", f"this key ended at {key.ends}; ask for another")
    if scope is not None and scope not in key.scopes:
        detail = f"this key is for {', '.join(key.scopes)}; this route wants one for {scope}"
        raise Problem(403, "AUTH_FORBIDDEN", detail, close=close)


class Gate:
    """An ASGI application before which a key is wanted, with this scope, as often as the key may ask."""

    def __init__(self, app: ASGIApp, keys: KeyRing, scope: KeyScope) -> None:
        self._app = app
        self._keys = keys
        self._scope = scope
        self._rates = Rates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or answer 401, 403 or 429."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            key = found_key(self._keys, Headers(scope=scope).getlist("authorization"))
            check_key(key, self._scope)
            self._rates.ask(key)
        except Problem as problem:
            body = problem.body(uuid.uuid4().hex)
            answer = Response(body, problem.status, headers=problem.headers, media_type="application/json")
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _unauthorised(code: str, detail: str) -> Problem:
    return Problem(401, code, detail, headers={"www-authenticate": "Bearer"})
