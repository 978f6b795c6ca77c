"""`colibri serve`: Jina's HTTP API for late-interaction models, from one's own machine (extra [server]).

Starlette routes on uvicorn's h11: both are small and pure Python, so they run wherever Python does, in one process
whose queue, limits and metrics are one. uvicorn has no time limits for headers and for slow readers; `http/connection`
adds them. granian has the former, as 22 MB of Rust that starts processes of its own; hypercorn brings HTTP/2 and five
more packages along. Bodies are decoded and checked by msgspec; orjson writes float32 rows straight from NumPy's
memory.

In come requests, out go answers. Who may ask is in `access/`, what goes over a connection in `http/`, Jina's rules in
`api/`. It stands on `model` and `index`. Only `cli` imports it.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.server.access.gate import Gate
    from colibri.server.access.keys import SCOPES, KeyRing, KeyScope, add_key, read_keys, remove_key
    from colibri.server.api.index_faults import told
    from colibri.server.api.index_messages import SearchRequest
    from colibri.server.api.requests import decode
    from colibri.server.api.routes import json_response, route
    from colibri.server.api.searched import search_answer
    from colibri.server.app import App, Hints
    from colibri.server.assembly import assemble
    from colibri.server.http.bodies import unread
    from colibri.server.http.exchange import exchange_of
    from colibri.server.http.logs import configure_logs
    from colibri.server.listen import bound, is_loopback, run, run_foreign, url
    from colibri.server.models import Models, load_all
    from colibri.server.problems import Problem, invalid
    from colibri.server.settings import Settings
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "access.gate": "Gate",
            "access.keys": "SCOPES KeyRing KeyScope add_key read_keys remove_key",
            "api.index_faults": "told",
            "api.index_messages": "SearchRequest",
            "api.requests": "decode",
            "api.routes": "json_response route",
            "api.searched": "search_answer",
            "app": "App Hints",
            "assembly": "assemble",
            "http.bodies": "unread",
            "http.exchange": "exchange_of",
            "http.logs": "configure_logs",
            "listen": "bound is_loopback run run_foreign url",
            "models": "Models load_all",
            "problems": "Problem invalid",
            "settings": "Settings",
        },
    )
