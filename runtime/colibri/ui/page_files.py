"""The page's own files, held in memory as they are sent: whole, and compressed for browsers that take that."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from colibri.server import Problem

FOLDER = Path(__file__).with_name("page")
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""Of every answer below /ui, and x-content-type-options, which all of the server's have."""


@dataclass(frozen=True)
class PageFile:
    """One of them."""

    kind: str
    whole: bytes
    packed: bytes
    tag: str


def page_files(folder: Path = FOLDER) -> dict[str, PageFile]:
    """By name; index.html is "" as well."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in KINDS:
            data = path.read_bytes()
            tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
            found[path.name] = PageFile(KINDS[path.suffix], data, gzip.compress(data, 9, mtime=0), tag)
    if "index.html" in found:
        found[""] = found["index.html"]
    return found


def answer(files: dict[str, PageFile], name: str, request: Request) -> Response:
    """Raises Problem 404 for a name that is none of them."""
    file = files.get(name)
    if file is None:
        raise Problem(404, "RESOURCE_NOT_FOUND", "the page has no such file")
    headers = {"etag": file.tag, "cache-control": "no-cache", "vary": "accept-encoding"}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    packs = "gzip" in request.headers.get("accept-encoding", "").replace("gzip;q=0", "") and len(file.packed) < len(
        file.whole
    )
    if packs:
        headers["content-encoding"] = "gzip"
    return Response(file.packed if packs else file.whole, headers=headers, media_type=file.kind)
