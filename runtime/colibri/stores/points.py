"""Documents as points, one a passage, and back.

The user's payload lies at top level, so that his own client filters by it as ever; ours is all under `_colibri`:

    id        the document's id                          passage, of   which passage this is, of how many
    start     its characters in the document's text      end
    text      those characters                           document      the whole text, on passage 0, where it is another
    facts     what filters ask (`facts`)                 spans         the characters of each token, packed
    bare      true: the document has no payload          exact         what JSON at a server would have changed
    space     which model's rows these are               centroids     version of its sparse vector (`centroids`)
    digest    of a document that came from an index      more          further characters of tokens that were pooled
              (`moving`)
"""

import base64
import json
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from colibri.errors import InputError, StoreDamaged
from colibri.index import Document
from colibri.stores.facts import facts
from colibri.vectors import Rows, Span, Spans

OWN = "_colibri"
_NAMESPACE = uuid.UUID("6f1c0d3e-5f0a-5c54-9c7e-0a2f6f0c0b19")  # never changed: ids of points are made with it
_DEEPEST = 100  # a server's JSON reader gives up at 128 levels, and a request has some of its own
_LARGEST = 24 << 20  # bytes of a payload with its text: a server takes bodies of 32 MB


@dataclass(frozen=True, eq=False)
class Sparse:
    """A sparse vector: (n,) indices, rising, and as many values."""

    indices: Sequence[int]
    values: Sequence[float]


@dataclass(frozen=True, eq=False)
class Point:
    """What is written. vectors: by name, (tokens, dim) float32 rows."""

    id: str
    vectors: Mapping[str, "Rows | Sparse"]
    payload: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Found:
    """What comes back. score: 0 where nothing was asked. vectors: by name, those asked for."""

    id: str | int
    score: float
    payload: dict[str, Any]
    vectors: Mapping[str, Rows] = field(default_factory=dict)

    @property
    def own(self) -> Mapping[str, Any] | None:
        """What we wrote under our key; None for a point of another's."""
        own = self.payload.get(OWN)
        return own if isinstance(own, Mapping) and isinstance(own.get("id"), str) else None

    @property
    def document(self) -> str:
        """Id of its document: ours, or the point's own."""
        return str(self.id) if self.own is None else str(self.own["id"])

    @property
    def passage(self) -> int:
        """Which passage of its document."""
        return 0 if self.own is None else int(self.own.get("passage", 0))

    @property
    def passages(self) -> int:
        """How many its document has."""
        return 1 if self.own is None else int(self.own.get("of", 1))

    @property
    def span(self) -> Span:
        """Its characters in the document's text."""
        own = self.own or {}
        return Span(int(own.get("start", 0)), int(own.get("end", 0)))


def point_id(document: str, passage: int) -> str:
    """The id of a document's passage: a UUID of both, the same wherever it is made."""
    name = json.dumps([document, passage])
    return str(uuid.uuid5(_NAMESPACE, name))


def check_payload(document: Document, payload: str | None, where: str) -> None:
    """Refuse what no server takes. payload: its JSON, as `index.payload_json` gives it."""
    if document.payload is not None and OWN in document.payload:
        raise InputError(f"{where}: payload has {OWN!r}, the key that a store keeps its own under; name it otherwise")
    size = len(payload or "") * 2 + len(document.text or "") * 2  # its facts, and a passage's text beside the whole
    if size > _LARGEST:
        raise InputError(f"{where}: text and payload of {size >> 20} MB, a server takes 32 MB at once; split it")
    if document.payload is not None and _depth(document.payload) > _DEEPEST:
        raise InputError(f"{where}: payload nested more than {_DEEPEST} levels deep, which a server does not read")


def _depth(payload: Mapping[str, Any]) -> int:
    level: list[Any] = [payload]
    depth = 0
    while level:
        depth += 1
        below = [v for one in level for v in (one.values() if isinstance(one, Mapping) else one)]
        level = [value for value in below if isinstance(value, Mapping | list | tuple)]
    return depth


def payloads(
    document: Document,
    spans: Sequence[Span],
    tokens: Sequence[Spans | None],
    space_id: str,
    *,
    keep_text: bool,
    more: Sequence[Spans | None] = (),
) -> list[dict[str, Any]]:
    """The payload of each passage's point. tokens: (tokens, 2) int32 in the document's characters, a passage each; and
    more: (further, 3), as `TokenVectors.more_spans`."""
    given = None if document.payload is None else json.loads(json.dumps(dict(document.payload)))
    shown, changed = _sendable(given or {})
    text = document.text if keep_text else None
    found = []
    for passage, (span, offsets) in enumerate(zip(spans, tokens, strict=True)):
        own: dict[str, Any] = {"id": document.id, "passage": passage, "of": len(spans)}
        own |= {"start": span.start, "end": span.end, "facts": facts(given)}
        if space_id:
            own["space"] = space_id[:16]
        if given is None:
            own["bare"] = True
        if text is not None:
            own["text"] = _clean(text[span.start : span.end])
            if passage == 0 and own["text"] != text:
                own["document"] = _clean(text)
        if passage == 0 and (changed or (text is not None and _clean(text) != text)):
            own["exact"] = json.dumps({"payload": given, "text": text})
        if offsets is not None:
            own["spans"] = _packed(offsets)
            further = more[passage] if more else None
            if further is not None and len(further):
                own["more"] = _packed(further)
        found.append({**shown, OWN: own})
    return found


def restored(found: Found) -> tuple[str | None, dict[str, Any] | None]:
    """Text and payload of a document, from its passage 0."""
    payload = {name: value for name, value in found.payload.items() if name != OWN}
    own = found.own
    if own is None:
        return None, payload
    if "exact" in own:
        exact = json.loads(own["exact"])
        return exact["text"], exact["payload"]
    text = own.get("document", own.get("text"))
    return text, None if own.get("bare") else payload


def token_spans(found: Found, tokens: int) -> Spans | None:
    """The characters of each of its tokens; None where nobody knows. Raises StoreDamaged for what is none."""
    return _unpacked(found, "spans", (tokens, 2))


def further_spans(found: Found, tokens: int) -> Spans | None:
    """Further characters of its tokens, as `TokenVectors.more_spans`; None where no token was pooled. Raises
    StoreDamaged for what is none."""
    further = _unpacked(found, "more", (-1, 3))
    rows = np.zeros(0, np.int32) if further is None else further[:, 0]
    if rows.size and (rows[0] < 0 or rows[-1] >= tokens or (np.diff(rows) < 0).any()):
        raise StoreDamaged(f"{found.document!r}: its tokens' offsets are of other tokens", (found.document,))
    return further


def _packed(spans: Spans) -> str:
    return base64.b64encode(zlib.compress(spans.astype("<i4").tobytes(), 1)).decode()


def _unpacked(found: Found, name: str, shape: tuple[int, int]) -> Spans | None:
    packed = None if found.own is None else found.own.get(name)
    if packed is None:
        return None
    try:
        return np.frombuffer(zlib.decompress(base64.b64decode(packed)), "<i4").reshape(shape).astype(np.int32)
    except (ValueError, TypeError, zlib.error) as error:
        raise StoreDamaged(f"{found.document!r}: its tokens' offsets cannot be read", (found.document,)) from error


def _sendable(value: Any) -> tuple[Any, bool]:
    """A payload as any server reads it, and whether that is another: strings are Unicode, integers have 64 bits."""
    if isinstance(value, str):
        clean = _clean(value)
        return clean, clean is not value
    if isinstance(value, dict):
        found = {_clean(name): _sendable(one) for name, one in value.items()}
        changed = any(name not in value for name in found) or any(change for _, change in found.values())
        return {name: one for name, (one, _) in found.items()}, changed
    if isinstance(value, list):
        listed = [_sendable(one) for one in value]
        return [one for one, _ in listed], any(change for _, change in listed)
    if isinstance(value, int) and not isinstance(value, bool) and not -(1 << 63) <= value < 1 << 63:
        try:
            return float(value), True
        except OverflowError:
            return None, True
    return value, False


def _clean(text: str) -> str:
    """Without lone surrogates, which UTF-8 lacks; the same object where there are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
