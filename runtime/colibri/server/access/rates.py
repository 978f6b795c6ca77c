"""How much each key may ask for: buckets that fill up evenly, a minute's worth at most."""

import time
from collections.abc import Callable

from colibri.server.access.keys import Key
from colibri.server.problems import Problem


class Bucket:
    """So many a minute; all of them at once after a minute of rest."""

    def __init__(self, per_minute: int, now: float) -> None:
        self.per_minute = per_minute
        self._level = float(per_minute)
        self._at = now

    def level(self, now: float) -> float:
        """What is left; below 0 after somebody took more than there was."""
        now = max(now, self._at)  # a bucket is made after its first request looked at the clock
        self._level = min(self.per_minute, self._level + (now - self._at) * self.per_minute / 60)
        self._at = now
        return self._level

    def take(self, amount: int, now: float) -> None:
        """Take it, there or not."""
        self._level = self.level(now) - amount

    def seconds_until(self, amount: float, now: float) -> float:
        """Until there is so much."""
        return max(0.0, (amount - self.level(now)) * 60 / self.per_minute)


class Rates:
    """The buckets of all keys. Requests are counted when they come, tokens when they are known."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def ask(self, key: Key) -> dict[str, str]:
        """Count one request. Returns the X-RateLimit headers of its answer; raises Problem 429 where it is too many."""
        now = self._clock()
        requests, tokens = self._bucket(key, "requests"), self._bucket(key, "tokens")
        wait = max(requests.seconds_until(1, now) if requests else 0.0, tokens.seconds_until(1, now) if tokens else 0.0)
        if wait:
            over = "requests" if requests and requests.level(now) < 1 else "tokens"
            limit = key.requests_per_minute if over == "requests" else key.tokens_per_minute
            headers = self.headers(key) | {"retry-after": str(max(1, round(wait + 0.5)))}
            raise Problem(429, "RATE_LIMIT_EXCEEDED", f"this key may use {limit:,} {over} a minute", headers=headers)
        if requests:
            requests.take(1, now)
        return self.headers(key)

    def spend(self, key: Key, tokens: int) -> None:
        """Count the tokens of a request that was let in."""
        if bucket := self._bucket(key, "tokens"):
            bucket.take(tokens, self._clock())

    def headers(self, key: Key) -> dict[str, str]:
        """Limits and what is left of them, of the kinds that the key has."""
        found = {}
        for what in ("requests", "tokens"):
            if bucket := self._bucket(key, what):
                found[f"x-ratelimit-limit-{what}"] = str(bucket.per_minute)
                found[f"x-ratelimit-remaining-{what}"] = str(max(0, int(bucket.level(self._clock()))))
        return found

    def _bucket(self, key: Key, what: str) -> Bucket | None:
        limit = key.requests_per_minute if what == "requests" else key.tokens_per_minute
        if not limit:
            return None
        bucket = self._buckets.get((key.name, what))
        if bucket is None or bucket.per_minute != limit:
            bucket = self._buckets[key.name, what] = Bucket(limit, self._clock())
        return bucket
