"""`colibri serve`: Jina's HTTP API for late-interaction models, from one's own machine (extra [server]).

Starlette routes on uvicorn's h11: both are small and pure Python, so they run wherever Python does, in one process
whose queue, limits and metrics are one. uvicorn has no time limits for headers and for slow readers; `connection` adds
them. granian has the former, as 22 MB of Rust that starts processes of its own; hypercorn brings HTTP/2 and five more
packages along. Bodies are decoded and checked by msgspec; orjson writes float32 rows straight from NumPy's memory.

Nothing here is imported by the rest of the package.
"""
