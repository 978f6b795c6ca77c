"""A store at a URL, for programs that have no client of their own: `colibri qdrant`, `colibri serve --store qdrant`."""

import os
from typing import Any
from urllib.parse import urlsplit

from colibri.errors import InputError, MissingExtra
from colibri.machine import install_command
from colibri.stores.qdrant import QdrantStore


def connected(url: str, collection: str, *, grpc: bool = False, seconds: int = 60, **options: Any) -> QdrantStore:
    """The collection at a URL, through a client made here and kept until the process ends.

    The key is read from the environment, QDRANT_API_KEY, and shown nowhere; https:// is TLS, its authorities those of
    SSL_CERT_FILE. seconds: a call may take. options: see `QdrantStore`. Raises as it does.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"--url {parts.scheme}: wanted http://HOST:6333 or https://HOST")
    if parts.username or parts.password:
        raise InputError("--url: it holds a password; give the key by the environment, QDRANT_API_KEY")
    try:
        from qdrant_client import QdrantClient  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra(f"no qdrant-client (colibri-edge[qdrant]): {install_command('qdrant')}") from error
    client = QdrantClient(
        url=url,
        port=parts.port or (443 if parts.scheme == "https" else 6333),
        api_key=os.environ.get("QDRANT_API_KEY") or None,
        prefer_grpc=grpc,
        timeout=seconds,
        check_compatibility=False,
    )
    return QdrantStore(client, collection, **options)
