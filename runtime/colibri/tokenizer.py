"""Text and role to token ids, the rows to keep, and the characters behind each row."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from colibri.artefact import Artefact
from colibri.errors import ArtefactError
from colibri.manifest import Role
from colibri.vectors import Spans

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
    """tokenizer.json with the role rules of an artefact; never changed after it is made, so threads may share it."""

    def __init__(self, artefact: Artefact, *, special_tokens: bool = False) -> None:
        """special_tokens: whether "<mask>" in a text means the mask token; by default it is the text it looks like."""
        path = artefact.path(artefact.manifest.tokenizer.file)
        try:
            self._tokenizer = Tokenizer.from_buffer(path.read_bytes())
        except Exception as error:  # tokenizers raises bare Exception
            raise ArtefactError(f"{path}: cannot be read as a tokenizer ({error})") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = not special_tokens
        self._frame = artefact.manifest.tokenizer

    def encode(self, texts: Sequence[str], role: Role) -> list[Encoded]:
        """Apply a role's rules to every text."""
        return [self._lay_out(text, ids, offsets, role) for text, ids, offsets in self._pieces(texts, role)]

    def encode_windows(self, texts: Sequence[str], role: Role, overlap: int) -> list[list[Encoded]]:
        """Apply a role's rules to every text, and to one that does not fit in windows that do.

        overlap: tokens that a window shares with the one before it, fewer than a window has room for

        Each window is laid out like a text of its own, the prefix in front, and its spans point into the whole text.
        The last one is as short as what is left.
        """
        return [
            [self._lay_out(text, part_ids, part_offsets, role) for part_ids, part_offsets in parts]
            for text, ids, offsets in self._pieces(texts, role)
            for parts in [_windows(ids, offsets, self.room(role), len(role.prefix or ""), overlap)]
        ]

    def room(self, role: Role) -> int:
        """How many tokens of prefix and text a role's `max_tokens` leaves beside start, marker and end."""
        frame = len(self._frame.start_ids) + (role.marker_id is not None) + len(self._frame.end_ids)
        return max(role.max_tokens - frame, 0)

    def _pieces(self, texts: Sequence[str], role: Role) -> Iterator[tuple[str, list[int], list[tuple[int, int]]]]:
        """Every text with the ids of its prefix and itself, and the characters behind them, the prefix counted."""
        prefix = role.prefix or ""
        readable = [prefix + _without_surrogates(text) for text in texts]
        for text, encoding in zip(texts, self._tokenizer.encode_batch(readable, add_special_tokens=False), strict=True):
            yield text, encoding.ids, encoding.offsets

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The pieces behind ids, as the vocabulary spells them."""
        return [self._tokenizer.id_to_token(int(i)) or f"<{i}>" for i in ids]

    def _lay_out(self, text: str, text_ids: list[int], offsets: list[tuple[int, int]], role: Role) -> Encoded:
        prefix_length = len(role.prefix or "")
        before = [*self._frame.start_ids, *([] if role.marker_id is None else [role.marker_id])]
        after = list(self._frame.end_ids)
        room = self.room(role)
        truncated = max(len(text_ids) - room, 0)
        text_ids, offsets = text_ids[:room], offsets[:room]

        # A piece that reaches over the prefix's end belongs to the text.
        of_prefix = [end <= prefix_length and prefix_length > 0 for _, end in offsets]
        skip = set(role.skiplist.ids)
        keep = [role.keep_special_rows] * len(before)
        keep += [
            role.keep_prefix_rows if prefixed else i not in skip
            for i, prefixed in zip(text_ids, of_prefix, strict=True)
        ]
        keep += [role.keep_special_rows] * len(after)
        spans = [(0, 0)] * len(before)
        spans += [
            (0, 0) if prefixed else _trim(text, max(a - prefix_length, 0), b - prefix_length)
            for (a, b), prefixed in zip(offsets, of_prefix, strict=True)
        ]
        ids = before + text_ids + after
        masks = 0
        if role.expansion is not None:
            masks = max(role.expansion.to_tokens - len(ids), 0)
            ids += [role.expansion.mask_id] * masks
        attended = np.ones(len(ids), np.bool_)
        if role.expansion is not None and not role.expansion.attended:
            attended[len(ids) - masks :] = False
        kept = np.array(keep + [True] * masks, np.bool_)
        kept[0] |= not kept.any()
        all_spans = np.zeros((len(ids), 2), np.int32)
        all_spans[: len(spans)] = spans
        return Encoded(np.array(ids, np.int64), attended, kept, all_spans, truncated)


def _windows(
    ids: list[int], offsets: list[tuple[int, int]], room: int, prefix_length: int, overlap: int
) -> list[tuple[list[int], list[tuple[int, int]]]]:
    """Ids and offsets cut into windows of `room`; the tokens within the prefix begin each of them."""
    if len(ids) <= room:
        return [(ids, offsets)]
    prefixed = sum(end <= prefix_length and prefix_length > 0 for _, end in offsets)
    size = max(room - prefixed, 1)
    step = max(size - overlap, 1)
    begins = range(prefixed, len(ids) - size + step, step)
    return [(ids[:prefixed] + ids[at : at + size], offsets[:prefixed] + offsets[at : at + size]) for at in begins]


def _without_surrogates(text: str) -> str:
    """A lone surrogate cannot be written as UTF-8; one replacement character each keeps the offsets."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Drop white space at both ends of text[start:end]."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return start + left, max(start + len(piece.rstrip()), start + left)
