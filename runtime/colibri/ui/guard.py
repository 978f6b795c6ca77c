"""Who may ask for the page and for what it shows.

No cookie: a server on another port of 127.0.0.1 is sent it, SameSite or not. The page gets a token in the fragment of
its address, which no browser sends anywhere, and gives it back in a header, which no other origin's page can set
without being asked first (a preflight request, which has no answer here).

What starts a browser gives it the address as an argument, which every user of a machine can read (`ps`, /proc). So that
address holds a code in place of the token: it is good for one exchange, for a minute.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import Scope

from colibri.server import App, Problem

HEADER = "X-Colibri-Token"
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
CODE_SECONDS = 60.0
_MOST_CODES = 20
_FROM_HERE = frozenset({"same-origin", "none"})


class Guard:
    """What a request has to say of itself."""

    def __init__(
        self,
        *,
        token: str | None,
        hosts: Iterable[str] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """token: what every request for JSON brings; None: the server's keys decide, where it has some.

        hosts: names with their port under which alone it answers, "127.0.0.1:8765"; None: any, as behind a proxy
        """
        self.token = token
        self._hosts = None if hosts is None else frozenset(host.lower() for host in hosts)
        self._clock = clock
        self._codes: dict[bytes, float] = {}
        self._lock = threading.Lock()

    @staticmethod
    def new_token() -> str:
        """256 random bits."""
        return secrets.token_urlsafe(32)

    def new_code(self) -> str:
        """One that `exchange` takes once."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._codes) >= _MOST_CODES:
                self._codes.pop(next(iter(self._codes)))
            self._codes[_digest(code)] = self._clock() + CODE_SECONDS
        return code

    def exchange(self, code: str) -> str:
        """The token for a code. Raises Problem 401 for one that was used before, is too old, or was never made."""
        with self._lock:
            ends = self._codes.pop(_digest(code), None)
        if self.token is None or ends is None or ends < self._clock():
            raise Problem(401, "UI_TOKEN_WANTED", "this address was good once; open the page by `colibri ui` again")
        return self.token

    def check_origin(self, scope: Scope) -> None:
        """Refuse what a page elsewhere sends: another origin, another port of this machine, a name that somebody else's
        DNS has for it. Raises Problem 403."""
        headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value.lower() for name, value in headers if name == b"host"]
        if len(hosts) != 1 or (self._hosts is not None and hosts[0] not in self._hosts):
            raise _not_from("Host", hosts)
        origins = [value for name, value in headers if name == b"origin"]
        if any(not self._is_own(origin, hosts[0]) for origin in origins):
            raise _not_from("Origin", origins)
        sites = [value for name, value in headers if name == b"sec-fetch-site"]
        if any(site not in _FROM_HERE for site in sites):
            raise _not_from("Sec-Fetch-Site", sites)

    def _is_own(self, origin: str, host: str) -> bool:
        try:
            parts = urlsplit(origin.lower())
        except ValueError:
            return False
        schemes = {"http"} if self._hosts is not None else {"http", "https"}  # https: a proxy's, in front of this
        return parts.scheme in schemes and f"{parts.scheme}://{host}" == origin.lower()

    def let_in(self, app: App, request: Request) -> None:
        """Raises Problem 401 for a request without the token, where there is one; 401, 403 or 429 for one without a key
        for searching, where the server asks for keys."""
        if self.token is None:
            app.authorise(request, "search", header=HEADER)
            return
        given = request.headers.getlist(HEADER)
        if len(given) == 1 and hmac.compare_digest(given[0].encode(), self.token.encode()):
            return
        raise Problem(
            401,
            "UI_TOKEN_WANTED",
            f"no token, or not this server's: open the page by the address that `colibri ui` prints ({HEADER})",
        )


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()


def own_hosts(port: int) -> list[str]:
    """The names that this machine has for itself, with a port."""
    names = [f"{name}:{port}" for name in OWN_NAMES]
    return [*names, *OWN_NAMES] if port == 80 else names  # browsers leave that one out


def _not_from(header: str, found: list[str]) -> Problem:
    shown = ", ".join(value[:80] for value in found) or "none"
    return Problem(
        403, "UI_FORBIDDEN", f"{header} {shown!r}: this page answers to itself alone, at its own address", close=True
    )
