"""What another process of this user asks the page's server for."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from colibri.errors import StoreError
from colibri.machine import Served

_SECONDS = 30.0


def ask_page(served: Served, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a POST below /ui/api/. Raises StoreError, with what the server says."""
    address = urlsplit(served.url)
    headers = {"Content-Type": "application/json", "X-Colibri-Token": served.token or ""}
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=_SECONDS)
    try:
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
