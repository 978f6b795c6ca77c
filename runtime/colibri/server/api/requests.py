"""What clients send: the fields of Jina's API, null for any that is optional, others ignored."""

import codecs
import re
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints

import msgspec
import numpy as np

from colibri.artefact import RoleName
from colibri.server.api.unknown import unknown_field
from colibri.server.problems import Problem, invalid
from colibri.server.settings import Settings

Form = Literal["float", "base64", "binary", "ubinary"]
InputType = Literal["document", "query", "search_document", "search_query"]
"""Jina's and Voyage's words, and Cohere's."""
Task = Literal["retrieval", "retrieval.passage", "retrieval.query"]
"""Words of Jina's models that know other tasks too; the first says no role."""
_ROLES: dict[str, RoleName] = {
    "document": "document",
    "search_document": "document",
    "retrieval.passage": "document",
    "query": "query",
    "search_query": "query",
    "retrieval.query": "query",
}


class TextDocument(msgspec.Struct):
    """A text in a field of that name; others (an id, say) are ignored."""

    text: str


Text = str | TextDocument


class EmbeddingsRequest(msgspec.Struct, kw_only=True):
    """POST /v1/multi-vector and /v1/embeddings."""

    model: str
    input: str | TextDocument | list[Text]
    input_type: InputType | None = None
    """A document's, unless it or `task` says otherwise."""
    task: Task | None = None
    """Another way to say the same; the two must not differ."""
    dimensions: int | None = None
    embedding_type: Form | list[Form] | None = None
    encoding_format: Any = None
    """OpenAI's field, of clients that read one vector a text: /v1/embeddings refuses it without `embedding_type`."""
    return_tokenized_input: bool | None = None
    truncation: bool | None = None
    """False refuses a text that does not fit, instead of cutting it."""


class RerankRequest(msgspec.Struct, kw_only=True):
    """POST /v1/rerank."""

    model: str
    query: str | TextDocument
    documents: list[Text]
    top_n: Annotated[int, msgspec.Meta(ge=1)] | None = None
    return_documents: bool | None = None
    """True unless it says otherwise."""
    truncation: bool | None = None
    dimensions: int | None = None
    """Not in Jina's: the width to score with."""


R = TypeVar("R")

# msgspec quotes what was sent as it is, which may look like this: the last one counts, and it may be wrong still.
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*?)`")
# Strings, escapes and all; possessive, so that no input makes it go back.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
# An escaped surrogate that has no partner: msgspec calls that truncated.
_HALF = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_BRACKETS_AT_ONCE = 1 << 20


def decode(body: bytes, kind: type[R], settings: Settings) -> R:
    """A request out of its body. Raises Problem: 400 for what is no JSON, 422 for what does not fit."""
    body = body.removeprefix(codecs.BOM_UTF8)
    if depth(body, settings.json_depth) > settings.json_depth:
        raise Problem(400, "INVALID_JSON", f"the JSON is nested deeper than {settings.json_depth} levels")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        said = str(error)
        place, missing, unknown = _PLACE.search(said), _MISSING.match(said), _UNKNOWN.match(said)
        at = place[1] if place else ""
        if unknown:
            raise unknown_field(unknown[1], at, kind) from None
        if missing:
            raise invalid(f"{at}.{missing[1]}".lstrip("."), "missing, and required", "missing") from None
        raise invalid(at, _PLACE.sub("", said) + _choice(said, at, kind), "type_error") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = "half of a surrogate pair, which is no text" if _HALF.search(body) else str(error)
        raise Problem(400, "INVALID_JSON", f"the body is not JSON: {why}") from None


def _choice(said: str, at: str, kind: type[Any]) -> str:
    """The words that a field takes, where what was found is none of them."""
    if not said.startswith("Invalid enum value"):
        return ""
    words = _words(get_type_hints(kind).get(re.split(r"[.\[]", at)[0]))
    return f"; wanted {', '.join(dict.fromkeys(words))}" if words else ""


def _words(hint: Any) -> list[str]:
    return [hint] if isinstance(hint, str) else [word for part in get_args(hint) for word in _words(part)]


def depth(body: bytes, enough: int) -> int:
    """How deep its brackets go, not counting those in strings; or fewer, where there are not `enough` at all."""
    if body.count(b"[") + body.count(b"{") <= enough:
        return 0
    brackets = np.frombuffer(_STRINGS.sub(b"", body).translate(None, _NOT_BRACKETS), np.uint8)
    deepest = level = 0
    for first in range(0, brackets.size, _BRACKETS_AT_ONCE):
        # "[" and "{" are 0x5b and 0x7b, their ends 0x5d and 0x7d.
        opens = brackets[first : first + _BRACKETS_AT_ONCE] & 6 == 2
        levels = level + np.cumsum(np.where(opens, 1, -1))
        deepest, level = max(deepest, int(levels.max())), int(levels[-1])
    return deepest


def plain_texts(given: str | TextDocument | list[Text], field: str, settings: Settings) -> list[str]:
    """As a list of strings within the limits. Raises Problem naming the first that is not."""
    listed = given if isinstance(given, list) else [given]
    if not listed:
        raise invalid(field, "an empty list, wanted at least one text")
    if len(listed) > settings.texts:
        raise invalid(field, f"{len(listed):,} texts, this server takes {settings.texts:,} at once")
    texts = [text if isinstance(text, str) else text.text for text in listed]
    for i, text in enumerate(texts):
        if len(text) > settings.characters:
            place = f"{field}[{i}]" if isinstance(given, list) else field
            raise invalid(place, f"{len(text):,} characters, this server takes {settings.characters:,} in one text")
    return texts


def role_of(asked: EmbeddingsRequest) -> RoleName:
    """What its texts are. Raises Problem where two fields say two things."""
    said = {_ROLES[word]: word for word in (asked.input_type, asked.task) if word in _ROLES}
    if len(said) > 1:
        raise invalid("task", f"found {asked.task}, and input_type {asked.input_type}; send one of them")
    return next(iter(said), "document")


def forms(given: Form | list[Form] | None) -> list[Form]:
    """The forms asked for, each once. Raises Problem for an empty list."""
    listed: list[Form] = ["float"] if given is None else list(given) if isinstance(given, list) else [given]
    if not listed:
        raise invalid("embedding_type", "an empty list, wanted float, base64, binary or ubinary")
    return list(dict.fromkeys(listed))
