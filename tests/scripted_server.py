"""A local HTTP server that answers a qdrant-client as a script says: refusals, half a body, nothing; then as a server.

It keeps the collection in qdrant-client's own local mode, and speaks the few REST calls that a store makes.
"""

import json
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from qdrant_client import QdrantClient, models

Script = Callable[[str, str], str | None]
"""(method, path) -> what happens: None: a proper answer; a status, with seconds of Retry-After behind it ("429 0");
"half" of a body; "nothing"; "done, then nothing": the work is done, and its answer lost."""


class ScriptedServer:
    """url: where it listens. asked: every (method, path). script: may be changed between calls."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.script: Script = lambda method, path: None
        self.local = QdrantClient(":memory:")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, method: str, ending: str) -> int:
        """How often something was asked for."""
        return sum(m == method and path.partition("?")[0].endswith(ending) for m, path in self.asked)

    def answer(self, method: str, path: str, body: Any) -> Any:  # noqa: PLR0912 - one branch a call
        """As a server, by the local mode."""
        name, _, rest = path.partition("?")[0].removeprefix("/collections/").partition("/")
        local = self.local
        if rest == "exists":
            return {"exists": local.collection_exists(name)}
        if not rest and method == "PUT":
            params = models.CreateCollection(**body)
            sparse = {"sparse_vectors_config": params.sparse_vectors}
            return local.create_collection(name, vectors_config=params.vectors, metadata=params.metadata, **sparse)
        if not rest and method == "DELETE":
            return local.delete_collection(name)
        if not local.collection_exists(name):
            return None
        if not rest and method == "PATCH":
            return local.update_collection(name, metadata=body["metadata"])
        if not rest and method == "GET":
            return local.get_collection(name).model_dump(mode="json")
        if rest == "index":
            return {"operation_id": 1, "status": "completed"}
        if rest == "points" and method == "PUT":
            return local.upsert(name, [models.PointStruct(**one) for one in body["points"]]).model_dump(mode="json")
        if rest == "points/vectors":
            given = [models.PointVectors(**one) for one in body["points"]]
            return local.update_vectors(name, given).model_dump(mode="json")
        if rest == "points/payload":
            return local.set_payload(name, body["payload"], body["points"], key=body["key"]).model_dump(mode="json")
        if rest == "points":
            wanted = {"with_payload": body.get("with_payload", True), "with_vectors": body.get("with_vector", False)}
            found = local.retrieve(name, body["ids"], **wanted)
            return [one.model_dump(mode="json") for one in found]
        if rest == "points/delete":
            return local.delete(name, models.FilterSelector(**body)).model_dump(mode="json")
        if rest == "points/count":
            condition = body.get("filter")
            kept = None if condition is None else models.Filter(**condition)
            return local.count(name, kept).model_dump(mode="json")
        if rest == "points/scroll":
            condition = body.pop("filter", None)
            options = {"scroll_filter": None if condition is None else models.Filter(**condition)}
            options |= {"limit": body["limit"], "offset": body.get("offset"), "with_payload": body["with_payload"]}
            page, after = local.scroll(name, with_vectors=body.get("with_vector", False), **options)
            return {"points": [one.model_dump(mode="json") for one in page], "next_page_offset": after}
        if rest == "points/query/batch":
            requests = [models.QueryRequest(**{**one, "params": None}) for one in body["searches"]]
            return [one.model_dump(mode="json") for one in local.query_batch_points(name, requests)]
        raise NotImplementedError(path)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *words: Any) -> None:
                pass

            def _serve(self) -> None:
                given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path == "/":  # the client asks which version it meets
                    self._send(200, {"title": "qdrant", "version": "1.20.0"})
                    return
                server.asked.append((self.command, self.path))
                server.headers.append({name.lower(): value for name, value in self.headers.items()})
                fate = server.script(self.command, self.path)
                if fate == "nothing":
                    self._cut()
                    return
                if fate is not None and fate[:3].isdigit():
                    status, _, after = fate.partition(" ")
                    self._send(int(status), {"status": {"error": f"scripted {status}"}}, after)
                    return
                result = server.answer(self.command, self.path, json.loads(given) if given else None)
                if result is None:
                    self._send(404, {"status": {"error": "Not found"}})
                    return
                if fate == "done, then nothing":
                    self._cut()
                    return
                self._send(200, {"result": result, "status": "ok", "time": 0.0}, half=fate == "half")

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - as the module calls them

            def _send(self, status: int, content: Any, after: str = "", *, half: bool = False) -> None:
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                if after:
                    self.send_header("Retry-After", after)
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if half else data)
                if half:
                    self._cut()

            def _cut(self) -> None:
                self.close_connection = True
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)

        return Handler
