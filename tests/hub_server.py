"""A hub of a few folders on 127.0.0.1, as far as huggingface_hub's client asks one; and its cache, laid out by hand."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"

RECIPE = f"""
name = "tiny-late"
aliases = ["tl"]
description = "A tiny random model, for tests"
overrides = ["query_length", "query_expansion"]

[licence]
id = "CC-BY-NC-4.0"
commercial_use = false
notice = "Not for sale."

[source]
kind = "hub"
name = "Owner/Tiny"
revision = "{COMMIT}"

[query]
marker = "[unused0]"
keep_prefix_rows = true
keep_special_rows = true
max_tokens = 12
skiplist = "none"

[document]
marker = "[unused1]"
keep_prefix_rows = true
keep_special_rows = true
max_tokens = 30
skiplist = "stanford"
"""
"""A recipe for a repository of tests/golden/tiny-random-bert."""


@dataclass
class HubServer:
    """One commit of each repository; `main` is its only branch."""

    repositories: dict[str, Path]
    gated: set[str] = field(default_factory=set)
    cut_after: dict[str, int] = field(default_factory=dict)
    """File name -> bytes after which the connection breaks, once."""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(method, path, Range) of every request."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Repository -> the token that opens it; to others it does not exist."""
    endpoint: str = ""

    def files_fetched(self) -> set[str]:
        """Names of the files whose content was asked for."""
        return {path.split(f"/resolve/{COMMIT}/")[1] for method, path, _ in self.asked if "/resolve/" in path}


@contextmanager
def serving(server: HubServer) -> Iterator[HubServer]:
    """Run it on a free port until the block ends."""

    class Handler(_Handler):
        hub = server

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.endpoint = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        return

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0].strip("/")
        self.hub.asked.append((self.command, path, self.headers.get("Range")))
        parts = path.removeprefix("api/models/").split("/")
        repo = "/".join(parts[:2])
        folder = self.hub.repositories.get(repo)
        if folder is None:
            return self._refuse(404, "RepoNotFound")
        if repo in self.hub.tokens and self.headers.get("Authorization") != f"Bearer {self.hub.tokens[repo]}":
            return self._refuse(401, "RepoNotFound")
        if repo in self.hub.gated:
            return self._refuse(403, "GatedRepo")
        kind, revision = (parts[2:4] or ["revision"]) if len(parts) < 4 else parts[2:4]
        if revision not in {"main", COMMIT}:
            return self._refuse(404, "RevisionNotFound")
        names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
        if kind == "revision":
            siblings = [{"rfilename": name} for name in names]
            return self._send(json.dumps({"id": repo, "modelId": repo, "sha": COMMIT, "siblings": siblings}).encode())
        if kind == "tree":
            listed = [
                {"type": "file", "path": name, "size": (folder / name).stat().st_size, "oid": etag(folder / name)}
                for name in names
            ]
            return self._send(json.dumps(listed).encode())
        name = "/".join(parts[4:])
        if name not in names:
            return self._refuse(404, "EntryNotFound")
        return self._file(folder / name, name, with_body=with_body)

    def _file(self, path: Path, name: str, *, with_body: bool) -> None:
        content, asked = path.read_bytes(), self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("ETag", f'"{etag(path)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if with_body:
            stop = self.hub.cut_after.pop(name, len(content))
            self.wfile.write(content[start:stop])

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


def etag(path: Path) -> str:
    """What names a blob in the cache: a large file's SHA-256, the SHA-1 of others."""
    algorithm = "sha256" if path.suffix == ".safetensors" else "sha1"
    return hashlib.new(algorithm, path.read_bytes(), usedforsecurity=False).hexdigest()


def lay_out_cache(cache: Path, repo: str, source: Path) -> Path:
    """Lay a folder out as huggingface_hub keeps a repository; gives the snapshot, whose files are symbolic links."""
    repository = cache / f"models--{repo.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    for made in (repository / "blobs", repository / "refs", snapshot):
        made.mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    for path in (path for path in source.rglob("*") if path.is_file()):
        shutil.copyfile(path, repository / "blobs" / etag(path))
        link = snapshot / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        up = [".."] * (len(path.relative_to(source).parts) + 1)
        link.symlink_to(Path(*up, "blobs", etag(path)))
    return snapshot
