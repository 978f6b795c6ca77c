"""What another process of this user asks the page's server for."""

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

from colibri.errors import StoreError
from colibri.machine import Served

_SECONDS = 30.0
_STARTS_SECONDS = 5.0
_STEP_SECONDS = 0.05


def ask_page(served: Served, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a POST below /ui/api/. Raises StoreError, with what the server says."""
    address = urlsplit(served.url)
    headers = {"Content-Type": "application/json", "X-Colibri-Token": served.token or ""}
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=_SECONDS)
    try:
        _connect(connection)
        connection.request("POST", f"/ui/api/{name}", json.dumps(body), headers)
        answer = connection.getresponse()
        found: dict[str, Any] = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise StoreError(f"{served.url} (process {served.pid}) does not answer: {error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise StoreError(str(found.get("detail", answer.status)))
    return found


def _connect(connection: http.client.HTTPConnection) -> None:
    """It was announced a moment before it listens."""
    until = time.monotonic() + _STARTS_SECONDS
    while True:
        try:
            connection.connect()
            return
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(_STEP_SECONDS)
