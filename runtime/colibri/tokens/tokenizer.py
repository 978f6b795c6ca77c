"""Text and role to token ids, the rows to keep, and the characters behind each row."""

import functools
import json
import logging
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri import machine
from colibri.artefact import Artefact, Role
from colibri.errors import ArtefactError, MissingExtra
from colibri.tokens.composition import Composed, compose
from colibri.tokens.folding import fold
from colibri.tokens.light_tokenizer import LightTokenizer, Pieces
from colibri.tokens.tokenizer_file import read_tokenizer_json
from colibri.vectors import Spans

log = logging.getLogger(__name__)

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Encoded:
    """One text as a model sees it.

    ids       (n,)    int64
    attended  (n,)    bool; False for expansion tokens the others must not see
    keep      (n,)    bool; at least one row is kept
    spans     (n, 2)  int32; code points of the original text, (0, 0) where there is none
    truncated         how many of the text's tokens did not fit
    """

    ids: NDArray[np.int64]
    attended: NDArray[np.bool_]
    keep: NDArray[np.bool_]
    spans: Spans
    truncated: int


class TextTokenizer:
    """tokenizer.json with the role rules of an artefact; threads may share it.

    Where the artefact carries its vocabulary for the light tokenizer, that one reads the texts. tokenizer.json is then
    for special_tokens, and for what earlier exports leave to `tokenizers`; MissingExtra where that is wanted
    and not installed.
    """

    def __init__(self, artefact: Artefact, *, special_tokens: bool = False) -> None:
        """special_tokens: whether "<mask>" in a text means the mask token; by default it is the text it looks like."""
        self._frame = artefact.manifest.tokenizer
        self._path = artefact.path(self._frame.file)
        self._special_tokens = special_tokens
        self._loading = threading.Lock()
        self._loaded: Any = None
        unigram = self._frame.unigram_file
        self._light = None if unigram is None else LightTokenizer(artefact.path(unigram))
        if self._light is None or special_tokens:
            self._reference()

    def encode(self, texts: Sequence[str], role: Role) -> list[Encoded]:
        """Apply a role's rules to every text."""
        return [self._lay_out(text, pieces, role) for text, pieces in self._pieces(texts, role.prefix or "")]

    def encode_windows(self, texts: Sequence[str], role: Role, overlap: int) -> list[list[Encoded]]:
        """Apply a role's rules to every text, and to one that does not fit in windows that do.

        overlap: tokens that a window shares with the one before it, fewer than a window has room for

        Each window is laid out like a text of its own, the prefix in front, and its spans point into the whole text.
        The last one is as short as what is left.
        """
        return [
            [
                self._lay_out(text, window, role)
                for window in _windows(pieces, self.room(role), len(role.prefix or ""), overlap)
            ]
            for text, pieces in self._pieces(texts, role.prefix or "")
        ]

    def offsets(self, text: str) -> Spans:
        """The characters behind each token of a text alone, without prefix or markers: (tokens, 2) int32."""
        ((_, pieces),) = self._pieces([text], "")
        return pieces.offsets.astype(np.int32)

    def ids(self, text: str) -> NDArray[np.int64]:
        """The tokens of a text alone, without prefix or markers: (tokens,)."""
        ((_, pieces),) = self._pieces([text], "")
        return pieces.ids

    def room(self, role: Role) -> int:
        """How many tokens of prefix and text a role's `max_tokens` leaves beside start, marker and end."""
        frame = len(self._frame.start_ids) + (role.marker_id is not None) + len(self._frame.end_ids)
        return max(role.max_tokens - frame, 0)

    def _pieces(self, texts: Sequence[str], prefix: str) -> Iterator[tuple[str, Pieces]]:
        """Every text with the ids of the prefix and itself, and the characters behind them, the prefix counted."""
        plain = [_without_surrogates(text) for text in texts]
        composed = [self._composed(text) for text in plain]
        readable = [prefix + (text if made is None else made.text) for text, made in zip(plain, composed, strict=True)]
        found: list[Pieces | None] = [None] * len(texts)
        if self._light is not None and not self._special_tokens:
            found = self._light.encode(readable)
        left = [i for i, pieces in enumerate(found) if pieces is None]
        for i, read in zip(left, self._reference_pieces([readable[i] for i in left]), strict=True):
            found[i] = read
        for text, made, pieces in zip(texts, composed, found, strict=True):
            assert pieces is not None
            yield text, pieces if made is None else _as_given(pieces, made, len(prefix))

    def _composed(self, text: str) -> Composed | None:
        rule = self._frame.composition
        made = None if rule == "none" else compose(text, compatible=rule == "sentencepiece")
        if self._frame.folding == "none":
            return made
        return fold(text if made is None else made.text, made)

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The pieces behind ids, as the vocabulary spells them."""
        return [self._token(int(i)) or f"<{i}>" for i in ids]

    def _token(self, i: int) -> str | None:
        if self._light is None:
            found: str | None = self._reference().id_to_token(i)
            return found
        return self._light.piece(i) or self._added.get(i)

    @functools.cached_property
    def _added(self) -> dict[int, str]:
        """Markers that were added to a vocabulary are not among its pieces."""
        try:
            added = json.loads(self._path.read_bytes())["added_tokens"]
            return {int(token["id"]): str(token["content"]) for token in added}
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ArtefactError(f"{self._path}: cannot be read as a tokenizer ({error})") from error

    def _document(self) -> str:
        return read_tokenizer_json(self._path, self._light.vocabulary if self._light else None)

    def _reference(self) -> Any:
        """The `tokenizers.Tokenizer` of tokenizer.json, loaded once."""
        with self._loading:
            if self._loaded is None:
                try:
                    from tokenizers import Tokenizer  # noqa: PLC0415 - most texts do without
                except ImportError as error:
                    how = machine.install_command("tokenizers")
                    raise MissingExtra(
                        f"{self._path.parent}: its vocabulary needs tokenizers (colibri-edge[tokenizers]): {how}"
                    ) from error

                try:
                    loaded = Tokenizer.from_str(self._document())
                except ArtefactError:
                    raise
                except Exception as error:  # tokenizers raises bare Exception
                    raise ArtefactError(f"{self._path}: cannot be read as a tokenizer ({error})") from error
                loaded.no_truncation()
                loaded.no_padding()
                loaded.encode_special_tokens = not self._special_tokens
                if self._light:
                    log.info("%s: loaded, for a text that the light tokenizer leaves to it", self._path)
                self._loaded = loaded
            return self._loaded

    def _reference_pieces(self, texts: list[str]) -> list[Pieces]:
        if not texts:
            return []
        return [
            Pieces(np.array(encoding.ids, np.int64), np.array(encoding.offsets, np.int64).reshape(-1, 2))
            for encoding in self._reference().encode_batch(texts, add_special_tokens=False)
        ]

    def _lay_out(self, text: str, pieces: Pieces, role: Role) -> Encoded:
        prefix_length = len(role.prefix or "")
        before = [*self._frame.start_ids, *([] if role.marker_id is None else [role.marker_id])]
        after = list(self._frame.end_ids)
        room = self.room(role)
        truncated = max(pieces.ids.size - room, 0)
        text_ids, offsets = pieces.ids[:room], pieces.offsets[:room]

        # A piece that reaches over the prefix's end belongs to the text.
        of_prefix = (offsets[:, 1] <= prefix_length) & (prefix_length > 0)
        keep = np.full(len(before) + text_ids.size + len(after), role.keep_special_rows)
        keep[: len(self._frame.start_ids)] &= not role.drop_start_rows
        text_rows = slice(len(before), len(before) + text_ids.size)
        keep[text_rows] = ~np.isin(text_ids, role.skiplist.ids) & (role.keep_prefix_rows | ~of_prefix)
        spans = np.zeros((keep.size, 2), np.int32)
        spans[text_rows] = np.where(of_prefix[:, None], 0, np.maximum(offsets - prefix_length, 0))
        for row, (start, end) in enumerate(spans.tolist()):
            if text[start:end] != text[start:end].strip():
                spans[row] = _trim(text, start, end)
        ids = np.concatenate([np.array(before, np.int64), text_ids, np.array(after, np.int64)])
        masks = 0
        if role.expansion is not None:
            masks = max(role.expansion.to_tokens - ids.size, 0)
            ids = np.append(ids, np.full(masks, role.expansion.mask_id))
            keep = np.append(keep, np.ones(masks, np.bool_))
            spans = np.append(spans, np.zeros((masks, 2), np.int32), axis=0)
        attended = np.ones(ids.size, np.bool_)
        if role.expansion is not None and not role.expansion.attended:
            attended[ids.size - masks :] = False
        keep[0] |= not keep.any()
        return Encoded(ids, attended, keep, spans, truncated)


def _windows(pieces: Pieces, room: int, prefix_length: int, overlap: int) -> list[Pieces]:
    """Pieces cut into windows of `room`; the tokens within the prefix begin each of them."""
    ids, offsets = pieces.ids, pieces.offsets
    if ids.size <= room:
        return [pieces]
    prefixed = int(((offsets[:, 1] <= prefix_length) & (prefix_length > 0)).sum())
    size = max(room - prefixed, 1)
    step = max(size - overlap, 1)
    begins = range(prefixed, ids.size - size + step, step)
    return [
        Pieces(
            np.concatenate([ids[:prefixed], ids[at : at + size]]),
            np.concatenate([offsets[:prefixed], offsets[at : at + size]]),
        )
        for at in begins
    ]


def _as_given(pieces: Pieces, made: Composed, prefix: int) -> Pieces:
    """Offsets of a composed text behind a prefix as those of the text that was given."""
    starts = np.concatenate([np.arange(prefix), prefix + made.starts])
    ends = np.concatenate([np.arange(1, prefix + 1), prefix + made.ends])
    first, last = pieces.offsets[:, 0], np.maximum(pieces.offsets[:, 1] - 1, 0)
    empty = pieces.offsets[:, 1] <= first
    offsets = np.stack([starts[np.minimum(first, starts.size - 1)], ends[last]], axis=1)
    offsets[empty, 1] = offsets[empty, 0]
    return Pieces(pieces.ids, offsets)


def _without_surrogates(text: str) -> str:
    """A lone surrogate cannot be written as UTF-8; one replacement character each keeps the offsets."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Drop white space at both ends of text[start:end]."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return start + left, max(start + len(piece.rstrip()), start + left)
