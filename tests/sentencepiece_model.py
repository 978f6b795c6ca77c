"""tokenizer.json's pieces, scores and charsmap as a model that sentencepiece reads.

Fields are those of sentencepiece_model.proto; the package's own protobuf classes do not load under a current protobuf.
"""

import base64
import json
import struct
from typing import Any

_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3


def model_proto(tokenizer_json: str) -> bytes:
    """A serialised ModelProto whose ids are those of an XLM-R tokenizer.json."""
    document: dict[str, Any] = json.loads(tokenizer_json)
    special = {token["content"] for token in document["added_tokens"]}
    unknown = document["model"]["unk_id"]
    pieces = []
    for i, (piece, score) in enumerate(document["model"]["vocab"]):
        kind = _UNKNOWN if i == unknown else _CONTROL if piece in special else _NORMAL
        entry = _bytes(1, piece.encode()) + b"\x15" + struct.pack("<f", score if kind == _NORMAL else 0) + _int(3, kind)
        pieces.append(_bytes(1, entry))
    steps = document["normalizer"]["normalizers"]
    charsmap = next(step["precompiled_charsmap"] for step in steps if step["type"] == "Precompiled")
    # TrainerSpec: model_type unigram, unk_id, no bos, eos or pad. NormalizerSpec: charsmap, dummy prefix, no double
    # spaces, spaces escaped.
    trainer = _int(3, 1) + _int(40, unknown) + _int(41, 0) + _int(42, 2) + _int(43, 1)
    normalizer = _bytes(2, base64.b64decode(charsmap)) + _int(3, 1) + _int(4, 1) + _int(5, 1)
    return b"".join(pieces) + _bytes(2, trainer) + _bytes(3, normalizer)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _int(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value
