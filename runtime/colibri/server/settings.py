"""What a server is told once, when it starts."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Limits of one server. Sizes in bytes, times in seconds.

    Whatever a client can make large or slow has a bound here; over it, it gets a short answer that says so.
    """

    body_bytes: int = 32 << 20
    """Of one request: 2,048 texts of 16 KB."""
    bodies_bytes: int = 256 << 20
    """Of all requests that are being read or wait, together."""
    texts: int = 2048
    """Texts or documents of one request, as in Jina's API."""
    characters: int = 1_000_000
    """Of one text. What does not fit in the model's tokens is cut; this bounds the work of finding that out."""
    json_depth: int = 32

    queue: int = 64
    """Requests that wait or run at once; one more is refused."""
    wait_seconds: float = 30.0
    """Work ahead of a new request, at the speed of the last ones, from which on it is refused."""
    slice_texts: int = 32
    """Texts of one request that are encoded together; then others have their turn."""

    header_seconds: float = 10.0
    """From the first byte of a connection, or of its next request, to the end of the headers."""
    keep_alive_seconds: float = 15.0
    body_seconds: float = 60.0
    """For the body to arrive."""
    request_seconds: float = 300.0
    """From the end of the body until the answer begins."""
    write_seconds: float = 30.0
    """For a client to take the next 64 KB of its answer."""
    drain_seconds: float = 0.0
    """After SIGTERM, in which all is served while /ready says 503, for a load balancer to see that."""
    grace_seconds: float = 30.0
    """For what runs, after that."""
    connections: int = 2000

    normalise_scores: bool = False
    """relevance_score divided by the number of query rows, or by the sum of their weights: at most 1."""
