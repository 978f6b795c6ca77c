"""What goes into a store and what comes out of it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from colibri.artefact import Fit
from colibri.errors import InputError, InputTypeError
from colibri.explain import Match, highlights
from colibri.index.plain import as_json, plain
from colibri.vectors import Span, TokenVectors

Payload = dict[str, Any]

LONGEST_ID = 4_096  # characters
LARGEST_PAYLOAD = 16 << 20  # bytes of JSON
DEEPEST_PAYLOAD = 200  # SQLite's JSON functions give up at 1,000, and would for every document's filter
LONGEST_TEXT = 256 << 20  # bytes; SQLite takes a value up to 1 GB
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """A text, or what an encoder of your own made of it, under an id.

    id       1 to 4,096 characters, any but lone surrogates; unique in a store
    text     what results show and explain; encoded unless `vectors` are given
    payload  a JSON object (up to 16 MB, 200 levels deep) to filter by and to get back; numpy's scalars become numbers,
             tuples lists, and what JSON has no word for (a datetime, a Path) is refused by its key
    vectors  ready rows: (tokens, dim) of one passage, or TokenVectors of one or several. Their `spans` count from the
             beginning of `text`. For a store that keeps several widths: a mapping, width -> rows
    borders  characters of `text` where something of its own begins (a page, a heading, a function), ascending: a long
             text's passages end before them where they can. Not stored
    """

    id: str
    text: str | None = None
    payload: Mapping[str, Any] | None = None
    vectors: TokenVectors | ArrayLike | Mapping[int, TokenVectors | ArrayLike] | None = None
    borders: Sequence[int] | None = None


@dataclass(frozen=True)
class PassageHit:
    """A part of a document that was scored on its own.

    start, end  its characters in the document's text; (0, 0) where the store was not told, and for words about the
                document that stand nowhere in it (`index.about`)
    score       raw MaxSim
    matches     one for each query token, in their order, when explanations were asked for; their characters count
                from the beginning of the document's text
    text        its own part of the document's text; None where the store keeps none, or (start, end) is (0, 0)
    """

    start: int
    end: int
    score: float
    matches: tuple[Match, ...] = ()
    text: str | None = None


@dataclass(frozen=True)
class Hit:
    """A document of a ranking.

    score       raw MaxSim of its best passage: the sum, over query tokens, of the best similarity
    normalised  score divided by the sum of the query tokens' weights (their number, where they have none): a weighted
                mean of cosines, at most 1 for unit rows, comparable between queries of different lengths
    passages    its best passages, best first; where words were asked for too, one that has them may come before the one
                that `score` is of
    words       BM25 of its best passage over the best one's of the answer, from 0 to 1; None where words were not
                asked for. Where they alone were, `score` is BM25, and `normalised` the same as this
    fit         whether it fits the query at all, by the model's cutoffs (`manifest.cutoffs`): "likely", "maybe" or
                "unlikely"; None where the model has none, or the index has not loaded it
    screened    whether sign bits chose which passages were scored (see `Index.search`)
    """

    id: str
    score: float
    normalised: float
    text: str | None = None
    payload: Payload | None = None
    passages: tuple[PassageHit, ...] = field(default=())
    words: float | None = None
    fit: Fit | None = None
    screened: bool = field(default=False, compare=False)

    def highlights(self, passage: int | None = None, *, share: float = 0.3) -> list[Span]:
        """What of `text` to show in bold: the words that matter most to a passage's score, as `colibri.explain` says.

        passage  its place in `passages`; None: the best that is part of the text
        share    of the most that a word adds, which a word has to add to be shown; 0 to 1

        Empty for words about the document that stand nowhere in its text. Raises InputError without explanations
        (`search(..., explain=True)`), without a text, and for a passage that is not there.
        """
        if passage is None:
            passage = next((i for i, one in enumerate(self.passages) if one.end > one.start), 0)
        if isinstance(passage, bool) or not isinstance(passage, int | np.integer):
            raise InputTypeError(f"passage: found {type(passage).__name__}, wanted its place in `passages`, or None")
        if not 0 <= passage < len(self.passages):
            raise InputError(f"passage: found {passage}, {self.id!r} shows {len(self.passages)} of its passages")
        if not self.passages[passage].matches:
            raise InputError(f"{self.id!r}: was found without explanations; search with explain=True")
        if self.text is None:
            raise InputError(f"{self.id!r}: its text is not kept here, so that no part of it can be shown")
        return highlights(self.passages[passage].matches, self.text, share)

    def as_dict(self) -> dict[str, Any]:
        """Its fields by their names, passages and matches too, as `json.dumps` takes them: a span is [start, end]."""
        found: dict[str, Any] = plain(self)
        return found

    def to_json(self) -> str:
        """`as_dict` as one line of JSON, which can be written as UTF-8."""
        return as_json(self.as_dict())


@dataclass(frozen=True, eq=False)
class Stored:
    """A document as a store gives it back.

    passages  the characters of each passage in the text
    vectors   its rows, one entry a passage, when they were asked for
    """

    id: str
    text: str | None
    payload: Payload | None
    passages: tuple[Span, ...]
    vectors: TokenVectors | None = None

    def as_dict(self) -> dict[str, Any]:
        """Its fields but for `vectors`, as `json.dumps` takes them: a span is [start, end]."""
        return {"id": self.id, "text": self.text, "payload": plain(self.payload), "passages": plain(self.passages)}

    def to_json(self) -> str:
        """`as_dict` as one line of JSON, which can be written as UTF-8."""
        return as_json(self.as_dict())


_FIELDS = [entry.name for entry in fields(Document)]


def checked(given: object, place: int, *, ready: bool = False) -> Document:
    """A Document of what was given (one, or a mapping with its fields), or an error that says where and why.

    ready: its vectors come by another way
    """
    where = f"documents[{place}]"
    if isinstance(given, Mapping):
        if unknown := [str(name) for name in given if name not in _FIELDS]:
            raise InputError(f"{where}: unknown field {', '.join(unknown)}; there is {', '.join(_FIELDS)}")
        if "id" not in given:
            raise InputError(f"{where}: no id")
        given = Document(**given)
    if not isinstance(given, Document):
        raise InputTypeError(f"{where}: found {type(given).__name__}, wanted a colibri.Document or a mapping")
    check_id(given.id, where)
    if given.text is not None and not isinstance(given.text, str):
        raise InputTypeError(f"{where}: text is {type(given.text).__name__}, wanted str")
    if given.text is not None and len(given.text) > LONGEST_TEXT // 4 and len(text_bytes(given.text)) > LONGEST_TEXT:
        raise InputError(f"{where}: text of more than {LONGEST_TEXT >> 20} MB; split it into several documents")
    if given.text is None and given.vectors is None and not ready:
        raise InputError(f"{where}: neither text nor vectors")
    if given.borders is not None:
        check_borders(given.borders, where)
    return given


def part_of(text: str | None, start: int, end: int) -> str | None:
    """The characters of a passage, where they are known."""
    return None if text is None or end <= start else text[start:end]


def refusal(document: Document) -> str | None:
    """Why no index takes this document, whatever it holds already; None: it does."""
    try:
        checked(document, 0)
        payload_json(document.payload, "it")
    except InputError as error:
        return str(error).removeprefix("documents[0]: ")
    return None


def check_id(found: object, where: str) -> None:
    """Refuse what cannot be an id."""
    if not isinstance(found, str):
        raise InputTypeError(f"{where}: id is {type(found).__name__}, wanted str")
    if not 0 < len(found) <= LONGEST_ID:
        raise InputError(f"{where}: id of {len(found)} characters, wanted 1 to {LONGEST_ID:,}")
    if not encodable(found):
        raise InputError(f"{where}: id {found!r} has a lone surrogate, which no store can write")


def check_borders(found: object, where: str) -> None:
    """Refuse what isn't characters' numbers in ascending order."""
    if not isinstance(found, Sequence) or isinstance(found, str | bytes):
        raise InputTypeError(f"{where}: borders is {type(found).__name__}, wanted a list of whole numbers")
    before = 0
    for at in found:
        if not isinstance(at, int) or at < before:
            raise InputError(f"{where}: borders has {at!r} after {before}, wanted whole numbers from 0 that ascend")
        before = at


def encodable(text: str) -> bool:
    """Whether it can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def text_bytes(text: str) -> bytes:
    """A text as it is stored: UTF-8 that keeps lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def payload_json(payload: Mapping[str, Any] | None, where: str) -> str | None:
    """A payload as JSON, refused where SQLite could not read it back or JSON would change it."""
    if payload is None:
        return None
    if not isinstance(payload, Mapping):
        raise InputTypeError(f"{where}: payload is {type(payload).__name__}, wanted a mapping")
    _check_depth(payload, where)
    try:
        text = json.dumps(dict(payload), ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_scalar)
    except (TypeError, ValueError) as error:
        key = _unfit(payload)
        raise InputError(f"{where}: payload{f'.{key}' if key else ''} is not JSON ({error})") from error
    if not encodable(text):  # escaped alone: SQLite 3.40 finds no field whose name is escaped
        text = _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    if len(text) > LARGEST_PAYLOAD:
        raise InputError(f"{where}: payload of {len(text):,} characters, wanted up to {LARGEST_PAYLOAD:,}")
    return text


def _scalar(value: object) -> object:
    """numpy's scalars as Python's."""
    if isinstance(value, np.generic) and not isinstance(plain := value.item(), np.generic):
        return plain
    raise TypeError(f"{type(value).__name__}; wanted str, a number, bool, None, a list or a mapping")


def _unfit(value: object) -> str:
    """The key of the first value that JSON cannot hold, such as "author.born" or "dates[2]"; "" for none of them."""
    parts: Iterable[tuple[str, object]] = ()
    if isinstance(value, Mapping):
        parts = ((str(key), part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        parts = ((f"[{i}]", part) for i, part in enumerate(value))
    for key, part in parts:
        try:
            json.dumps(part, allow_nan=False, default=_scalar)
        except (TypeError, ValueError):
            rest = _unfit(part)
            return f"{key}{'' if not rest or rest.startswith('[') else '.'}{rest}"
    return ""


def _check_depth(payload: object, where: str) -> None:
    level, depth = [payload], 0
    while level:
        depth += 1
        if depth > DEEPEST_PAYLOAD:
            raise InputError(f"{where}: payload nested more than {DEEPEST_PAYLOAD} levels deep")
        below: list[object] = []
        for value in level:
            if isinstance(value, Mapping):
                for key in value:
                    if not isinstance(key, str):
                        raise InputTypeError(f"{where}: payload key {key!r} is {type(key).__name__}, wanted str")
                below += value.values()
            elif isinstance(value, list | tuple):
                below += value
        level = [value for value in below if isinstance(value, Mapping | list | tuple)]


def id_list(ids: str | Iterable[str]) -> list[str]:
    """One id or several, checked, each once."""
    return list(dict.fromkeys(all_ids(ids)))


def all_ids(ids: str | Iterable[str]) -> list[str]:
    """One id or several, checked."""
    if isinstance(ids, bytes) or not isinstance(ids, Iterable):
        raise InputTypeError(f"ids: found {type(ids).__name__}, wanted an id or a list of ids")
    listed = [ids] if isinstance(ids, str) else list(ids)
    for i, found in enumerate(listed):
        check_id(found, f"ids[{i}]")
    return listed
