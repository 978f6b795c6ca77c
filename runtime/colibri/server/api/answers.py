"""Token vectors as JSON, written in pieces: beside the vectors themselves no more than a piece is held."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import orjson

from colibri.artefact import Fit
from colibri.server.api.requests import Form
from colibri.vectors import Rows, TokenVectors

PIECE_BYTES = 64 << 10
_FLOATS_AT_ONCE = 6 << 10  # about a piece of JSON


class Usage(msgspec.Struct):
    """Tokens the model was given, markers and a query's mask tokens included."""

    total_tokens: int
    prompt_tokens: int


class RankedDocument(msgspec.Struct):
    """A document of a ranking."""

    text: str


class Ranked(msgspec.Struct, omit_defaults=True):
    """One document's place in a ranking."""

    index: int
    relevance_score: float
    document: RankedDocument | None = None
    fit: Fit | None = None
    """Whether it fits the query at all; not there where the model has no cutoffs."""


class RerankAnswer(msgspec.Struct):
    """POST /v1/rerank."""

    model: str
    object: str
    usage: Usage
    results: list[Ranked]


class EmbeddingsRow(msgspec.Struct):
    """The token vectors of one text."""

    object: str
    index: int
    embeddings: list[Any] | dict[str, list[Any]]
    """One item a token: a list of numbers, or a base64 string. An object with such a list for each embedding type where
    several were asked for."""
    tokenized_input: list[str] | None = None


class EmbeddingsAnswer(msgspec.Struct):
    """POST /v1/multi-vector and /v1/embeddings. Written by `embeddings`, piece by piece."""

    model: str
    object: str
    data: list[EmbeddingsRow]
    usage: Usage


def embeddings(
    model: str, slices: list[TokenVectors], forms: Sequence[Form], usage: Usage, tokens: Sequence[list[str]] | None
) -> Iterator[bytes]:
    """The answer of /v1/multi-vector, in parts of any size. `slices` is emptied as they are written.

    forms: one gives its list as `embeddings`; several give an object with one list each.
    tokens: the text behind each row of each text, or None.
    """
    index = 0
    yield b'{"model":' + msgspec.json.encode(model) + b',"object":"list","data":['
    slices.reverse()
    while slices:
        for rows in slices.pop():
            yield b'%s{"object":"embeddings","index":%d' % (b"," if index else b"", index)
            if tokens is not None:
                yield b',"tokenized_input":' + msgspec.json.encode(tokens[index])
            yield b',"embeddings":'
            if len(forms) == 1:
                yield from written(rows, forms[0])
            else:
                for i, form in enumerate(forms):
                    yield b'%s"%s":' % (b"," if i else b"{", form.encode())
                    yield from written(rows, form)
                yield b"}"
            yield b"}"
            index += 1
    yield b'],"usage":' + msgspec.json.encode(usage) + b"}"


def written(rows: Rows, form: Form) -> Iterator[bytes]:
    """A JSON list with one item for each row of (tokens, dim) float32.

    float    the shortest decimals that give the same float32
    base64   the row's bytes, float32 little endian
    ubinary  its signs: bits of x > 0, the first one in the highest bit of the first byte
    binary   the same bytes less 128, so that they are int8
    """
    at_once = max(1, _FLOATS_AT_ONCE // rows.shape[1])
    yield b"["
    for first in range(0, len(rows), at_once):
        part = rows[first : first + at_once]
        if first:
            yield b","
        yield _items(part, form)
    yield b"]"


def _items(part: Rows, form: Form) -> bytes:
    if form == "base64":
        little = np.ascontiguousarray(part, "<f4")
        return b",".join(b'"%s"' % base64.b64encode(row.tobytes()) for row in little)
    if form == "float":
        return orjson.dumps(np.ascontiguousarray(part, np.float32), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    bits = np.packbits(part > 0, axis=1)
    if form == "binary":
        bits = (bits.astype(np.int16) - 128).astype(np.int8)
    return orjson.dumps(bits, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]


def in_pieces(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about PIECE_BYTES."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= PIECE_BYTES:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)
