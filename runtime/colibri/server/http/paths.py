"""Paths as clients make them: a slash at the end, or two where a base URL ends in one, mean the route without."""

import re
from collections.abc import Iterable

_SLASHES = re.compile("/{2,}")


class Paths:
    """The routes of a server that end in an id, which keeps its slashes: it may be a URL or a file's path."""

    def __init__(self) -> None:
        self._before_ids: list[re.Pattern[str]] = []

    def add(self, routes: Iterable[str]) -> None:
        """More routes, as Starlette spells them: `/v1/models/{id:path}`."""
        for route in routes:
            before, brace, _ = route.partition("{")
            if brace:
                words = "/+".join(map(re.escape, before.strip("/").split("/")))
                self._before_ids.append(re.compile(f"/+{words}/"))

    def plain(self, path: str) -> str:
        """The path without slashes that say nothing."""
        for pattern in self._before_ids:
            found = pattern.match(path)
            if found and (found_id := path[found.end() :]):
                return _SLASHES.sub("/", found[0]) + found_id
        return _SLASHES.sub("/", path).rstrip("/") or "/"
